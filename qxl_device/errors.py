"""What can go wrong in a QXL device, and whose fault it is.

::

    QXLDeviceError
    ├── GuestError     the guest asked for what cannot be done; refused, counted
    │   └── GuestBug   so wrong that, as in QEMU, nothing is served until QXL_IO_RESET
    └── WindowError    memory too small for ROM or RAM (the operator's numbers)
"""

from __future__ import annotations

__all__ = ["GuestBug", "GuestError", "QXLDeviceError", "WindowError"]


class QXLDeviceError(Exception):
    """A QXL device cannot do what it was asked for."""


class GuestError(QXLDeviceError):
    """The guest asked for something that cannot be done; nothing was done."""


class GuestBug(GuestError):  # noqa: N818 - QEMU's word for this state
    """The guest broke the rules: the device stops serving it until it resets."""


class WindowError(QXLDeviceError):
    """A memory window of the transport is too small or badly aligned."""
