"""Bitmaps of any ``SPICE_BITMAP_FMT_*`` as pixels of a surface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spice_common._c import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _typeshed import ReadableBuffer

    from spice_common.region import Box

__all__ = ["Bitmap", "row_size", "surface_pixel_size"]


def row_size(bitmap_format: int, width: int) -> int:
    """Return the bytes of a row of *width* pixels; 0: there is no such format."""
    return lib.bitmap_row_size(bitmap_format, width)


def surface_pixel_size(surface_format: int) -> int:
    """Return the bytes of a surface's pixel; 0: it cannot be drawn on."""
    return lib.surface_pixel_size(surface_format)


@dataclass(slots=True)
class Bitmap:
    """Pixels in one piece of memory (SpiceBitmap)."""

    data: ReadableBuffer
    format: int
    """``SPICE_BITMAP_FMT_*``."""
    width: int
    height: int
    stride: int
    """Bytes per row."""
    top_down: bool = True
    palette: Sequence[int] = ()
    """Colors, 0xRRGGBB, of the formats below 16 bits."""

    def convert(self, surface_format: int, part: Box | None = None) -> bytes:
        """Return the pixels in rows of *surface_format*, the top one first.

        Raises:
            ValueError: the bitmap's numbers, or *part* and it, do not fit together.

        """
        left, top, right, bottom = part or (0, 0, self.width, self.height)
        width, height = right - left, bottom - top
        stride = max(width, 0) * surface_pixel_size(surface_format)
        pixels = bytearray(stride * max(height, 0))
        colors = ffi.new("uint32_t[]", list(self.palette))
        with (
            ffi.from_buffer("uint8_t[]", self.data) as data,
            ffi.from_buffer("uint8_t[]", pixels, require_writable=True) as out,
        ):
            view: Any = ffi.new("struct bitmap_view *")
            view.data, view.size = data, len(data)
            view.width, view.height, view.stride = self.width, self.height, self.stride
            view.format, view.top_down = self.format, self.top_down
            view.colors, view.num_colors = colors, len(self.palette)
            sides = (left, top, width, height)
            if min(sides) < 0 or lib.bitmap_convert(
                view, *sides, surface_format, out, len(pixels), stride
            ):
                raise ValueError(f"bitmap {self.format} cannot be read")
        return bytes(pixels)
