"""Bytes that wait until a non-blocking socket takes them."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Callable

__all__ = ["Outbox"]

_log = logging.getLogger(__name__)


class Outbox:
    """What is to be written to one socket, in order; unbounded: look at ``pending``."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        on_sent: Callable[[], None],
    ) -> None:
        """Write to *sock*; *on_sent* is called from the loop when some of it went."""
        self.on_sent = on_sent
        self.pending = 0
        """Bytes that the kernel has not taken yet."""
        self._loop = loop
        self._sock = sock
        self._out: deque[memoryview] = deque()

    def put(self, data: bytes) -> None:
        """Write *data*, at once if nothing waits."""
        if not data:
            return
        idle = not self.pending
        self._out.append(memoryview(data))
        self.pending += len(data)
        if idle:
            self._flush()

    def clear(self) -> None:
        """Forget what waits, and the socket until there is more."""
        self._out.clear()
        self.pending = 0
        self._loop.remove_writer(self._sock)

    def _flush(self) -> None:
        try:
            while self._out:
                sent = self._sock.send(self._out[0])
                self.pending -= sent
                if sent < len(self._out[0]):
                    self._out[0] = self._out[0][sent:]
                else:
                    self._out.popleft()
        except BlockingIOError:
            self._loop.add_writer(self._sock, self._writable)
            return
        except OSError as error:
            # Never from within the caller; reading meets the same error.
            _log.debug("writing to QEMU: %s", error)
        self.clear()

    def _writable(self) -> None:
        self._flush()
        self.on_sent()
