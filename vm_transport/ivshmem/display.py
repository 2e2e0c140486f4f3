"""One display of an ivshmem device: its memory, its doorbells, its interrupt."""

from __future__ import annotations

import concurrent.futures
import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from vm_transport.eventfd import Doorbell
from vm_transport.guest_memory import DisplayMemory
from vm_transport.ivshmem.io_ring import IoRing

if TYPE_CHECKING:
    import asyncio

    from vm_transport.guest_memory import GuestMemory, MemoryRegion
    from vm_transport.ivshmem.layout import DisplayPlace, Window
    from vm_transport.ivshmem.shared_header import SharedHeader
    from vm_transport.transport import TransportHandler

__all__ = ["IvshmemDisplay"]

TELL_INTERVAL: Final = 1.0
"""Seconds between lines that say whether a driver is there."""

_logger = logging.getLogger(__name__)


class IvshmemDisplay:
    """The ``DeviceTransport`` of display number *id*.

    It is started in the thread of its worker while the server lives in the main
    thread; the lock orders ``start`` and ``stop`` against a reset from there.
    """

    def __init__(
        self,
        display_id: int,
        memory: GuestMemory,
        place: DisplayPlace,
        header: SharedHeader,
    ) -> None:
        """Use *place* of *memory*; *header* tells whether a driver is there."""
        self.id = display_id
        self._guest_memory = memory
        self._place = place
        self._header = header
        self.memory = DisplayMemory(
            rom=_region(memory, place.rom),
            ram=_region(memory, place.ram),
            vram=_region(memory, place.vram),
        )
        self._io_ring = IoRing(_region(memory, place.io))
        self.notify_doorbell = Doorbell()
        self.io_doorbell = Doorbell()
        self.interrupt = Doorbell()
        self._was_bound = False
        self._tell_again_at = 0.0
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._handler: TransportHandler | None = None

    @property
    def driver_bound(self) -> bool:
        """Whether the guest's driver says it serves the device."""
        return self._header.driver_bound

    def start(self, loop: asyncio.AbstractEventLoop, handler: TransportHandler) -> None:
        """Serve the guest on *loop*, from what it asked for before now on."""
        with self._lock:
            self._loop = loop
            self._handler = handler
            self.notify_doorbell.watch(loop, handler.notify)
            self.io_doorbell.watch(loop, self._serve_io)
            # A ring before the last server's end may have been lost with it.
            self.notify_doorbell.ring()
            self.io_doorbell.ring()

    def stop(self) -> None:
        """Stop serving; called in the loop's thread."""
        with self._lock:
            self.notify_doorbell.unwatch()
            self.io_doorbell.unwatch()
            self._loop = None
            self._handler = None

    def raise_interrupt(self) -> None:
        """Interrupt the guest; any thread."""
        self.interrupt.ring()

    def reset(self) -> concurrent.futures.Future[None]:
        """Empty the memory and tell the device; done when the future is.  Any thread.

        On the device's own loop, so that it never sees memory vanish under a command.
        """
        future: concurrent.futures.Future[None] = concurrent.futures.Future()
        with self._lock:
            if self._loop is None or self._loop.is_closed():
                self._clear_memory()
                future.set_result(None)
            else:
                self._loop.call_soon_threadsafe(self._reset_device, future)
        return future

    def close(self) -> None:
        """Close the doorbells; the display has been stopped."""
        for doorbell in (self.notify_doorbell, self.io_doorbell, self.interrupt):
            doorbell.close()

    def _serve_io(self) -> None:
        handler = self._handler
        assert handler is not None
        self._tell_driver()
        more = True
        try:
            more = self._io_ring.serve(handler.io_write)
        finally:
            if more:
                # Others on this loop come first; a guest cannot keep it to itself.
                self.io_doorbell.ring()

    def _tell_driver(self) -> None:
        """Log that the driver came or went, but not as often as a guest can say so."""
        bound = self._header.driver_bound
        if bound == self._was_bound or time.monotonic() < self._tell_again_at:
            return
        self._was_bound = bound
        self._tell_again_at = time.monotonic() + TELL_INTERVAL
        _logger.info(
            "display %d: guest driver %s", self.id, "bound" if bound else "gone"
        )

    def _reset_device(self, done: concurrent.futures.Future[None]) -> None:
        if not done.set_running_or_notify_cancel():
            return
        try:
            self._clear_memory()
            if self._handler is not None:
                self._handler.guest_reset()
        finally:
            done.set_result(None)

    def _clear_memory(self) -> None:
        place = self._place
        for window in (place.rom, place.ram, place.vram, place.io):
            self._guest_memory.discard(window.offset, window.size)
        self._io_ring.reset()


def _region(memory: GuestMemory, window: Window) -> MemoryRegion:
    return memory.region(window.offset, window.size)
