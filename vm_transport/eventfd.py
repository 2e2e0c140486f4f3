"""Doorbells: eventfds that a guest, QEMU or another thread rings."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

__all__ = ["Doorbell"]


class Doorbell:
    """An eventfd.  Rings merge: how often it was rung means nothing."""

    __slots__ = ("_fd", "_loop")

    def __init__(self) -> None:
        self._fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._loop: asyncio.AbstractEventLoop | None = None

    def fileno(self) -> int:
        """Return the descriptor, to be handed to QEMU."""
        return self._fd

    def ring(self) -> None:
        """Ring; any thread, never blocks."""
        # Full means that 2**64 - 2 rings wait to be seen: it is rung already.
        with contextlib.suppress(BlockingIOError):
            os.eventfd_write(self._fd, 1)

    def drain(self) -> bool:
        """Make it silent; whether it had been rung."""
        try:
            os.eventfd_read(self._fd)
        except BlockingIOError:
            return False
        return True

    def watch(
        self, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]
    ) -> None:
        """Call *callback* in *loop*'s thread, where this is called, when it is rung."""
        self.unwatch()

        def on_readable() -> None:
            if self.drain():
                callback()

        self._loop = loop
        loop.add_reader(self._fd, on_readable)

    def unwatch(self) -> None:
        """Stop calling back; rings are kept for the next who watches."""
        if self._loop is not None:
            self._loop.remove_reader(self._fd)
            self._loop = None

    def close(self) -> None:
        """Close the descriptor; nobody may use the doorbell any more."""
        self.unwatch()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
