"""What a QXL display needs of whatever connects it to a guest.

A transport belongs to one display.  Everything here happens in the thread of the loop
given to :meth:`DeviceTransport.start`, except where a method says otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio

    from vm_transport.guest_memory import DisplayMemory

__all__ = ["DeviceTransport", "TransportHandler"]


class TransportHandler(Protocol):
    """The device, as its transport calls it: in the loop's thread, one at a time.

    A handler does not raise: whatever a guest does has a defined answer.
    """

    def notify(self) -> None:
        """Look at the command and cursor rings (QXL_IO_NOTIFY_CMD, _CURSOR)."""

    def io_write(self, port: int, value: int) -> bool:
        """Carry out an I/O request: QXL_IO_* *port* with a *value* of 32 bits.

        Both are what the guest wrote, unchecked.  The guest's call returns when this
        does, so an ``*_ASYNC`` port only starts its work here.  False: the port, the
        mode or the value was illegal and nothing was done.
        """

    def guest_reset(self) -> None:
        """Become as new: the machine was reset, or another guest is there.

        The rings are empty and ROM, RAM and VRAM read as zero when this is called,
        and the guest waits with its first look until it returns.
        """


class DeviceTransport(Protocol):
    """One display's memory, doorbells in, interrupts out."""

    @property
    def memory(self) -> DisplayMemory:
        """The display's memories, at the addresses that the guest knows them by."""

    @property
    def driver_bound(self) -> bool:
        """Whether a guest driver says it serves the display (any thread)."""

    def start(self, loop: asyncio.AbstractEventLoop, handler: TransportHandler) -> None:
        """Call *handler* for all the guest does from now on.

        Called in *loop*'s thread.  What the guest asked for earlier is served soon
        after, not before this returns.
        """

    def stop(self) -> None:
        """Stop calling the handler; requests wait until the next ``start``."""

    def raise_interrupt(self) -> None:
        """Interrupt the guest; any thread.

        The caller has set ``int_pending`` (an atomic OR) and looked at ``int_mask``
        before.  Interrupts may merge; with no guest connected this does nothing.
        """
