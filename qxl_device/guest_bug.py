"""The state in which a device ends up whose driver broke the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spice_protocol.qxl_dev import QxlInterrupt

if TYPE_CHECKING:
    from qxl_device.fault_log import FaultLog
    from qxl_device.interrupts import Interrupts

__all__ = ["GuestBugLatch"]


class GuestBugLatch:
    """Set at the first guest bug, cleared by a reset.

    While it is set nothing but QXL_IO_RESET is served and no command is taken, so that
    a driver gone mad costs us one look per doorbell.
    """

    def __init__(self, interrupts: Interrupts, faults: FaultLog) -> None:
        """Tell the guest by *interrupts* and us by *faults*."""
        self._interrupts = interrupts
        self._faults = faults
        self.is_set = False

    def set(self, kind: str, detail: str) -> None:
        """Stop serving the guest and tell it so (QXL_INTERRUPT_ERROR)."""
        self.is_set = True
        self._faults.record(kind, detail)
        self._interrupts.send(QxlInterrupt.ERROR)

    def clear(self) -> None:
        """Forgive the guest."""
        self.is_set = False
