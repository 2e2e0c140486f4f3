"""Connections that are closed once what was written to them is out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    import socket

    from vm_transport.chardev.outbox import Outbox

__all__ = ["LINGER_S", "LastWords"]

LINGER_S: Final = 5.0
"""How long QEMU may take to read them."""


class LastWords:
    """Lets an outbox become empty, then closes its socket."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, sock: socket.socket, outbox: Outbox
    ) -> None:
        """Take *sock*, which nobody reads any more, and its *outbox*."""
        self._sock = sock
        self._outbox = outbox
        self._limit = loop.call_later(LINGER_S, self.close)
        outbox.on_sent = self._sent
        self._sent()

    def _sent(self) -> None:
        if not self._outbox.pending:
            self.close()

    def close(self) -> None:
        """Close now; what is left is lost."""
        self._limit.cancel()
        if self._sock.fileno() >= 0:
            self._outbox.clear()
            self._sock.close()
