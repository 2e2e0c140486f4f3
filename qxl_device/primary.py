"""The primary surface: made by QXLSurfaceCreate, or by a mode of the ROM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qxl_device.errors import GuestBug
from qxl_device.memslot import WORD_SIZE
from spice_protocol.enums import SpiceSurfaceFmt
from vd_interfaces.qxl import PrimarySurface

if TYPE_CHECKING:
    from qxl_device.memslot import Memslots
    from spice_protocol.qxl_dev import QXLMode, QXLSurfaceCreate
    from vm_transport.guest_memory import MemoryRegion

__all__ = ["check_primary", "compat_primary"]

MAX_SIDE = 32767
"""Pixels; the widest that 16-bit coordinates of pixman regions can clip."""

BITS_PER_PIXEL: dict[int, int] = {
    SpiceSurfaceFmt.FMT_16_555: 16,
    SpiceSurfaceFmt.FMT_16_565: 16,
    SpiceSurfaceFmt.FMT_32_xRGB: 32,
    SpiceSurfaceFmt.FMT_32_ARGB: 32,
}
"""Formats that a screen can have."""


def check_primary(create: QXLSurfaceCreate, memslots: Memslots) -> PrimarySurface:
    """Return the surface that *create* describes, in guest memory.

    Raises:
        GuestBug: size, stride, format or memory is impossible.
        GuestError: its memory is not in a slot.

    """
    stride, width, height = create.stride, create.width, create.height
    bits = BITS_PER_PIXEL.get(create.format)
    if bits is None:
        raise GuestBug(f"a primary surface of format {create.format}")
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise GuestBug(f"a primary surface of {width} x {height} pixels")
    if stride % 4 or abs(stride) < (width * bits + 7) // 8:
        raise GuestBug(f"stride {stride} for {width} pixels of {bits} bits")
    if create.mem % WORD_SIZE:
        raise GuestBug(f"a primary surface at {create.mem:#018x}: not aligned")
    return PrimarySurface(
        width=width,
        height=height,
        stride=stride,
        format=create.format,
        flags=create.flags,
        memory=memslots.resolve(create.mem, abs(stride) * height),
    )


def compat_primary(
    mode: QXLMode, ram: MemoryRegion, surface0_size: int
) -> PrimarySurface:
    """Return the surface of a mode of the ROM's table: bottom-up, at RAM's start.

    Raises:
        GuestBug: it does not fit the front part of RAM that is kept for it.

    """
    size = mode.x_res * 4 * mode.y_res
    if size > surface0_size:
        raise GuestBug(f"mode {mode.id} needs {size} of {surface0_size} bytes")
    return PrimarySurface(
        width=mode.x_res,
        height=mode.y_res,
        stride=-4 * mode.x_res,
        format=SpiceSurfaceFmt.FMT_32_xRGB,
        flags=0,
        memory=ram.view[:size],
    )
