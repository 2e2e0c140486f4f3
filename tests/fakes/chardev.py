"""QEMU's side of a ``-chardev socket,server=on,wait=off``, and who serves a port."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class FakeChardev:
    """Listens as QEMU does: one connection at a time, others wait."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(1)
        self.listener.setblocking(False)
        self.sock: socket.socket | None = None
        self._loop = asyncio.get_running_loop()

    async def accept(self) -> None:
        """Take the next connection, and close the one before."""
        self.hang_up()
        self.sock, _ = await self._loop.sock_accept(self.listener)
        self.sock.setblocking(False)

    async def read(self, count: int) -> bytes:
        """Read exactly *count* bytes; fewer: the other side closed."""
        data = b""
        while len(data) < count:
            piece = await self._loop.sock_recv(self.sock, count - len(data))
            if not piece:
                break
            data += piece
        return data

    async def write(self, data: bytes) -> None:
        """Write all of *data*."""
        await self._loop.sock_sendall(self.sock, data)

    def hang_up(self) -> None:
        """Close the connection."""
        if self.sock is not None:
            self.sock.close()
            self.sock = None

    def close(self) -> None:
        """Close everything."""
        self.hang_up()
        self.listener.close()
        self.path.unlink(missing_ok=True)


class RecordingPortHandler:
    """Notes what it is told, in order; data is joined."""

    def __init__(self) -> None:
        self.calls: list[object] = []
        self._changed = asyncio.Event()

    def port_opened(self) -> None:
        self._note("opened")

    def port_closed(self) -> None:
        self._note("closed")

    def port_data(self, data: bytes) -> None:
        if self.calls and isinstance(self.calls[-1], bytes):
            data = self.calls.pop() + data
        self._note(data)

    def port_writable(self) -> None:
        self._note("writable")

    def _note(self, call: object) -> None:
        self.calls.append(call)
        self._changed.set()

    async def told(self, *calls: object) -> None:
        """Wait until it was told just *calls*, and forget them."""
        while len(self.calls) < len(calls) or (
            isinstance(calls[-1], bytes) and self.calls[-1] != calls[-1]
        ):
            self._changed.clear()
            await self._changed.wait()
        assert self.calls == list(calls)
        self.calls.clear()
