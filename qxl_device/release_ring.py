"""The ring through which the guest gets the memory of finished commands back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spice_common import release_ring
from spice_common.errors import RingBrokenError
from spice_common.ipc_ring import Ring
from spice_protocol.qxl_dev import QXL_RELEASE_RING_SIZE, QxlInterrupt

if TYPE_CHECKING:
    from qxl_device.guest_bug import GuestBugLatch
    from qxl_device.interrupts import Interrupts
    from qxl_device.memslot import Memslots
    from qxl_device.ram import Ram
    from spice_common.command_batch import CommandBatch

__all__ = ["RELEASE_BUNCH", "ReleaseRing"]

RELEASE_BUNCH = 32
"""Resources per push, as in QEMU: one interrupt for them all."""


class ReleaseRing:
    """Chains resources in guest memory and pushes the chains; tells the guest."""

    def __init__(
        self,
        ram: Ram,
        memslots: Memslots,
        interrupts: Interrupts,
        bug: GuestBugLatch,
    ) -> None:
        """Push into *ram*'s release_ring."""
        memory = ram.ring_memory("release_ring")
        self.queue = release_ring.ReleaseRing(
            memory, num_items=QXL_RELEASE_RING_SIZE, bunch=RELEASE_BUNCH
        )
        """For the C core's cursor reader, which releases by itself."""
        self._ring = Ring(memory, num_items=QXL_RELEASE_RING_SIZE, item_size=8)
        self._slots = memslots.table
        self._interrupts = interrupts
        self._bug = bug

    def reset(self) -> None:
        """Empty the ring; what was not pushed belongs to a driver that is gone."""
        self.queue.reset()

    def release(self, batch: CommandBatch) -> None:
        """Give the resources of every command in *batch* back, in bunches."""
        try:
            notify = self.queue.release(batch, self._slots)
        except RingBrokenError as error:
            self._report(error)
            return
        if notify:
            self._interrupts.send(QxlInterrupt.DISPLAY)

    def flush(self) -> int:
        """Push what is held back, if the ring has room; how many resources."""
        before = self.queue.pending
        try:
            notify = self.queue.flush()
        except RingBrokenError as error:
            self._report(error)
            return 0
        if notify:
            self._interrupts.send(QxlInterrupt.DISPLAY)
        return before - self.queue.pending

    def has_unread(self) -> bool:
        """Whether the guest has yet to take what was pushed."""
        try:
            return self._ring.length() > 0
        except RingBrokenError as error:
            self._report(error)
            return True

    def _report(self, error: RingBrokenError) -> None:
        # Releasing goes on while the latch is set; once is enough to tell.
        if not self._bug.is_set:
            self._bug.set("release_ring", str(error))
