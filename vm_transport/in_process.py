"""The null transport: guest and device in one process (tests, examples, template)."""

from __future__ import annotations

import concurrent.futures
import threading
from typing import TYPE_CHECKING, Final

from vm_transport.guest_memory import DisplayMemory, GuestMemory, MemoryRegion

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from vm_transport.transport import TransportHandler

__all__ = ["InProcessTransport"]

MIB: Final = 1 << 20
ROM_SIZE: Final = 64 << 10
_RAM_ADDRESS: Final = MIB
"""Not where RAM lies in its own memory: who confuses the two is found out."""


class InProcessTransport:
    """A ``DeviceTransport`` and, with the methods named ``guest_*``, its guest.

    The guest may live in any thread.  In the device's own thread its calls go straight
    to the device; elsewhere they wait for the device's loop, as OUT does in a vCPU.
    """

    def __init__(self, *, ram_size: int = 16 * MIB, vram_size: int = 4 * MIB) -> None:
        """Create memory of the given sizes in bytes, whole pages."""
        self._guest_memory = GuestMemory.create(
            ROM_SIZE + ram_size + vram_size, "qxld-in-process"
        )
        ram_offset, vram_offset = ROM_SIZE, ROM_SIZE + ram_size
        ram = self._guest_memory.region(ram_offset, ram_size)
        vram = self._guest_memory.region(vram_offset, vram_size)
        self.memory = DisplayMemory(
            rom=self._guest_memory.region(0, ROM_SIZE),
            ram=MemoryRegion(ram.view, _RAM_ADDRESS),
            vram=MemoryRegion(vram.view, _RAM_ADDRESS + ram_size),
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._handler: TransportHandler | None = None
        self._thread = 0
        self._interrupt = threading.Event()
        self._on_interrupt: Callable[[], None] | None = None
        self._driver_bound = False
        self._notified = False

    # ---- DeviceTransport

    @property
    def driver_bound(self) -> bool:
        """What the guest last said with ``guest_bind``."""
        return self._driver_bound

    def start(self, loop: asyncio.AbstractEventLoop, handler: TransportHandler) -> None:
        """Call *handler* from now on; a doorbell that nobody heard is rung again."""
        self._loop = loop
        self._handler = handler
        self._thread = threading.get_ident()
        if self._notified:
            loop.call_soon(self._notify)

    def stop(self) -> None:
        """Stop calling the handler."""
        self._loop = None
        self._handler = None
        self._thread = 0

    def raise_interrupt(self) -> None:
        """Interrupt the guest; any thread."""
        self._interrupt.set()
        if self._on_interrupt is not None:
            self._on_interrupt()

    # ---- the guest

    def guest_bind(self, *, bound: bool) -> None:
        """Say whether a driver serves the display."""
        self._driver_bound = bound

    def guest_notify(self) -> None:
        """Ring the doorbell of the command and cursor rings."""
        loop = self._loop
        self._notified = True
        if self._thread == threading.get_ident():
            self._notify()
        elif loop is not None:
            loop.call_soon_threadsafe(self._notify)

    def guest_io_write(self, port: int, value: int) -> bool:
        """Write to an I/O port and wait for it; whether it was legal.

        Raises:
            ConnectionError: no device is there.

        """
        loop, handler = self._loop, self._handler
        if loop is None or handler is None:
            raise ConnectionError("no device serves this transport")
        if self._thread == threading.get_ident():
            return handler.io_write(port, value)
        result: concurrent.futures.Future[bool] = concurrent.futures.Future()

        def carry_out() -> None:
            try:
                result.set_result(handler.io_write(port, value))
            except Exception as error:  # noqa: BLE001 - the waiting guest gets it
                result.set_exception(error)

        loop.call_soon_threadsafe(carry_out)
        return result.result()

    def guest_reset(self) -> None:
        """Reset the machine; the device's thread only."""
        self._driver_bound = False
        self._interrupt.clear()
        self._guest_memory.discard(0, self._guest_memory.size)
        if self._handler is not None:
            self._handler.guest_reset()

    def guest_on_interrupt(self, callback: Callable[[], None] | None) -> None:
        """Call *callback*, in the device's thread, at every interrupt."""
        self._on_interrupt = callback

    def guest_wait_interrupt(self, timeout: float | None = None) -> bool:
        """Wait for an interrupt since the last call; False: *timeout* s went by."""
        happened = self._interrupt.wait(timeout)
        self._interrupt.clear()
        return happened

    def close(self) -> None:
        """Let go of the memory."""
        self.stop()
        self._guest_memory.close()

    def _notify(self) -> None:
        if self._handler is not None:
            self._notified = False
            self._handler.notify()
