"""Guests and clients that say anything at all on a port's channel, without sockets.

A script is bytes; its steps are taken from them.  What must hold is checked after each
step; any exception that comes out of :func:`play` is a mistake of ours.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from spice_common import lz4_block
from spice_server.channel.channel_client import SEND_SIZE
from spice_server.channel.connection import LOW_WATER
from spice_server.channel.link_info import LinkInfo
from spice_server.port.channel import DATA_LIMIT
from spice_server.port.data import MAX_DATA
from spice_server.port.port_channel import PortChannel, WebdavChannel
from spice_server.port.smartcard import SmartcardChannel
from spice_server.port.usbredir import UsbredirChannel
from tests.fakes.hostile_client import DeafConnection, Loop

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from vd_interfaces.port import PortHandler

KINDS = (UsbredirChannel, PortChannel, WebdavChannel, SmartcardChannel)
MESSAGES = (101, 102, 201, 3, 4, 6, 77)
MAX_GUEST_DATA = 70_000
"""A little more than ``ChardevPort`` gives at once."""


class CountingPort:
    """A port that counts what it takes, and says no when it is told to."""

    name = "org.test.0"

    def __init__(self) -> None:
        self.opened = False
        self.full = False
        self.paused = False
        self.waiting = 0
        """Bytes taken while it was full."""
        self.handler: PortHandler | None = None

    def attach(self, handler: PortHandler | None) -> None:
        self.handler = handler
        self.paused = False

    def write(self, data: bytes) -> bool:
        assert len(data) <= MAX_DATA
        if self.full:
            self.waiting += len(data)
        return not self.full

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False


class ReadableConnection(DeafConnection):
    """A connection whose peer reads now and then."""

    reading_paused = False

    def pause_reading(self) -> None:
        self.reading_paused = True

    def resume_reading(self) -> None:
        self.reading_paused = False

    def write(self, buffers: list[bytes]) -> None:
        self.pending += sum(map(len, buffers))
        assert self.pending <= LOW_WATER + SEND_SIZE + MAX_GUEST_DATA + 100

    def read(self) -> None:
        self.pending = 0
        self._receiver.writable()


class PortRig:
    """A client on a channel of one kind, and the guest behind it."""

    def __init__(self, kind: int, *, mini: bool, packs: bool) -> None:
        self.port = CountingPort()
        channel = KINDS[kind % len(KINDS)](self.port)  # type: ignore[arg-type]
        self.is_card = isinstance(channel, SmartcardChannel)
        words = (int(packs),)
        link = LinkInfo(1, channel.type, 0, (9,), words, mini, tls=False)
        self.mini = mini
        self.connection, self.loop = ReadableConnection(), Loop()
        self.client: Any = channel.create_client(self.connection, link)  # type: ignore[arg-type]
        self.client.log.exception = _our_mistake
        self.closed: list[object] = []
        self.client.start(self.loop, self.closed.append)
        self.loop.run()
        self.steps: tuple[Callable[[bytes], None], ...] = (
            self.client_sends_noise,
            self.client_sends_a_message,
            self.client_sends_packed_data,
            self.client_reads,
            self.guest_writes,
            self.guest_writes_a_card_message,
            self.guest_opens_or_closes,
            self.guest_reads_or_not,
        )

    def play(self, script: bytes) -> None:
        """Take all steps, then end."""
        position = 0
        while position < len(script) and not self.client.closed:
            size = 1 + (script[position] >> 3) * 3
            self.steps[script[position] & 7](script[position + 1 :][:size])
            position += 1 + size
            self.loop.run()
            self.check()
        self.client.close()
        self.loop.run()
        assert self.closed == [self.client]
        assert self.port.handler is None
        assert self.client.pipe.cost == 0

    def check(self) -> None:
        """Check the bounds."""
        client = self.client
        assert client.pipe.cost <= client.pipe_limit
        assert len(client._reader._partial) <= client.max_message_size + 18
        if client.closed:
            return
        if not self.is_card and client.pipe.cost > DATA_LIMIT:
            assert self.port.paused
        if self.is_card or client.pipe.cost == 0:
            assert not self.port.paused
        if self.port.full and self.port.waiting:
            assert self.connection.reading_paused

    # -- the client

    def _feed(self, data: bytes) -> None:
        if not self.connection.reading_paused and not self.client.closed:
            self.client.data_received(data)

    def client_sends_noise(self, data: bytes) -> None:
        self._feed(data)

    def client_sends_a_message(self, data: bytes) -> None:
        kind = MESSAGES[data[0] % len(MESSAGES)] if data else 101
        self._message(kind, data[1:])

    def client_sends_packed_data(self, data: bytes) -> None:
        """Send a bomb: what it says of its size may be true."""
        choice = data[0] if data else 0
        size = (0, 1000, 60_000, MAX_DATA, MAX_DATA + 1, 2**32 - 1)[choice % 6]
        truth = min(size, MAX_DATA) - (choice >> 7)
        block = lz4_block.pack(bytes(max(truth, 0)), 70_000) or b""
        self._message(102, struct.pack("<BI", 1, size) + block + data[40:])

    def _message(self, kind: int, body: bytes) -> None:
        if self.mini:
            header = struct.pack("<HI", kind, len(body))
        else:
            header = struct.pack("<QHII", 1, kind, len(body), 0)
        self._feed(header + body)

    def client_reads(self, _data: bytes) -> None:
        if not self.client.closed:
            self.connection.read()

    # -- the guest

    def _write(self, data: bytes) -> None:
        # One that was read before it was paused may still come.
        comes = not self.port.paused or len(data) < 1000
        if self.port.handler is not None and self.port.opened and comes:
            self.port.handler.port_data(data)

    def guest_writes(self, data: bytes) -> None:
        times = MAX_GUEST_DATA // max(len(data), 1) if data[:1] > b"\x80" else 1
        self._write(data * times)

    def guest_writes_a_card_message(self, data: bytes) -> None:
        kind = data[0] % 10 if data else 0
        size = len(data) if not data or data[0] < 240 else 0xFFFF_0000
        self._write(struct.pack(">III", kind, 0, size) + data)

    def guest_opens_or_closes(self, _data: bytes) -> None:
        self.port.opened = not self.port.opened
        if self.port.handler is not None:
            if self.port.opened:
                self.port.handler.port_opened()
            else:
                self.port.handler.port_closed()

    def guest_reads_or_not(self, _data: bytes) -> None:
        self.port.full = not self.port.full
        if not self.port.full:
            self.port.waiting = 0
            if self.port.handler is not None:
                self.port.handler.port_writable()


def _our_mistake(*_: object) -> None:
    """Let out what a client's code contains and logs."""
    raise  # noqa: PLE0704 - called while the exception is handled


def play(data: bytes) -> None:
    """Run one input: its first byte chooses kind and capabilities."""
    choice = data[0] if data else 0
    rig = PortRig(choice, mini=bool(choice & 4), packs=bool(choice & 8))
    rig.play(data[1:])


def make_script(generator: random.Random) -> bytes:
    """Make an input in which clients live longer than with any bytes at all."""
    script = bytearray(generator.randbytes(1))
    if generator.random() < 0.8:
        script += bytes([6, 0])  # open
    for _ in range(generator.randrange(60)):
        if generator.random() < 0.1:
            burst = bytes([10 << 3 | 4, 0x81]) + generator.randbytes(30)
            script += burst * generator.randrange(12)
        step = generator.choice((1, 1, 2, 3, 4, 4, 4, 5, 6, 7))
        if generator.random() < 0.02:
            step = 0
        size = generator.randrange(32)
        body = bytearray(generator.randbytes(1 + size * 3))
        if step == 1 and generator.random() < 0.9:
            body[0] = 0
        if step == 2 and generator.random() < 0.9:
            body[0] %= 4
        script += bytes([size << 3 | step]) + body
    return bytes(script)
