"""The null transport of a VDI port: guest and port in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spice_protocol.vdi_dev import VDIPortRam
from vm_transport.guest_memory import MemoryRegion

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from vm_transport.vdi_transport import VdiTransportHandler

__all__ = ["InProcessVdi"]


class InProcessVdi:
    """A ``VdiTransport`` and, with the methods named ``guest_*``, its guest."""

    def __init__(self) -> None:
        """Create zeroed memory."""
        self._bytes = bytearray(VDIPortRam.SIZE)
        self.memory = MemoryRegion(memoryview(self._bytes), 0)
        self._handler: VdiTransportHandler | None = None
        self._on_interrupt: Callable[[], None] | None = None
        self._looking = False
        self._rung = False
        self.interrupts = 0
        """How many were raised."""

    # ---- VdiTransport

    def start(
        self, loop: asyncio.AbstractEventLoop, handler: VdiTransportHandler
    ) -> None:
        """Call *handler* from now on."""
        self._handler = handler
        loop.call_soon(self.guest_notify)

    def stop(self) -> None:
        """Stop calling the handler."""
        self._handler = None

    def raise_interrupt(self) -> None:
        """Interrupt the guest."""
        self.interrupts += 1
        if self._on_interrupt is not None:
            self._on_interrupt()

    # ---- the guest

    def guest_notify(self) -> None:
        """Ring the doorbell; the port has looked when this returns.

        Rung by what the port calls while it looks, it looks once more afterwards.
        """
        self._rung = True
        if self._looking:
            return
        self._looking = True
        while self._rung and self._handler is not None:
            self._rung = False
            self._handler.notify()
        self._looking = False

    def guest_on_interrupt(self, callback: Callable[[], None] | None) -> None:
        """Call *callback* at every interrupt."""
        self._on_interrupt = callback

    def guest_reset(self) -> None:
        """Reset the machine."""
        self.memory.view[:] = bytes(len(self.memory.view))
        if self._handler is not None:
            self._handler.guest_reset()
