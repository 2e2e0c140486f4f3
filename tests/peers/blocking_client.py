"""A SPICE client on blocking sockets, for one thread that does one thing after another.

The protocol is spice_client's; only the sockets differ.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from typing import TYPE_CHECKING, Self, TypeVar

from spice_client.channel import Channel, Received
from spice_client.cursor import CursorChannel
from spice_client.display import DisplayChannel
from spice_client.inputs import InputsChannel
from spice_client.link import Link, LinkRequest
from spice_client.main import MainChannel
from spice_client.session import Session
from spice_protocol.messages.display import MSG
from tests.fakes.painter import Painter

if TYPE_CHECKING:
    from collections.abc import Callable

    from spice_client.link import LinkResult

__all__ = [
    "BlockingChannel",
    "BlockingClient",
    "PaintedDisplay",
    "dial",
    "link",
    "reset",
]

PATIENCE = 120.0
"""Seconds that end a hang."""
READ_SIZE = 1 << 20

C = TypeVar("C", bound="Channel")


def dial(port: int, source: str = "127.0.0.1") -> socket.socket:
    """Connect to a port of this host, as *source*."""
    sock = socket.create_connection(
        ("127.0.0.1", port), timeout=PATIENCE, source_address=(source, 0)
    )
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def reset(sock: socket.socket) -> None:
    """Close with a TCP reset."""
    linger = struct.pack("ii", 1, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    sock.close()


def link(
    sock: socket.socket,
    request: LinkRequest,
) -> tuple[LinkResult, bytes]:
    """Do the link stage; what was agreed on, and what came behind it.

    Raises:
        LinkError: the server refuses.
        EOFError: it closed.

    """
    stage = Link(request)
    rest = b""
    while stage.result is None:
        sock.sendall(stage.data_to_send())
        data = sock.recv(READ_SIZE)
        if not data:
            raise EOFError(f"no link to {request.name}")
        rest = stage.receive_data(data)
    return stage.result, rest


class BlockingChannel:
    """One linked channel and its socket."""

    def __init__(self, sock: socket.socket, channel: Channel, rest: bytes) -> None:
        self.socket = sock
        self.channel = channel
        channel.start()
        self._take(rest)

    def flush(self) -> None:
        """Send what the channel wants to send."""
        data = self.channel.data_to_send()
        if data:
            self.socket.sendall(data)

    def pump(self) -> None:
        """Wait for bytes and take them; EOFError: the server closed."""
        data = self.socket.recv(READ_SIZE)
        if not data:
            raise EOFError("the server closed the connection")
        self._take(data)

    def drain(self) -> None:
        """Take what has arrived already."""
        while select.select([self.socket], [], [], 0)[0]:
            self.pump()

    def wait(self, condition: Callable[[], bool]) -> None:
        """Take bytes until *condition* holds."""
        end = time.monotonic() + PATIENCE
        self.flush()
        while not condition():
            assert time.monotonic() < end, "the client waits in vain"
            self.pump()

    def _take(self, data: bytes) -> None:
        self.channel.receive_data(data)
        self.flush()


class PaintedDisplay(DisplayChannel):
    """A display whose picture is painted by the plainest means, every rop of it."""

    def __init__(
        self, link: LinkResult, channel_id: int = 0, session: Session | None = None
    ) -> None:
        super().__init__(link, channel_id, session)
        self.painter = Painter()

    _take_messages = Channel._take_messages  # one by one, not by the core

    @property
    def marked(self) -> bool:
        return self.painter.marks > 0

    def _handle(self, message_id: int, body: bytes) -> Received:
        if message_id not in MSG:
            return super()._handle(message_id, body)
        self.painter.apply(message_id, body)
        return Received(message_id, MSG[message_id].unpack(body))


class BlockingClient:
    """A session with all four channels; a context manager."""

    def __init__(
        self,
        port: int,
        password: str = "",
        display: type[DisplayChannel] = DisplayChannel,
        connect: Callable[[int], socket.socket] = dial,
    ) -> None:
        """Link everything; *display* is who takes what the display channel sends."""
        self._port = port
        self._dial = connect
        self._sockets: list[socket.socket] = []
        self._password = password
        self._channels: list[BlockingChannel] = []
        self._session = Session()
        try:
            self.main, self.main_link = self._open(MainChannel)
            self.main_link.wait(lambda: self.main.channels is not None)
            self.display, self.display_link = self._open(display)
            self.inputs, self.inputs_link = self._open(InputsChannel)
            self.cursor, self.cursor_link = self._open(CursorChannel)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, cls: type[C]) -> tuple[C, BlockingChannel]:
        session = self.main.init if self._channels else None
        request = LinkRequest(
            cls.TYPE,
            0,
            session.session_id if session else 0,
            cls.CAPABILITIES,
            password=self._password,
        )
        sock = self._dial(self._port)
        self._sockets.append(sock)
        result, rest = link(sock, request)
        channel = cls(result, 0, self._session)
        self._channels.append(BlockingChannel(sock, channel, rest))
        return channel, self._channels[-1]

    @property
    def socket(self) -> socket.socket:
        """The display channel's."""
        return self.display_link.socket

    def drain(self) -> None:
        """Take what has arrived on any channel."""
        for channel in self._channels:
            channel.drain()

    def picture(self) -> bytes:
        """Bytes of the screen as it was drawn here; empty: there is none."""
        if isinstance(self.display, PaintedDisplay):
            words = self.display.painter.rgb()
            return b"" if words is None else words.tobytes()
        primary = self.display.primary
        return b"" if primary is None else bytes(primary.pixels)

    def wait_picture(self, pixels: bytes) -> None:
        """Wait until the screen shows *pixels*, rows of 32 bits; the top 8 are void."""
        wanted = _without_alpha(pixels)
        self.display_link.wait(lambda: _without_alpha(self.picture()) == wanted)

    def wait_size(self, width: int, height: int) -> None:
        """Wait until the screen has this size."""
        self.display_link.wait(lambda: len(self.picture()) == 4 * width * height)

    def wait_cursor(self, pixels: bytes) -> None:
        """Wait until the pointer's shape is *pixels*."""
        cursor = self.cursor
        self.cursor_link.wait(
            lambda: cursor.shape is not None and cursor.shape.data == pixels
        )

    def close(self) -> None:
        """Hang up."""
        for sock in reversed(self._sockets):
            with contextlib.suppress(OSError):
                sock.close()


def _without_alpha(pixels: bytes) -> bytes:
    words = bytearray(pixels)
    words[3::4] = bytes(len(words) // 4)
    return bytes(words)
