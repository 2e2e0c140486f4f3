"""A non-blocking stream socket on an asyncio loop that also carries fds.

asyncio's own streams drop file descriptors (SCM_RIGHTS) that come with the bytes.
"""

from __future__ import annotations

import array
import os
import socket
from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

__all__ = ["MessageSocket", "SocketHandler"]

_READ_SIZE = 1 << 14
"""Bytes of one turn of the loop: if each is an error of its own, 0.3 s are enough."""
_MAX_FDS = 253
"""SCM_MAX_FD: what the kernel lets one message carry, so none is cut off."""


class SocketHandler(Protocol):
    """What a ``MessageSocket`` tells its owner, from the event loop."""

    def received(self, data: bytes, fds: Sequence[int]) -> None:
        """Bytes came, and *fds* with them; the fds are the callee's."""

    def ended(self) -> None:
        """Take note that the peer sends no more."""

    def drained(self) -> None:
        """Everything sent is in the kernel."""

    def failed(self, error: OSError) -> None:
        """Take note that the connection broke; it is closed."""


class MessageSocket:
    """Owns a connected socket; bytes and fds go out in the order of ``send``."""

    def __init__(
        self,
        sock: socket.socket,
        loop: asyncio.AbstractEventLoop,
        handler: SocketHandler,
    ) -> None:
        """Take *sock* over and begin to read it."""
        sock.setblocking(False)  # noqa: FBT003 - positional only
        self._sock = sock
        self._loop = loop
        self._handler = handler
        self._out: deque[tuple[memoryview, Sequence[int]]] = deque()
        self._pending = 0
        self._reading = False
        self._writing = False
        self.closed = False
        self.resume_reading()

    @property
    def pending(self) -> int:
        """Bytes sent that the kernel has not taken yet."""
        return self._pending

    def send(self, data: bytes, fds: Sequence[int] = ()) -> None:
        """Send *data*, *fds* with its first byte; they are closed afterwards."""
        if self.closed:
            _close(fds)
            return
        self._out.append((memoryview(data), fds))
        self._pending += len(data)
        if not self._writing:
            self._flush()

    def pause_reading(self) -> None:
        """Leave what the peer sends in the kernel."""
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._sock)

    def resume_reading(self) -> None:
        """Read again."""
        if not self._reading and not self.closed:
            self._reading = True
            self._loop.add_reader(self._sock, self._readable)

    def close(self) -> None:
        """Close at once; what is pending is lost."""
        if self.closed:
            return
        self.pause_reading()
        if self._writing:
            self._loop.remove_writer(self._sock)
        self.closed = True
        for _data, fds in self._out:
            _close(fds)
        self._out.clear()
        self._pending = 0
        self._sock.close()

    def _readable(self) -> None:
        try:
            data, fds = _receive(self._sock)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._fail(error)
            return
        if data:
            self._handler.received(data, fds)
        else:
            self.pause_reading()
            self._handler.ended()

    def _flush(self) -> None:
        try:
            while self._out:
                self._send_first()
        except (BlockingIOError, InterruptedError):
            if not self._writing:
                self._writing = True
                self._loop.add_writer(self._sock, self._flush)
            return
        except OSError as error:
            self._fail(error)
            return
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._sock)
            self._handler.drained()

    def _send_first(self) -> None:
        data, fds = self._out[0]
        if fds:
            rights = array.array("i", fds).tobytes()
            control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)]
            sent = self._sock.sendmsg([data], control)
        else:
            sent = self._sock.send(data)
        _close(fds)
        self._pending -= sent
        if sent == len(data):
            self._out.popleft()
        else:
            self._out[0] = data[sent:], ()

    def _fail(self, error: OSError) -> None:
        self.close()
        self._handler.failed(error)


def _receive(sock: socket.socket) -> tuple[bytes, list[int]]:
    if sock.family != socket.AF_UNIX:
        return sock.recv(_READ_SIZE), []
    data, control, _flags, _address = sock.recvmsg(
        _READ_SIZE,
        socket.CMSG_SPACE(_MAX_FDS * array.array("i").itemsize),
        socket.MSG_CMSG_CLOEXEC,
    )
    fds = array.array("i")
    for level, type_, rights in control:
        if level == socket.SOL_SOCKET and type_ == socket.SCM_RIGHTS:
            fds.frombytes(rights[: len(rights) - len(rights) % fds.itemsize])
    return data, list(fds)


def _close(fds: Sequence[int]) -> None:
    for fd in fds:
        os.close(fd)
