"""Rings of ipc_ring.h in memory that the other side may write at any time.

The side that takes items is a :class:`Consumer`, the one that puts them there a
:class:`Producer`; each side only ever writes its own index and its own wish to be
notified.  The number of items is what the caller says, whatever the ring's memory says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

from spice_common._c import ffi, lib
from spice_common.borrowed import Borrowed
from spice_common.errors import LayoutError, RingBrokenError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _typeshed import WriteableBuffer

    from spice_common._native import CData

__all__ = ["Consumer", "Popped", "Producer", "Pushed", "Ring"]


class Popped(NamedTuple):
    """What :meth:`Consumer.pop` took."""

    items: list[bytes]
    notify: bool
    """The producer waits for room and asked to be told."""


class Pushed(NamedTuple):
    """What :meth:`Producer.push` did."""

    pushed: int
    """How many items found room."""
    notify: bool
    """The consumer waits for items and asked to be told."""


class Ring:
    """One ring; keeps its memory mapped as long as it lives."""

    def __init__(
        self, memory: WriteableBuffer, *, num_items: int, item_size: int
    ) -> None:
        """Describe a ring at the start of *memory* (4-byte aligned).

        Raises:
            LayoutError: *memory* cannot hold it, or *num_items* is no power of two.

        """
        self._memory = Borrowed(memory)
        self.cdata: CData = ffi.new("struct ring *")
        """``struct ring *``, for the other wrappers of this package."""
        self.num_items = num_items
        self.item_size = item_size
        status = lib.ring_attach(
            self.cdata,
            self._memory.pointer,
            self._memory.size,
            num_items,
            item_size,
        )
        if status:
            raise LayoutError(
                f"no ring of {num_items} items of {item_size} bytes fits"
                f" {self._memory.size} bytes"
            )

    @classmethod
    def size_of(cls, num_items: int, item_size: int) -> int:
        """Bytes of a ring, header included."""
        return lib.RING_HEADER_SIZE + num_items * item_size

    def reset(self) -> Self:
        """Empty the ring and write its header (``SPICE_RING_INIT``)."""
        lib.ring_reset(self.cdata)
        return self

    def length(self) -> int:
        """How many items wait in the ring.

        Raises:
            RingBrokenError: the indexes contradict the ring's length.

        """
        return checked(lib.ring_length(self.cdata))


class Consumer(Ring):
    """The side that takes items."""

    def pop(self, max_items: int) -> Popped:
        """Take up to *max_items* items at once (``SPICE_RING_POP``).

        Raises:
            RingBrokenError: the indexes contradict the ring's length.

        """
        max_items = min(max_items, self.num_items)
        items = ffi.new("uint8_t[]", max_items * self.item_size)
        notify = ffi.new("int32_t *")
        count = checked(lib.ring_pop(self.cdata, items, max_items, notify))
        taken = bytes(ffi.buffer(items, count * self.item_size))
        return Popped(
            [
                taken[start : start + self.item_size]
                for start in range(0, len(taken), self.item_size)
            ],
            bool(notify[0]),
        )

    def wait(self) -> bool:
        """Ask for a notification if the ring is empty (``SPICE_RING_CONS_WAIT``).

        Returns:
            True: the ring is empty, the next push will notify. False: take first.

        Raises:
            RingBrokenError: the indexes contradict the ring's length.

        """
        return bool(checked(lib.ring_cons_wait(self.cdata)))


class Producer(Ring):
    """The side that puts items into the ring."""

    def push(self, items: Sequence[bytes]) -> Pushed:
        """Put as many of *items* into the ring as fit (``SPICE_RING_PUSH``).

        Raises:
            LayoutError: an item is not of the ring's item size.
            RingBrokenError: the indexes contradict the ring's length.

        """
        if any(len(item) != self.item_size for item in items):
            raise LayoutError(f"items of this ring have {self.item_size} bytes")
        notify = ffi.new("int32_t *")
        data = ffi.from_buffer("uint8_t[]", b"".join(items))
        count = checked(lib.ring_push(self.cdata, data, len(items), notify))
        return Pushed(count, bool(notify[0]))

    def wait(self) -> bool:
        """Ask for a notification if the ring is full (``SPICE_RING_PROD_WAIT``).

        Returns:
            True: the ring is full, the next pop will notify. False: there is room.

        Raises:
            RingBrokenError: the indexes contradict the ring's length.

        """
        return bool(checked(lib.ring_prod_wait(self.cdata)))


def checked(status: int) -> int:
    """Return a count from the C core, or raise what a negative one means.

    Raises:
        RingBrokenError: it was ``RING_BROKEN``.

    """
    if status < 0:
        raise RingBrokenError("prod and cons are further apart than the ring is long")
    return status
