"""Connections that are closed once what was written to them is out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections import deque

__all__ = ["LINGER_S", "LastWords"]

LINGER_S: Final = 5.0
"""How long QEMU may take to read them."""


class LastWords:
    """Gives what is left to QEMU, then closes the socket."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        out: deque[memoryview],
    ) -> None:
        """Take *sock*, which nobody watches any more, and what waits for it."""
        self._loop = loop
        self._sock = sock
        self._out = out
        loop.add_writer(sock, self._writable)
        self._limit = loop.call_later(LINGER_S, self.close)

    def _writable(self) -> None:
        try:
            while self._out:
                sent = self._sock.send(self._out[0])
                self._out[0] = self._out[0][sent:]
                if not self._out[0]:
                    self._out.popleft()
        except BlockingIOError:
            return
        except OSError:
            self._out.clear()  # QEMU is gone
        self.close()

    def close(self) -> None:
        """Close now; what is left is lost."""
        self._limit.cancel()
        if self._sock.fileno() >= 0:
            self._loop.remove_writer(self._sock)
            self._sock.close()
