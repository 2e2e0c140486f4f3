"""What can go wrong on the way to a VM, and whose fault it is.

::

    TransportError
    ├── MemoryRangeError    a range outside its memory (guest's or caller's numbers)
    ├── LayoutError         sizes that cannot be laid out (the operator's numbers)
    ├── PeerError           QEMU, or who claims to be it, broke the protocol
    └── AttachError         QEMU refused, or was not in the state, to attach (operator)
"""

from __future__ import annotations

__all__ = [
    "AttachError",
    "LayoutError",
    "MemoryRangeError",
    "PeerError",
    "TransportError",
]


class TransportError(Exception):
    """A VM cannot be reached as asked."""


class MemoryRangeError(TransportError):
    """A range does not lie inside the memory it was asked of."""


class LayoutError(TransportError):
    """The sizes the operator asked for cannot be laid out in one BAR."""


class PeerError(TransportError):
    """The process at the other end of a unix socket broke the protocol."""


class AttachError(TransportError):
    """A device could not be plugged into, or out of, a running QEMU."""
