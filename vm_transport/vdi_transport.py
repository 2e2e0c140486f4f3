"""What a VDI port needs of whatever connects it to a guest.

Everything here happens in the thread of the loop given to :meth:`VdiTransport.start`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio

    from vm_transport.guest_memory import MemoryRegion

__all__ = ["VdiTransport", "VdiTransportHandler"]


class VdiTransportHandler(Protocol):
    """The port, as its transport calls it; it does not raise."""

    def notify(self) -> None:
        """Look at the guest's words and rings."""

    def guest_reset(self) -> None:
        """Become as new: the machine was reset, or another guest is there.

        The memory reads as zero when this is called.
        """


class VdiTransport(Protocol):
    """One port's memory, doorbell in, interrupt out."""

    @property
    def memory(self) -> MemoryRegion:
        """Where VDIPortRam lies; at least as large."""

    def start(
        self, loop: asyncio.AbstractEventLoop, handler: VdiTransportHandler
    ) -> None:
        """Call *handler* from now on, and once soon after in any case."""

    def stop(self) -> None:
        """Stop calling the handler."""

    def raise_interrupt(self) -> None:
        """Interrupt the guest; interrupts may merge."""
