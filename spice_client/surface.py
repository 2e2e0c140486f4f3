"""A surface's pixels; rows are moved as slices, formats are the C core's business."""

from __future__ import annotations

from spice_client.errors import UnsupportedError
from spice_common.bitmap import Bitmap, surface_pixel_size
from spice_common.region import Box, Region
from spice_protocol.enums import SpiceBitmapFmt, SpiceSurfaceFmt
from spice_protocol.errors import InvalidValueError, LimitExceededError

__all__ = ["MAX_SURFACE_SIZE", "Surface", "intersect"]

MAX_SURFACE_SIZE = 256 << 20
"""Bytes; four monitors of 3840 x 2160 side by side take half of that."""

_INVERT = bytes(255 - n for n in range(256))

_BITMAP_FORMATS = {
    SpiceSurfaceFmt.FMT_8_A: SpiceBitmapFmt.FMT_8BIT_A,
    SpiceSurfaceFmt.FMT_16_555: SpiceBitmapFmt.FMT_16BIT,
    SpiceSurfaceFmt.FMT_32_xRGB: SpiceBitmapFmt.FMT_32BIT,
    SpiceSurfaceFmt.FMT_32_ARGB: SpiceBitmapFmt.FMT_RGBA,
}


def intersect(first: Box, second: Box) -> Box | None:
    """Return the pixels of both boxes; ``None``: there are none."""
    left, top = max(first.left, second.left), max(first.top, second.top)
    right, bottom = min(first.right, second.right), min(first.bottom, second.bottom)
    if left >= right or top >= bottom:
        return None
    return Box(left, top, right, bottom)


class Surface:
    """A rectangle of pixels of one ``SPICE_SURFACE_FMT_*``, all zero at first.

    Raises:
        UnsupportedError: nothing can be drawn on this format.
        LimitExceededError: it would take more than ``MAX_SURFACE_SIZE`` bytes.
        InvalidValueError: it has no pixels.

    """

    def __init__(self, width: int, height: int, surface_format: int) -> None:
        self.pixel_size = surface_pixel_size(surface_format)
        if not self.pixel_size:
            raise UnsupportedError(f"surface format {surface_format}")
        self.width, self.height, self.format = width, height, surface_format
        self.stride = width * self.pixel_size
        if self.stride * height > MAX_SURFACE_SIZE:
            raise LimitExceededError(f"a surface of {width} x {height} pixels")
        if not self.stride * height:
            raise InvalidValueError(f"a surface of {width} x {height} pixels")
        self.pixels = bytearray(self.stride * height)
        """``height`` rows of ``stride`` bytes, top first."""
        self.drawn = Region()
        """What was drawn on since the surface was made."""

    @property
    def box(self) -> Box:
        """The whole surface."""
        return Box(0, 0, self.width, self.height)

    @property
    def complete(self) -> bool:
        """Whether every pixel was drawn on at least once."""
        return self.drawn.area == self.width * self.height

    def _span(self, box: Box, row: int) -> slice:
        start = row * self.stride + box.left * self.pixel_size
        return slice(start, start + (box.right - box.left) * self.pixel_size)

    def put(self, box: Box, pixels: bytes) -> None:
        """Replace the pixels of *box*, which lies on the surface."""
        size = (box.right - box.left) * self.pixel_size
        self.drawn.add(box)
        if size == self.stride:
            self.pixels[box.top * size : box.bottom * size] = pixels
            return
        with memoryview(pixels) as view:
            for number, row in enumerate(range(box.top, box.bottom)):
                span = self._span(box, row)
                self.pixels[span] = view[number * size : (number + 1) * size]

    def get(self, box: Box) -> bytes:
        """Return a copy of the pixels of *box*, which lies on the surface."""
        rows = range(box.top, box.bottom)
        return b"".join(self.pixels[self._span(box, row)] for row in rows)

    def fill(self, box: Box, color: int) -> None:
        """Paint *box* with a colour of the surface's own format."""
        pixel = (color & (1 << 8 * self.pixel_size) - 1).to_bytes(
            self.pixel_size, "little"
        )
        self.put(box, pixel * ((box.right - box.left) * (box.bottom - box.top)))

    def invert(self, box: Box) -> None:
        """Invert every bit of *box*."""
        self.put(box, self.get(box).translate(_INVERT))

    def moved(self, box: Box, dx: int, dy: int) -> bytes:
        """Return the pixels *dx* to the right of *box* and *dy* below it.

        Raises:
            InvalidValueError: those are not all on the surface.

        """
        source = Box(box.left + dx, box.top + dy, box.right + dx, box.bottom + dy)
        if intersect(source, self.box) != source:
            raise InvalidValueError(f"pixels are moved from {source}, off the surface")
        return self.get(source)

    def copy(self) -> Surface:
        """Return a surface of the same pixels."""
        twin = Surface(self.width, self.height, self.format)
        twin.pixels[:] = self.pixels
        return twin

    def as_bitmap(self) -> Bitmap:
        """Return the surface as an image that can be converted.

        Raises:
            UnsupportedError: no bitmap format is like the surface's.

        """
        bitmap_format = _BITMAP_FORMATS.get(SpiceSurfaceFmt(self.format))
        if bitmap_format is None:
            raise UnsupportedError(f"pixels of surface format {self.format}")
        return Bitmap(self.pixels, bitmap_format, self.width, self.height, self.stride)

    def rgb(self) -> bytes:
        """Return the picture as bytes of red, green and blue, top row first.

        Raises:
            UnsupportedError: the surface's format cannot be shown.

        """
        words = self.as_bitmap().convert(SpiceSurfaceFmt.FMT_32_xRGB)
        rgb = bytearray(3 * self.width * self.height)
        for channel, byte in enumerate((2, 1, 0)):
            rgb[channel::3] = words[byte::4]
        return bytes(rgb)
