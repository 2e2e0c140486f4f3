"""Giving resources back to the guest: QXLReleaseRing and the chains behind its items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spice_common._c import ffi, lib
from spice_common.ipc_ring import Producer, checked

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from spice_common.command_batch import CommandBatch
    from spice_common.memslot import MemslotTable

__all__ = ["ReleaseRing"]


class ReleaseRing:
    """Chains released resources in guest memory and pushes a chain when it is long.

    Both rings of a display, command and cursor, give back through the same one.
    """

    def __init__(
        self, memory: WriteableBuffer, *, num_items: int = 8, bunch: int = 32
    ) -> None:
        """Use the QXLReleaseRing at the start of *memory*.

        A chain that a former owner left in the ring is pushed with the next one.

        Args:
            memory: writable, 4-byte aligned.
            num_items: ``QXL_RELEASE_RING_SIZE``.
            bunch: resources per push (QEMU takes 32); fewer means more interrupts,
                more means that the guest waits longer for its memory.

        Raises:
            LayoutError: *memory* cannot hold the ring.

        """
        self._ring = Producer(memory, num_items=num_items, item_size=8)
        self.bunch = bunch
        self.cdata: Any = ffi.new("struct release_queue *")
        """``struct release_queue *``, for the other wrappers of this package."""
        lib.release_queue_attach(self.cdata, self._ring.cdata)

    def reset(self) -> None:
        """Empty the ring and forget what was not pushed (``QXL_IO_RESET``)."""
        self._ring.reset()
        lib.release_queue_attach(self.cdata, self._ring.cdata)

    def release(self, batch: CommandBatch, slots: MemslotTable) -> bool:
        """Give back the resources of every command of *batch*.

        Returns:
            True: a chain was pushed that the guest asked to be told of: raise
            ``QXL_INTERRUPT_DISPLAY``.

        Raises:
            RingBrokenError: the guest broke the release ring; the resources stay
                chained.

        """
        result = lib.release_batch(self.cdata, slots.cdata, batch.cdata, self.bunch)
        return bool(checked(result) & lib.RELEASE_NOTIFY)

    def flush(self) -> bool:
        """Push what is chained, if the ring has room (OOM, ``QXL_IO_FLUSH_RELEASE``).

        What was pushed is the difference in :attr:`pending`. Call it before a memory
        slot is deleted: a chain whose end lay there can grow no more.

        Returns:
            True: raise ``QXL_INTERRUPT_DISPLAY``.

        Raises:
            RingBrokenError: the guest broke the release ring.

        """
        return bool(checked(lib.release_flush(self.cdata)) & lib.RELEASE_NOTIFY)

    @property
    def pending(self) -> int:
        """How many resources are chained but not pushed."""
        pending: int = self.cdata.pending
        return pending

    @property
    def lost(self) -> int:
        """How many resources could never be given back: their slot was gone, id 0."""
        lost: int = self.cdata.lost
        return lost
