"""Agents and clients that say anything, and what must hold all the same.

:class:`AgentRig` is a server with two ports and three clients whose every byte is
checked as the strictest of vdagentd, Windows' agent and spice-gtk would.  It is driven
by calls, or by bytes: :meth:`AgentRig.play`.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from typing import TYPE_CHECKING, Final

from spice_protocol.errors import ProtocolError
from spice_protocol.messages.main import MainMsg
from spice_server.agent.agent import Agent
from spice_server.agent.client import MAX_BACKLOG, AgentClient
from spice_server.agent.policy import AgentPolicy
from spice_server.agent.tokens import MAX_UNSURE
from spice_server.errors import ClientError
from spice_server.limited_log import LimitedLog
from tests.fakes.agent_port import AgentPort, agent_message, chunk

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

__all__ = ["AgentRig", "bad_message", "make_script", "step"]

NAMES: Final = (
    b"file", b"../../../etc/passwd", b"/etc/passwd", b"a\0b", b"..", b"x" * 5000,
    b"\xff\xfe", b"a\nsize=1", b"",
)  # fmt: skip
SIZES: Final = (0, 1, 19, 20, 2027, 2028, 2029, 4096, 70_000)
LIES: Final = (0, 1, 2049, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def bad_message(generator: random.Random) -> bytes:
    """Make an agent message: one that means something, mostly, then spoilt, at times."""
    kind = generator.choice([2, 4, 6, 7, 8, 9, 10, 11, 12, 12, generator.randrange(20)])
    body = _body(generator, kind)
    data = bytearray(agent_message(kind, body))
    match generator.randrange(30):
        case 0:
            struct.pack_into("<I", data, 16, generator.choice(LIES))
        case 1:
            data[generator.randrange(len(data))] = generator.randrange(256)
        case 2:
            del data[generator.randrange(len(data)) :]
    return bytes(data)


def _body(generator: random.Random, kind: int) -> bytes:
    number = generator.choice([1, 1, 2, 0xFFFFFFFF])
    size = generator.choice(SIZES)
    match kind:
        case 10:  # a file
            told = generator.choice([b"0", b"-1", b"9" * 30, b"100", b"x"])
            name = generator.choice(NAMES)
            return struct.pack(
                "<I", number
            ) + b"[vdagent-file-xfer]\nname=%b\nsize=%b\n\0" % (name, told)
        case 12:  # a piece of one, which may lie about its size
            told = generator.choice([size, size, 0, 1 << 63])
            return struct.pack("<IQ", number, told) + bytes(size)
        case 11:
            return struct.pack("<II", number, generator.randrange(10))
        case 2:
            count = generator.choice([1, 2, 4, 64, 65, 0xFFFFFFFF])
            sides, places = [0, 640, 32767], [0, 640, -1, 1 << 30]
            return struct.pack("<II", count, 1) + b"".join(
                struct.pack("<III", *generator.choices(sides, k=2), 32)
                + struct.pack("<ii", *generator.choices(places, k=2))
                for _ in range(min(count, 70))
            )
        case 6:
            words = generator.choice([0, 1, 1, 2, 2, 63, 64, 600])
            request = generator.randrange(2).to_bytes(4, "little")
            return request + generator.randbytes(4 * words)
        case _:  # the clipboard's, and what there is not
            return bytes([generator.randrange(256), 0, 0, 0]) + bytes(size)


class Reader:
    """Puts pieces together as the strictest receiver would."""

    def __init__(self) -> None:
        self.missing = 0
        self.messages = 0

    def take(self, data: bytes) -> None:
        """Take a piece; a message never begins within one, nor ends before its end."""
        assert len(data) <= 2048
        if not self.missing:
            assert len(data) >= 20
            protocol, _kind, _, self.missing = struct.unpack_from("<IIQI", data)
            assert protocol == 1
            data = data[20:]
        assert len(data) <= self.missing
        self.missing -= len(data)
        self.messages += not self.missing


class Viewer:
    """A hostile client, seen from a friendly one's eyes."""

    def __init__(self, agent: Agent, *, renewed: bool) -> None:
        self.log = LimitedLog(logging.getLogger("test"))
        self.congested = False
        self.ended = False
        self.agent = agent
        self.there = agent.connected
        self.reader = Reader()
        self.to_take = 0
        self.link = AgentClient(agent, self, renewed=renewed)
        agent.join(self.link)

    def send(self, kind: int, *body: bytes | memoryview) -> None:
        assert not self.ended
        match kind:
            case MainMsg.AGENT_CONNECTED | MainMsg.AGENT_CONNECTED_TOKENS:
                assert not self.there
                self.there, self.reader = True, Reader()
                self.to_take = 0
            case MainMsg.AGENT_DISCONNECTED:
                assert self.there
                self.there = False
            case MainMsg.AGENT_DATA:
                assert self.there
                self.reader.take(b"".join(body))
                self.to_take -= 1
                assert self.to_take >= 0
            case _:
                assert kind == MainMsg.AGENT_TOKEN

    def fail(self, error: Exception) -> None:
        assert isinstance(error, ClientError)
        self.end()

    def end(self) -> None:
        """Go, as a client does whose connection is closed."""
        if not self.ended:
            self.ended = self.congested = True
            self.agent.leave(self.link)

    def do(self, call: Callable[..., None], *arguments: object) -> None:
        """Handle a message of its, as ``ChannelClient`` does."""
        try:
            call(*arguments)
        except (ClientError, ProtocolError):
            self.end()

    def start(self, tokens: int) -> None:
        self.to_take += tokens
        self.do(self.link.handle_start, tokens)

    def token(self, tokens: int) -> None:
        self.to_take += tokens
        self.do(self.link.handle_token, tokens)

    def data(self, data: bytes) -> None:
        self.do(self.link.handle_data, memoryview(data))


class CheckedPort(AgentPort):
    """A port whose guest checks what it is given."""

    def open(self) -> None:
        self.readers = {1: Reader(), 2: Reader()}
        super().open()

    def read(self) -> None:
        """Look at everything that was written."""
        for port, data in self.chunks():
            self.readers[port].take(data)
            if port == 2 and struct.unpack_from("<I", data, 4)[0] == 13:
                self.readers[1] = Reader()  # as vdagentd
        assert not self.written


class AgentRig:
    """The server between two ports and up to three clients."""

    def __init__(self, policy: AgentPolicy | None = None) -> None:
        self.agent = Agent(policy or AgentPolicy())
        self.ports = [CheckedPort("one"), CheckedPort("two")]
        for port in self.ports:
            self.agent.attach(port)
        self.viewers: list[Viewer] = []
        self.steps = 0

    def check(self) -> None:
        """Raise if anything is wrong, or has grown."""
        self.steps += 1
        for port in self.ports:
            if port.opened:
                port.read()
        self.viewers = [v for v in self.viewers if not v.ended]
        assert [v.link for v in self.viewers] == self.agent.clients
        for viewer in self.viewers:
            # Pieces in hand never exceed the tokens they cost.
            assert len(viewer.link.outgoing) <= MAX_UNSURE
            assert len(viewer.link.stream._gathered) <= 64 * 1024
            waiting = sum(map(len, viewer.link._incoming))
            assert waiting <= MAX_BACKLOG
        queue = self.agent._queue
        assert sum(map(len, queue._rest)) <= MAX_UNSURE * 2048
        assert len(queue._server) <= 3
        assert len(queue._waiting) <= len(self.viewers)
        assert len(self.agent.pointer._waiting) <= 64

    def play(self, script: bytes) -> int:
        """Do what *script* says, see :func:`step`; the number of steps."""
        return asyncio.run(self._play(script))

    async def _play(self, script: bytes) -> int:
        position = 0
        while len(script) - position >= 4:
            action, who, size = struct.unpack_from("<BBH", script, position)
            data = script[position + 4 : position + 4 + size]
            position += 4 + size
            self.act(action, who, data)
            self.check()
        for viewer in self.viewers[:]:
            viewer.end()
        self.check()
        return self.steps

    def act(self, action: int, who: int, data: bytes) -> None:
        """Do one thing: the guest's end of a port for even *action*, else a client."""
        if action & 1:
            self._client(action >> 1, who, data)
        else:
            self._guest(action >> 1, who, data)

    def _guest(self, action: int, who: int, data: bytes) -> None:
        port = self.ports[who & 1]
        match action % 8:
            case 0:
                port.open() if not port.opened or who & 2 else port.close()
            case 1:
                port.room = False
            case 2:
                port.read_on()
            case 3:
                self.agent.position(*struct.unpack("<IIHB", data[:11].ljust(11)))
            case 4:
                apply = None if who & 1 else (lambda _config: None)
                self.agent.set_display_agent(apply)
            case _:
                if port.opened:
                    port.say(data)

    def _client(self, action: int, who: int, data: bytes) -> None:
        if len(self.viewers) <= who % 3:
            self.viewers.append(Viewer(self.agent, renewed=bool(who & 4)))
            return
        viewer = self.viewers[who % 3]
        match action % 8:
            case 0:
                viewer.start(int.from_bytes(data[:4], "little"))
            case 1:
                viewer.token(int.from_bytes(data[:4], "little"))
            case 2:
                viewer.congested = True
            case 3:
                viewer.congested = False
                self.agent.client_reads(viewer.link)
            case 4 if who & 0x30:
                viewer.end()
            case _:
                viewer.data(data)


def step(action: int, who: int, data: bytes = b"") -> bytes:
    """Return a script of one step; the data is cut to 64 KiB."""
    data = data[:0xFFFF]
    return struct.pack("<BBH", action, who, len(data)) + data


def make_script(generator: random.Random) -> bytes:
    """Make a script of steps that get somewhere, and of some that do not."""
    steps = [step(0, 0), step(1, 0), step(1, 5)]
    for _ in range(generator.randrange(60)):
        who = generator.randrange(256)
        match generator.randrange(8):
            case 0 | 1:
                steps += _guest_talk(generator, who)
            case 2 | 3 | 4:
                steps += _client_talk(generator, who)
            case 5:
                steps.append(step(1, who, generator.choice([b"\xff" * 4, b"\3"])))
            case _:
                data = generator.randbytes(generator.choice([0, 4, 11, 40]))
                steps.append(step(generator.randrange(16), who, data))
    return b"".join(steps)


def _guest_talk(generator: random.Random, who: int) -> list[bytes]:
    data = bad_message(generator)
    port = generator.choice([1] * 20 + [2, 2, 0, 3])
    if generator.randrange(3) == 0:  # in several chunks
        data = b"".join(
            chunk(data[i : i + 500], port) for i in range(0, len(data), 500)
        )
    else:
        data = chunk(data, port)
    if generator.randrange(30) == 0:
        data = struct.pack("<II", port, generator.choice(LIES)) + data[8:]
    size = generator.choice([1 << 16, 1 << 16, 1000, 7])
    steps = [step(0, who | 2)] if generator.randrange(10) == 0 else []
    return steps + [
        step(10, who, data[i : i + size]) for i in range(0, len(data), size)
    ]


def _client_talk(generator: random.Random, who: int) -> list[bytes]:
    data = bad_message(generator)
    size = generator.choice([2048] * 20 + [1000] * 3 + [2049, 20, 19])
    # A client that is not there comes; one that is there answers every agent.
    steps = [step(1, who, b"\xff" * 4)] * generator.choice([0, 0, 2, 3])
    return (
        steps
        + [step(11, who, data[i : i + size]) for i in range(0, len(data), size)][:40]
    )
