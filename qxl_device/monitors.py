"""Reads the QXLMonitorsConfig by which a driver tells how its heads lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qxl_device.errors import GuestError
from spice_protocol.qxl_dev import MAX_CLIENT_MONITORS, QXLHead, QXLMonitorsConfig
from vd_interfaces.qxl import Head, MonitorsConfig

if TYPE_CHECKING:
    from qxl_device.memslot import Memslots

__all__ = ["MAX_HEADS", "limited", "read_monitors_config"]

MAX_HEADS = MAX_CLIENT_MONITORS
"""As many as clients can wish for in QXLRom; drivers use 4 (Linux) or 16."""
MAX_PIXELS = 32767
"""The farthest edge of a head: what a surface can have."""


def read_monitors_config(address: int, memslots: Memslots) -> MonitorsConfig:
    """Copy and check the monitors config at QXLPHYSICAL *address*.

    Raises:
        GuestError: it is not in a slot, or its heads are too many or too large.

    """
    header_size = QXLMonitorsConfig.SIZE
    header = QXLMonitorsConfig.unpack_from(memslots.resolve(address, header_size))
    count, allowed = header.count, header.max_allowed
    if not 0 < count <= MAX_HEADS or 0 < allowed < count:
        raise GuestError(f"monitors config of {count} heads, {allowed} allowed")
    # Resolved from the start again, so that an address at the slot's end cannot wrap.
    size = header_size + count * QXLHead.SIZE
    copy = bytes(memslots.resolve(address, size)[header_size:])
    heads = [_read_head(copy, number) for number in range(count)]
    return MonitorsConfig(heads, allowed)


def limited(config: MonitorsConfig, count: int) -> MonitorsConfig:
    """Return *config* with *count* heads at most, and as many allowed."""
    return MonitorsConfig(config.heads[:count], min(config.max_allowed, count))


def _read_head(copy: bytes, number: int) -> Head:
    head = QXLHead.unpack_from(copy, number * QXLHead.SIZE)
    if head.x + head.width > MAX_PIXELS or head.y + head.height > MAX_PIXELS:
        raise GuestError(
            f"head {number} of {head.width} x {head.height} at {head.x}, {head.y}"
        )
    return Head(
        id=head.id,
        surface_id=head.surface_id,
        width=head.width,
        height=head.height,
        x=head.x,
        y=head.y,
        flags=head.flags,
    )
