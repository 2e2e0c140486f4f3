"""QEMU's end of the agent's port, and a client that only talks to the agent.

Both check what they are given as the strictest receiver would, and can send anything.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from typing import TYPE_CHECKING

from spice_client.link import LinkRequest
from spice_protocol.enums import ChannelType
from spice_protocol.messages.main import MainMsg, MainMsgc
from spice_protocol.protocol import MainCap
from tests.fakes.agent_port import agent_message
from tests.fakes.hostile_agent import Reader
from tests.peers.blocking_client import PATIENCE, dial, link

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.peers.fake_qemu import PlayedMonitor

__all__ = ["AgentLink", "PlayedAgentPort", "meet"]

SERVER = 2
CAPS, GONE = 6, 13


def _wait(condition: Callable[[], bool], *pumps: Callable[[], None]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waiting in vain"
        for pump in pumps:
            pump()


class PlayedAgentPort:
    """QEMU's socket behind a virtserialport, and the guest that has it open."""

    def __init__(self, folder: Path) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / "qxld-agent.sock"))
        self._listener.listen()
        self._sock: socket.socket | None = None
        self._buffer = bytearray()
        self.readers = {1: Reader(), 2: Reader()}
        self._greeting = self._answer = b""
        self._listening = False

    def change(self, monitor: PlayedMonitor, *, opened: bool) -> None:
        """Open or close the guest's end."""
        data = {"open": opened, "id": "qxld-agent"}
        monitor.send_event("VSERPORT_CHANGE", data)

    def expect(self, greeting: bytes, answer: bytes) -> None:
        """Look at nothing until a message *greeting* comes, which is answered."""
        self._greeting, self._answer = greeting, answer
        self._listening = False

    def say(self, data: bytes, *, wait: bool = True) -> int:
        """Write as the guest; what qxld takes, if *wait* is not wanted or it hangs up."""
        self._connected()
        assert self._sock is not None
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < len(data):
                _, ready, _ = select.select(
                    [], [self._sock], [], PATIENCE if wait else 0
                )
                if not ready:
                    assert not wait, "qxld does not read"
                    break
                sent += self._sock.send(data[sent : sent + (1 << 16)])
        return sent

    def _connected(self) -> None:
        """Take the latest connection of qxld's."""
        wait = 0.0 if self._sock is not None else PATIENCE
        while select.select([self._listener], [], [], wait)[0]:
            if self._sock is not None:
                self._sock.close()
            self._sock, _ = self._listener.accept()
            self._sock.setblocking(False)
            self._buffer.clear()
            wait = 0.0

    def pump(self) -> None:
        """Read what is there, waiting for some of it a little."""
        self._connected()
        assert self._sock is not None
        select.select([self._sock, self._listener], [], [], 0.01)
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while data := self._sock.recv(1 << 16):
                self._buffer += data
                self._take()

    def _take(self) -> None:
        while len(self._buffer) >= 8:
            port, size = struct.unpack_from("<II", self._buffer)
            if len(self._buffer) < 8 + size:
                break
            data = bytes(self._buffer[8 : 8 + size])
            del self._buffer[: 8 + size]
            if data == self._greeting:
                self._listening = True
                self.readers = {1: Reader(), 2: Reader()}
                self.say(struct.pack("<II", 1, len(self._answer)) + self._answer)
            if self._listening:
                self.readers[port].take(data)
                if port == SERVER and struct.unpack_from("<I", data, 4)[0] == GONE:
                    self.readers[1] = Reader()  # as vdagentd

    def close(self) -> None:
        """End, as with QEMU."""
        for sock in (self._sock, self._listener):
            if sock is not None:
                sock.close()


class AgentLink:
    """A main channel that talks to the agent, and reads nothing that it is not told to."""

    def __init__(self, port: int, password: str) -> None:
        self.sock = dial(port)
        caps = (MainCap.AGENT_CONNECTED_TOKENS,)
        request = LinkRequest(ChannelType.MAIN, 0, 0, caps, password=password)
        result, rest = link(self.sock, request)
        assert result.mini_header
        self._buffer = bytearray(rest)
        self.there = False
        """Whether it was told that an agent is there."""
        self.greeting = b""
        """What every agent is told at once; empty: none is talked to unasked."""
        self.tokens = 0
        self.reader = Reader()
        self.heard: list[tuple[int, bytes]] = []
        """The first piece of every message of the agent: type and data."""
        self.ended = False
        _wait(lambda: self.tokens > 0, self.pump)

    def pump(self) -> None:
        """Read what is there, waiting for some of it a little."""
        while not self.ended and select.select([self.sock], [], [], 0.01)[0]:
            data = b""
            with contextlib.suppress(ConnectionError):
                data = self.sock.recv(1 << 16)
            self.ended = not data
            self._buffer += data
            self._take()

    def _take(self) -> None:
        while len(self._buffer) >= 6:
            kind, size = struct.unpack_from("<HI", self._buffer)
            if len(self._buffer) < 6 + size:
                break
            body = bytes(self._buffer[6 : 6 + size])
            del self._buffer[: 6 + size]
            self._handle(kind, body)

    def _handle(self, kind: int, body: bytes) -> None:
        match kind:
            case MainMsg.INIT:
                self.tokens = struct.unpack_from("<I", body, 20)[0]
                self._connect(there=bool(body[16]))
            case MainMsg.AGENT_CONNECTED_TOKENS:
                assert not self.there
                self.tokens = struct.unpack("<I", body)[0]
                self._connect(there=True)
            case MainMsg.AGENT_DISCONNECTED:
                assert self.there
                self._connect(there=False)
            case MainMsg.AGENT_TOKEN:
                self.tokens += struct.unpack("<I", body)[0]
            case MainMsg.AGENT_DATA:
                assert self.there
                if not self.reader.missing:
                    self.heard.append((struct.unpack_from("<I", body, 4)[0], body))
                self.reader.take(body)

    def _connect(self, *, there: bool) -> None:
        self.there, self.reader = there, Reader()
        self.heard.clear()
        if there and self.greeting:
            self.start()
            self.data(self.greeting)

    def send(self, kind: int, body: bytes) -> None:
        """Send a message, as long as the server takes some."""
        with contextlib.suppress(ConnectionError):
            self.sock.sendall(struct.pack("<HI", kind, len(body)) + body)

    def start(self, tokens: int = 0xFFFFFFFF) -> None:
        """Listen and speak to the agent."""
        self.send(MainMsgc.AGENT_START, struct.pack("<I", tokens))

    def data(self, body: bytes) -> None:
        """Send AGENT_DATA without a look at the tokens."""
        self.tokens -= 1
        self.send(MainMsgc.AGENT_DATA, body)

    def close(self) -> None:
        """Hang up."""
        self.sock.close()


def meet(
    client: AgentLink, agent: PlayedAgentPort, monitor: PlayedMonitor, number: int
) -> None:
    """Let the guest start its agent anew and *client* talk to it, both ways.

    *number* marks the talk.
    """
    answer = agent_message(CAPS, struct.pack("<II", 0, number))
    client.greeting = agent_message(CAPS, struct.pack("<II", 1, number))
    agent.expect(client.greeting, answer)
    agent.change(monitor, opened=False)
    agent.change(monitor, opened=True)
    _wait(lambda: (CAPS, answer) in client.heard, client.pump, agent.pump)
