"""What can go wrong in a VDI port, and whose fault it is.

::

    VdiPortError
    ├── RingBrokenError    the guest's index makes no sense
    └── VdiWindowError     too little memory for a port (the transport's numbers)
"""

from __future__ import annotations

__all__ = ["RingBrokenError", "VdiPortError", "VdiWindowError"]


class VdiPortError(Exception):
    """A VDI port cannot do what it should."""


class RingBrokenError(VdiPortError):
    """A guest's index is further from ours than the ring is long."""


class VdiWindowError(VdiPortError):
    """The transport's memory cannot hold a port."""
