"""The device's end of an I/O request ring (qxl_ivshmem.h says how it works)."""

from __future__ import annotations

import logging
import struct
import time
from typing import TYPE_CHECKING, Final

from spice_common.atomics import AtomicU32
from vm_transport.ivshmem.header import (
    IO_ENTRIES,
    IoStatus,
    QxlIvshmemIoEntry,
    QxlIvshmemIoRing,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from vm_transport.guest_memory import MemoryRegion

__all__ = ["IoRing"]

_logger = logging.getLogger(__name__)

TURN_TIME: Final = 0.005
"""Seconds after which others on the loop get their turn.  A request that waits for
drawing may take long, and a guest with many processors may have 64 of them."""

_COUNTER_MASK: Final = 0xFFFFFFFF
_ENTRIES: Final = QxlIvshmemIoRing.offset("entries")
_STATUS: Final = QxlIvshmemIoEntry.offset("status")
_PORT_AND_VALUE: Final = struct.Struct("<II")
_U32: Final = struct.Struct("<I")


class IoRing:
    """Takes a guest's I/O requests in order.

    ``done`` is kept here too: the copy in shared memory is for the guest to read, and
    what the guest does to it changes nothing.
    """

    def __init__(
        self, region: MemoryRegion, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Go on where the counters in *region* stand; *clock* tells seconds."""
        self._memory = region.view
        self._clock = clock
        self._prod = AtomicU32(region.view, QxlIvshmemIoRing.offset("prod"))
        self._shared_done = AtomicU32(region.view, QxlIvshmemIoRing.offset("done"))
        self._done = self._shared_done.load()
        self.times_broken = 0
        """How often the guest's counter made no sense."""

    def reset(self) -> None:
        """Forget all requests; both counters are 0 afterwards."""
        self._done = 0
        self._prod.store(0)
        self._shared_done.store(0)

    def serve(self, execute: Callable[[int, int], bool]) -> bool:
        """Carry out what is waiting, for ``TURN_TIME`` at most; whether more waits.

        False: the guest rings for what it asks next.

        *execute* gets port and value as the guest wrote them and returns whether they
        were legal.  Should it raise, its request counts as done and illegal.
        """
        waiting = (self._prod.load() - self._done) & _COUNTER_MASK
        if waiting > IO_ENTRIES:
            self._heal(waiting)
            return False
        end = self._clock() + TURN_TIME
        for _ in range(waiting):
            self._serve_one(execute)
            if self._clock() >= end:
                break
        return self._prod.load() != self._done

    def _serve_one(self, execute: Callable[[int, int], bool]) -> None:
        index = self._done % IO_ENTRIES
        entry = _ENTRIES + index * QxlIvshmemIoEntry.SIZE
        port, value = _PORT_AND_VALUE.unpack_from(self._memory, entry)
        status = IoStatus.EINVAL
        try:
            if execute(port, value):
                status = IoStatus.OK
        finally:
            _U32.pack_into(self._memory, entry + _STATUS, status)
            self._done = (self._done + 1) & _COUNTER_MASK
            self._shared_done.store(self._done)

    def _heal(self, waiting: int) -> None:
        """Drop everything: nobody can tell which entries are meant."""
        self.times_broken += 1
        # A guest can do this for ever; a line per doubling is what the log can bear.
        if self.times_broken & (self.times_broken - 1) == 0:
            _logger.warning(
                "I/O ring: prod is %d ahead of done, %d entries exist; "
                "requests dropped (time %d)",
                waiting,
                IO_ENTRIES,
                self.times_broken,
            )
        self._done = self._prod.load()
        self._shared_done.store(self._done)
