"""Arithmetic of the rings that guest and device share (spice/ipc_ring.h).

A ring is a header of five words and a power of two of slots.  ``prod`` and ``cons``
run freely over 32 bits and are masked only to find a slot.  Who stores an index puts
a full barrier between that store and its look at the peer's ``notify_on_*`` word;
barriers are :mod:`spice_common.ipc_ring`'s business, this module only computes.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RING_HEADER_SIZE", "RingLayout", "power2_align", "ring_count"]

RING_HEADER_SIZE = 20
"""Bytes of num_items, prod, notify_on_prod, cons and notify_on_cons."""

NUM_ITEMS_OFFSET = 0
PROD_OFFSET = 4
NOTIFY_ON_PROD_OFFSET = 8
CONS_OFFSET = 12
NOTIFY_ON_CONS_OFFSET = 16


def power2_align(value: int) -> int:
    """Return the smallest power of two that is at least *value*."""
    return 1 << (value - 1).bit_length()


def ring_count(prod: int, cons: int) -> int:
    """Return how many items lie between two free-running 32-bit indices.

    More than the ring's size means that a peer broke the ring.
    """
    return (prod - cons) & 0xFFFFFFFF


@dataclass(slots=True, frozen=True)
class RingLayout:
    """Where everything of a ring lies (``SPICE_RING_DECLARE``)."""

    element_size: int
    """Bytes of one element; a slot is the next power of two."""
    size: int
    """Slots asked for; the ring has the next power of two."""

    @property
    def num_items(self) -> int:
        """Slots of the ring."""
        return power2_align(self.size)

    @property
    def item_stride(self) -> int:
        """Bytes from one slot to the next."""
        return power2_align(self.element_size)

    @property
    def index_mask(self) -> int:
        """What turns a free-running index into a slot number."""
        return self.num_items - 1

    @property
    def total_size(self) -> int:
        """Bytes of header and slots."""
        return RING_HEADER_SIZE + self.num_items * self.item_stride

    def item_offset(self, index: int) -> int:
        """Return the offset of the slot that free-running *index* means."""
        return RING_HEADER_SIZE + (index & self.index_mask) * self.item_stride

    def is_empty(self, prod: int, cons: int) -> bool:
        """Whether there is nothing to pop."""
        return prod == cons

    def is_full(self, prod: int, cons: int) -> bool:
        """Whether there is no room to push."""
        return ring_count(prod, cons) == self.num_items
