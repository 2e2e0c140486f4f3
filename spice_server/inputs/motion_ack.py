"""Acknowledgement of pointer messages (MOUSE_MOTION_ACK)."""

from __future__ import annotations

from spice_protocol.protocol import SPICE_INPUT_MOTION_ACK_BUNCH

__all__ = ["MotionAck"]


class MotionAck:
    """Counts motion and position messages; clients send no more than two bunches."""

    def __init__(self) -> None:
        self._count = 0

    def received(self) -> bool:
        """Account for one message; True if an acknowledgement is due."""
        self._count = (self._count + 1) % SPICE_INPUT_MOTION_ACK_BUNCH
        return self._count == 0
