"""A display worker with a real device, a fake guest and raw clients on socket pairs."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, Self

from qxl_device.device import QXLDevice
from spice_protocol.enums import ChannelType
from spice_protocol.messages.base import BaseMsg, BaseMsgc
from spice_protocol.messages.display import DisplayMsgc, SpiceMsgcDisplayInit
from spice_protocol.protocol import DisplayCap, capability_words
from spice_protocol.qxl_dev import QxlIo, QXLRam, QXLRect
from spice_server.channel.connection import Connection
from spice_server.channel.framing import MessageReader
from spice_server.channel.link_info import LinkInfo
from spice_server.display.compression import Compression
from spice_server.display.worker import DisplayWorker
from tests.fakes.fake_guest import FakeGuest, RingFullError
from tests.fakes.guest_port import InProcessPort
from tests.fakes.painter import Painter
from vd_interfaces.control import SpiceEndpoint
from vm_transport.in_process import InProcessTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from spice_server.channel.channel import Channel

__all__ = ["DisplayBench", "RawClient"]

MIB = 1 << 20
RAW = Compression(images="off")
"""What :class:`Painter` can read."""
HANG = 120.0
"""Seconds after which a test has failed because something hangs."""
ALL_DISPLAY_CAPS = capability_words(
    [DisplayCap.SIZED_STREAM, DisplayCap.MONITORS_CONFIG]
)


class RawClient:
    """The far end of one channel: messages, acks, and a painter for pictures."""

    def __init__(self, sock: socket.socket, *, mini: bool) -> None:
        sock.settimeout(HANG)
        self.sock = sock
        self.painter = Painter()
        self.types: list[int] = []
        self.received = 0
        self.acks = True
        self._mini = mini
        self._serial = 0
        self._window = 0
        self._since_ack = 0
        # The framing of both directions is the same, but for the bound.
        self._reader = MessageReader(mini=mini, max_size=64 * MIB)
        self._messages: list[tuple[int, bytes]] = []

    def send(self, kind: int, body: bytes = b"") -> None:
        self._serial += 1
        if self._mini:
            header = struct.pack("<HI", kind, len(body))
        else:
            header = struct.pack("<QHII", self._serial, kind, len(body), 0)
        self.sock.sendall(header + body)

    def init(self) -> None:
        """Send DISPLAY_INIT as spice-gtk does."""
        self.send(
            DisplayMsgc.INIT, SpiceMsgcDisplayInit(1, 20 * MIB, 1, 6 * MIB).pack()
        )

    def receive(self) -> tuple[int, bytes]:
        """Return the next message; EOFError when the server closed."""
        while not self._messages:
            data = self.sock.recv(256 * 1024)
            if not data:
                raise EOFError
            self.received += len(data)
            self._messages += [(k, bytes(b)) for k, b in self._reader.feed(data)]
        kind, body = self._messages.pop(0)
        self._acknowledge(kind, body)
        self.types.append(kind)
        return kind, body

    def _acknowledge(self, kind: int, body: bytes) -> None:
        if kind == BaseMsg.SET_ACK:
            generation, self._window = struct.unpack("<II", body)
            self.send(BaseMsgc.ACK_SYNC, struct.pack("<I", generation))
            self._since_ack = 0
            return
        self._since_ack += 1
        if self._window and self._since_ack == self._window and self.acks:
            self._since_ack = 0
            self.send(BaseMsgc.ACK)

    def paint_until(self, condition: Callable[[Painter], bool]) -> None:
        """Paint what comes until *condition* holds."""
        while not condition(self.painter):
            self.painter.apply(*self.receive())

    def receive_until(self, wanted: int) -> bytes:
        """Skip messages until one of type *wanted*, return its body."""
        while True:
            kind, body = self.receive()
            if kind == wanted:
                return body

    def closed(self) -> bool:
        """Wait until the server closes; all that still comes is thrown away."""
        try:
            while True:
                self.receive()
        except (EOFError, ConnectionError):
            return True


class DisplayBench:
    """Use as a context manager: starts the worker and sets up the guest."""

    def __init__(
        self,
        width: int = 64,
        height: int = 48,
        compression: Compression = RAW,
        *,
        ram_size: int = 16 * MIB,
    ) -> None:
        self.width, self.height = width, height
        self.transport = InProcessTransport(ram_size=ram_size)
        self.device = QXLDevice(self.transport, 0)
        self.guest = FakeGuest(InProcessPort(self.transport))
        self.worker = DisplayWorker(self.device, compression)
        self.main_loop = asyncio.new_event_loop()
        self.closed_links: list[LinkInfo] = []
        for channel in (self.worker.display, self.worker.cursor):
            channel.register(self.main_loop, self.closed_links.append)
        self._sessions = 0
        self._socks: list[socket.socket] = []

    def __enter__(self) -> Self:
        self.worker.start()
        if self.width:
            self.guest.setup(self.width, self.height)
        else:
            self.guest.bind()
            self.guest.add_memslots()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.worker.stop()
        for sock in self._socks:
            sock.close()
        self.main_loop.close()
        self.transport.close()

    # ---- clients

    def connect(
        self,
        channel: Channel,
        *,
        caps: tuple[int, ...] = ALL_DISPLAY_CAPS,
        mini: bool = True,
        buffer: int = 0,
    ) -> RawClient:
        """Link a client to *channel*; *buffer* bounds what its socket holds."""
        ours, theirs = socket.socketpair()
        if buffer:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        self._socks.append(theirs)
        self._sessions += 1
        link = LinkInfo(
            session_id=self._sessions,
            channel_type=channel.type,
            channel_id=channel.id,
            common_caps=(),
            channel_caps=caps,
            mini_header=mini,
            tls=False,
        )
        nowhere = SpiceEndpoint("", "", "unix")
        channel.connect(Connection(ours, nowhere, nowhere), link)
        return RawClient(theirs, mini=mini)

    def display_client(self, **options: object) -> RawClient:
        """Link a display client that has sent DISPLAY_INIT."""
        client = self.connect(self.worker.display, **options)  # type: ignore[arg-type]
        client.init()
        return client

    def cursor_client(self) -> RawClient:
        """Link a cursor client."""
        assert self.worker.cursor.type is ChannelType.CURSOR
        return self.connect(self.worker.cursor, caps=())

    # ---- guest

    def draw(
        self, draw: Callable[..., object], *args: object, **options: object
    ) -> None:
        """Draw by a method of the guest, waiting for room in its ring."""
        while True:
            try:
                draw(*args, **options)
            except (RingFullError, MemoryError):
                self.flush()
                self.guest.collect()
            else:
                return

    def flush(self) -> None:
        """Wait until everything is drawn (QXL_IO_UPDATE_AREA)."""
        ram = self.guest.ram_header
        area = QXLRect(0, 0, 1, 1)
        start = QXLRam.offset("update_area")
        ram[start : start + QXLRect.SIZE] = area.pack()
        assert self.guest.outb(QxlIo.UPDATE_AREA)

    def screen(self) -> bytes:
        """Return the primary surface as the guest sees it."""
        return self.guest.surface0(self.width, self.height)

    def stats(self):
        """Return the worker's counters."""
        return self.worker.stats().result(HANG)
