"""The VDI port's place in an ivshmem device: memory, doorbell, interrupt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vm_transport.eventfd import Doorbell

if TYPE_CHECKING:
    import asyncio

    from vm_transport.guest_memory import GuestMemory
    from vm_transport.ivshmem.layout import Window
    from vm_transport.vdi_transport import VdiTransportHandler

__all__ = ["IvshmemVdi"]


class IvshmemVdi:
    """The ``VdiTransport`` of the VM; lives on the ivshmem server's loop."""

    def __init__(self, memory: GuestMemory, window: Window) -> None:
        """Use *window* of *memory*."""
        self._guest_memory = memory
        self._window = window
        self.memory = memory.region(window.offset, window.size)
        self.doorbell = Doorbell()
        self.interrupt = Doorbell()
        self._handler: VdiTransportHandler | None = None

    @property
    def served(self) -> bool:
        """Whether there is a port: guests are offered it."""
        return self._handler is not None

    def start(
        self, loop: asyncio.AbstractEventLoop, handler: VdiTransportHandler
    ) -> None:
        """Serve the guest on *loop*, which is the ivshmem server's."""
        self._handler = handler
        self.doorbell.watch(loop, handler.notify)
        # A ring before the last server's end may have been lost with it.
        self.doorbell.ring()

    def stop(self) -> None:
        """Stop serving."""
        self.doorbell.unwatch()
        self._handler = None

    def raise_interrupt(self) -> None:
        """Interrupt the guest."""
        self.interrupt.ring()

    def reset(self) -> None:
        """Empty the memory and tell the port."""
        self._guest_memory.discard(self._window.offset, self._window.size)
        if self._handler is not None:
            self._handler.guest_reset()

    def close(self) -> None:
        """Close the doorbells; the port has been stopped."""
        self.doorbell.close()
        self.interrupt.close()
