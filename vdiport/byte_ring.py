"""Either end of a VDIPortRing, in memory that the other end may write at any time.

Each end keeps its own index here and only publishes it: what the other side does to the
copy in shared memory changes nothing.  Whoever stores an index or a wish for a
notification does so with a full barrier before it looks at the other side's words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from spice_common.atomics import AtomicU32
from spice_protocol.vdi_dev import VDI_PORT_RING_SIZE, VDIPortRing
from vdiport.errors import RingBrokenError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["ByteConsumer", "ByteProducer", "Taken", "Written", "reset_ring"]

_MASK: Final = 0xFFFFFFFF
_ITEMS: Final = VDIPortRing.offset("items")


class Taken(NamedTuple):
    """What :meth:`ByteConsumer.take` took."""

    data: bytes
    notify: bool
    """The producer waits for room and asked to be told."""


class Written(NamedTuple):
    """What :meth:`ByteProducer.write` did."""

    size: int
    """How many bytes found room."""
    notify: bool
    """The consumer waits for bytes and asked to be told."""


def reset_ring(memory: memoryview) -> None:
    """Make the ring at the start of *memory* empty (``SPICE_RING_INIT``)."""
    for field in ("prod", "cons", "notify_on_cons"):
        AtomicU32(memory, VDIPortRing.offset(field)).store(0)
    AtomicU32(memory, VDIPortRing.offset("notify_on_prod")).store(1)
    AtomicU32(memory, VDIPortRing.offset("num_items")).store(VDI_PORT_RING_SIZE)


class ByteConsumer:
    """The end that takes bytes."""

    def __init__(self, memory: memoryview) -> None:
        """Use the ring at the start of *memory*, which is empty."""
        self._items = memory[_ITEMS : _ITEMS + VDI_PORT_RING_SIZE]
        self._prod = AtomicU32(memory, VDIPortRing.offset("prod"))
        self._shared_cons = AtomicU32(memory, VDIPortRing.offset("cons"))
        self._notify_on_prod = AtomicU32(memory, VDIPortRing.offset("notify_on_prod"))
        self._notify_on_cons = AtomicU32(memory, VDIPortRing.offset("notify_on_cons"))
        self._cons = 0

    def restart(self) -> None:
        """Begin with a ring that was reset."""
        self._cons = 0

    def take(self, limit: int = VDI_PORT_RING_SIZE) -> Taken:
        """Take up to *limit* bytes.

        Raises:
            RingBrokenError: the producer's index makes no sense.

        """
        count = (self._prod.load() - self._cons) & _MASK
        if count > VDI_PORT_RING_SIZE:
            raise RingBrokenError(f"{count} bytes in a ring of {VDI_PORT_RING_SIZE}")
        count = min(count, limit)
        if not count:
            return Taken(b"", notify=False)
        start = self._cons % VDI_PORT_RING_SIZE
        data = bytes(self._items[start : start + count])
        if len(data) < count:
            data += self._items[: count - len(data)]
        self._cons = (self._cons + count) & _MASK
        self._shared_cons.store(self._cons)
        passed = (self._cons - self._notify_on_cons.load()) & _MASK
        return Taken(data, passed < count)

    def wait(self) -> bool:
        """Ask to be notified of the next byte; False: there is one already."""
        self._notify_on_prod.store((self._cons + 1) & _MASK)
        return self._prod.load() == self._cons


class ByteProducer:
    """The end that writes bytes."""

    def __init__(self, memory: memoryview) -> None:
        """Use the ring at the start of *memory*, which is empty."""
        self._items = memory[_ITEMS : _ITEMS + VDI_PORT_RING_SIZE]
        self._cons = AtomicU32(memory, VDIPortRing.offset("cons"))
        self._shared_prod = AtomicU32(memory, VDIPortRing.offset("prod"))
        self._notify_on_prod = AtomicU32(memory, VDIPortRing.offset("notify_on_prod"))
        self._notify_on_cons = AtomicU32(memory, VDIPortRing.offset("notify_on_cons"))
        self._prod = 0

    def restart(self) -> None:
        """Begin with a ring that was reset."""
        self._prod = 0

    def write(self, data: ReadableBuffer) -> Written:
        """Write as much of the start of *data* (bytes, contiguous) as there is room.

        Raises:
            RingBrokenError: the consumer's index makes no sense.

        """
        view = memoryview(data)
        count = min(len(view), VDI_PORT_RING_SIZE - self._used())
        if not count:
            return Written(0, notify=False)
        start = self._prod % VDI_PORT_RING_SIZE
        first = min(count, VDI_PORT_RING_SIZE - start)
        self._items[start : start + first] = view[:first]
        if first < count:
            self._items[: count - first] = view[first:count]
        self._prod = (self._prod + count) & _MASK
        self._shared_prod.store(self._prod)
        passed = (self._prod - self._notify_on_prod.load()) & _MASK
        return Written(count, passed < count)

    def wait(self) -> bool:
        """Ask to be notified when half the ring is free; False: it is already.

        Raises:
            RingBrokenError: the consumer's index makes no sense.

        """
        half = VDI_PORT_RING_SIZE // 2
        self._notify_on_cons.store((self._prod - half) & _MASK)
        return self._used() > half

    def _used(self) -> int:
        used = (self._prod - self._cons.load()) & _MASK
        if used > VDI_PORT_RING_SIZE:
            raise RingBrokenError(f"{used} bytes in a ring of {VDI_PORT_RING_SIZE}")
        return used
