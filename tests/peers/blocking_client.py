"""A SPICE client on blocking sockets, for one thread that does one thing after another.

The protocol is spice_client's; only the sockets differ.
"""

from __future__ import annotations

import contextlib
import select
import socket
import time
from typing import TYPE_CHECKING, Self, TypeVar

from spice_client.cursor import CursorChannel
from spice_client.display import DisplayChannel
from spice_client.inputs import InputsChannel
from spice_client.link import Link, LinkRequest
from spice_client.main import MainChannel

if TYPE_CHECKING:
    from collections.abc import Callable

    from spice_client.channel import Channel

__all__ = ["BlockingChannel", "BlockingClient", "dial"]

PATIENCE = 120.0
"""Seconds that end a hang."""
READ_SIZE = 1 << 20

C = TypeVar("C", bound="Channel")


def dial(port: int) -> socket.socket:
    """Connect to a port of this host."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


class BlockingChannel:
    """One linked channel and its socket."""

    def __init__(self, sock: socket.socket, channel: Channel, rest: bytes) -> None:
        self.socket = sock
        self.channel = channel
        if isinstance(channel, DisplayChannel):
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


class BlockingClient:
    """A session with all four channels; a context manager."""

    def __init__(self, port: int, password: str = "") -> None:
        self._port = port
        self._password = password
        self._channels: list[BlockingChannel] = []
        self.main, self._main = self._open(MainChannel)
        self._main.wait(lambda: self.main.channels is not None)
        self.display, self.display_link = self._open(DisplayChannel)
        self.inputs, self.inputs_link = self._open(InputsChannel)
        self.cursor, self._cursor = self._open(CursorChannel)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, cls: type[C]) -> tuple[C, BlockingChannel]:
        session = self._channels[0].channel.session if self._channels else None  # type: ignore[attr-defined]
        link = Link(
            LinkRequest(
                cls.TYPE,
                0,
                session.session_id if session else 0,
                cls.CAPABILITIES,
                password=self._password,
            )
        )
        sock = dial(self._port)
        rest = b""
        while link.result is None:
            sock.sendall(link.data_to_send())
            data = sock.recv(READ_SIZE)
            assert data, f"no link to {link.request.name}"
            rest = link.receive_data(data)
        channel = cls(link.result)
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
        primary = self.display.primary
        return b"" if primary is None else bytes(primary.pixels)

    def wait_picture(self, pixels: bytes) -> None:
        """Wait until the screen shows *pixels*, rows of 32 bits; the top 8 are void."""
        wanted = _without_alpha(pixels)
        self.display_link.wait(lambda: _without_alpha(self.picture()) == wanted)

    def close(self) -> None:
        """Hang up."""
        for channel in reversed(self._channels):
            with contextlib.suppress(OSError):
                channel.socket.close()


def _without_alpha(pixels: bytes) -> bytes:
    words = bytearray(pixels)
    words[3::4] = bytes(len(words) // 4)
    return bytes(words)
