"""What can go wrong in the C core, by whose fault it is.

::

    CoreError
    ├── GuestError            the guest broke a rule of qxl_dev.h or ipc_ring.h
    │   ├── RingBrokenError   a ring's indexes are further apart than the ring is long
    │   ├── BadAddressError   a QXLPHYSICAL that leads nowhere
    │   └── SurfaceError      a surface that cannot be, or is not there
    └── LayoutError           we described memory that cannot be what we say it is

Bad commands are no exceptions: they are dropped, and counted in their batch.
"""

from __future__ import annotations

__all__ = [
    "BadAddressError",
    "CoreError",
    "GuestError",
    "LayoutError",
    "RingBrokenError",
    "SurfaceError",
]


class CoreError(Exception):
    """Base of everything the C core's wrappers raise."""


class GuestError(CoreError):
    """The guest broke a rule."""


class RingBrokenError(GuestError):
    """The producer's and the consumer's index contradict the ring's length."""


class BadAddressError(GuestError):
    """A QXLPHYSICAL names no active slot, an old generation, or too few bytes."""


class SurfaceError(GuestError):
    """A surface's id, format or size is not possible, or its memory too small."""


class LayoutError(CoreError):
    """Size, alignment or number does not fit what memory is said to hold."""
