"""Draw messages by the hundred, each in a cell of its own on one surface.

A case is a few messages that stay inside their cell; what canvases make of them can be
compared cell by cell.  Only what spice-common's canvas defines is in them; what it
leaves undefined is listed where it is left out.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from spice_common.quic import QuicEncoder, QuicHeader, QuicImageType
from spice_protocol.draw import (
    SpiceBinaryData,
    SpiceBitmap,
    SpiceBrush,
    SpiceClip,
    SpiceImage,
    SpiceImageDescriptor,
    SpicePalette,
    SpicePattern,
    SpicePoint,
    SpiceQMask,
    SpiceRect,
    SpiceSurfaceImage,
)
from spice_protocol.enums import (
    SpiceBitmapFlags,
    SpiceBitmapFmt,
    SpiceBrushType,
    SpiceImageType,
    SpiceRopd,
    SpiceSurfaceFmt,
)
from spice_protocol.messages import draw as messages
from spice_protocol.messages.display import DisplayMsg

__all__ = ["CELL", "COLUMNS", "SIDE", "Case", "Maker", "Message"]

CELL = 64
COLUMNS = 16
SIDE = CELL * COLUMNS
"""Pixels of the surface that the cells fill."""

Message = tuple[int, Any]
"""``SPICE_MSG_DISPLAY_*`` and the message."""

FORMATS = {
    SpiceBitmapFmt.FMT_1BIT_BE: 1,
    SpiceBitmapFmt.FMT_4BIT_BE: 4,
    SpiceBitmapFmt.FMT_8BIT: 8,
    SpiceBitmapFmt.FMT_16BIT: 16,
    SpiceBitmapFmt.FMT_24BIT: 24,
    SpiceBitmapFmt.FMT_32BIT: 32,
    SpiceBitmapFmt.FMT_RGBA: 32,
    SpiceBitmapFmt.FMT_8BIT_A: 8,
}
"""Bits a pixel.  Little-endian bits make clients end themselves."""
INDEXED = (
    SpiceBitmapFmt.FMT_1BIT_BE,
    SpiceBitmapFmt.FMT_4BIT_BE,
    SpiceBitmapFmt.FMT_8BIT,
)
PALETTE_SURFACES = (
    SpiceSurfaceFmt.FMT_32_xRGB,
    SpiceSurfaceFmt.FMT_32_ARGB,
    SpiceSurfaceFmt.FMT_16_555,
)
"""On others a palette makes clients end themselves."""
_OPERATIONS = (
    SpiceRopd.OP_PUT,
    SpiceRopd.OP_OR,
    SpiceRopd.OP_AND,
    SpiceRopd.OP_XOR,
    SpiceRopd.OP_BLACKNESS,
    SpiceRopd.OP_WHITENESS,
    SpiceRopd.OP_INVERS,
    SpiceRopd(0),
)
_INVERSIONS = (
    SpiceRopd.INVERS_SRC,
    SpiceRopd.INVERS_BRUSH,
    SpiceRopd.INVERS_DEST,
    SpiceRopd.INVERS_RES,
)


@dataclass(slots=True)
class Case:
    """What is drawn in one cell."""

    name: str
    messages: list[Message] = field(repr=False)


class Maker:
    """Makes the parts of messages for one surface; *seed* decides everything.

    Args:
        seed: of all that is random.
        surface_format: ``SPICE_SURFACE_FMT_*`` of what is drawn on.
        surface_id: which that is.
        sources: ids and sizes of surfaces that may be read.

    """

    def __init__(
        self,
        seed: int,
        surface_format: int,
        surface_id: int = 0,
        sources: tuple[tuple[int, int, int], ...] = (),
    ) -> None:
        self.rng = random.Random(seed)
        self.format = surface_format
        self.surface_id = surface_id
        self.sources = sources
        self.left = self.top = 0

    def move_to(self, number: int) -> None:
        """Go to a cell."""
        self.left = number % COLUMNS * CELL
        self.top = number // COLUMNS * CELL

    # ---- places

    @property
    def cell(self) -> SpiceRect:
        """All of the cell."""
        return SpiceRect(self.top, self.left, self.top + CELL, self.left + CELL)

    def box(self, smallest: int = 1, largest: int = CELL) -> SpiceRect:
        """Return a rectangle inside the cell."""
        width = self.rng.randint(smallest, largest)
        height = self.rng.randint(smallest, largest)
        left = self.left + self.rng.randint(0, CELL - width)
        top = self.top + self.rng.randint(0, CELL - height)
        return SpiceRect(top, left, top + height, left + width)

    def clip(self, *, often: bool = False) -> SpiceClip:
        """Return a clip: none in most cases, else some rectangles."""
        if self.rng.random() < (0.2 if often else 0.7):
            return SpiceClip()
        return SpiceClip([self.box() for _ in range(self.rng.randint(1, 5))])

    def base(
        self, box: SpiceRect, clip: SpiceClip | None = None
    ) -> messages.SpiceMsgDisplayBase:
        """Return what every message begins with."""
        return messages.SpiceMsgDisplayBase(self.surface_id, box, clip or self.clip())

    def point(self, reach: int = CELL) -> SpicePoint:
        """Return a place around the cell."""
        return SpicePoint(
            self.left + self.rng.randint(-reach, reach),
            self.top + self.rng.randint(-reach, reach),
        )

    # ---- pictures

    def formats(self) -> list[SpiceBitmapFmt]:
        """Return the formats of bitmaps that clients read for this surface."""
        palettes = self.format in PALETTE_SURFACES
        return [kind for kind in FORMATS if palettes or kind not in INDEXED]

    def bitmap(
        self, width: int, height: int, kind: SpiceBitmapFmt | None = None
    ) -> SpiceImage:
        """Return a picture of noise; half of the direct ones have only few colors."""
        rng = self.rng
        kind = kind or rng.choice(self.formats())
        stride = (width * FORMATS[kind] + 7) // 8 + rng.choice([0, 0, 1, 4])
        stride = -(-stride // 4) * 4
        palette = None
        if kind in INDEXED:
            colors = [rng.getrandbits(32) for _ in range(1 << FORMATS[kind])]
            palette = SpicePalette(rng.getrandbits(63), colors)
        data = rng.randbytes(stride * height)
        if rng.random() < 0.3:
            data = bytes(rng.choices([0, 0x7F, 0xFF], k=stride * height))
        flags = rng.choice([0, SpiceBitmapFlags.TOP_DOWN])
        bitmap = SpiceBitmap(flags, palette, 0, kind, width, height, stride, data)
        return self.described(SpiceImageType.BITMAP, width, height, bitmap)

    def described(
        self, kind: SpiceImageType, width: int, height: int, data: Any
    ) -> SpiceImage:
        """Return an image that nobody caches."""
        unique = self.rng.getrandbits(63)
        return SpiceImage(SpiceImageDescriptor(unique, kind, 0, width, height), data)

    def image(self, width: int, height: int) -> SpiceImage:
        """Return a picture at least that large: a bitmap or, if there are any, a surface."""
        large = [s for s in self.sources if s[1] >= width and s[2] >= height]
        if large and self.rng.random() < 0.3:
            return self.surface(self.rng.choice(large)[0])
        width += self.rng.choice([0, 0, 1, 7, 33])
        height += self.rng.choice([0, 0, 1, 9])
        if self.rng.random() < 0.15:
            return self.quic(width, height)
        return self.bitmap(width, height)

    def quic(self, width: int, height: int) -> SpiceImage:
        """Return a QUIC image of steps and noise."""
        kind = self.rng.choice(
            [
                QuicImageType.RGB16,
                QuicImageType.RGB24,
                QuicImageType.RGB32,
                QuicImageType.RGBA,
            ]
        )
        size = kind.row_size(width) * height
        pixels = bytes((i // 7 * 5) & 0xFF for i in range(size))
        if self.rng.random() < 0.5:
            pixels = self.rng.randbytes(size)
        data = QuicEncoder().encode(QuicHeader(kind, width, height), pixels)
        assert data is not None
        image = SpiceBinaryData(data)
        return self.described(SpiceImageType.QUIC, width, height, image)

    def surface(self, surface_id: int) -> SpiceImage:
        """Return another surface as an image."""
        size = {number: (w, h) for number, w, h in self.sources}[surface_id]
        data = SpiceSurfaceImage(surface_id)
        return self.described(SpiceImageType.SURFACE, *size, data)

    def size_of(self, image: SpiceImage) -> tuple[int, int]:
        """Width and height."""
        return image.descriptor.width, image.descriptor.height

    def source(
        self, box: SpiceRect, *, scaled: bool = False
    ) -> tuple[SpiceImage, SpiceRect]:
        """Return an image and an area of it, of the size of *box* unless *scaled*."""
        width, height = box.right - box.left, box.bottom - box.top
        if scaled:
            width, height = self.rng.randint(1, 90), self.rng.randint(1, 90)
        image = self.image(width, height)
        most = self.size_of(image)
        left = self.rng.randint(0, most[0] - width)
        top = self.rng.randint(0, most[1] - height)
        return image, SpiceRect(top, left, top + height, left + width)

    def mask(self, box: SpiceRect, *, likely: float = 0.3) -> SpiceQMask:
        """Return a mask, or none in most cases."""
        rng = self.rng
        if rng.random() >= likely:
            return SpiceQMask(0, SpicePoint(0, 0), None)
        width = box.right - box.left + rng.randint(-5, 12)
        height = box.bottom - box.top + rng.randint(-5, 12)
        width, height = max(width, 1), max(height, 1)
        stride = -(-width // 32) * 4
        kind = rng.choice([SpiceBitmapFmt.FMT_1BIT_BE, SpiceBitmapFmt.FMT_1BIT_LE])
        flags = rng.choice([0, SpiceBitmapFlags.TOP_DOWN])
        data = rng.randbytes(stride * height)
        bitmap = SpiceBitmap(flags, None, 0, kind, width, height, stride, data)
        image = self.described(SpiceImageType.BITMAP, width, height, bitmap)
        place = SpicePoint(rng.randint(-6, 9), rng.randint(-6, 9))
        return SpiceQMask(rng.randint(0, 1), place, image)

    def brush(self, *, patterns: bool = True) -> SpiceBrush:
        """Return a brush of any type."""
        chance = self.rng.random()
        if chance < 0.1:
            return SpiceBrush(SpiceBrushType.NONE)
        if chance < 0.5 or not patterns:
            return SpiceBrush(SpiceBrushType.SOLID, self.rng.getrandbits(32))
        image = self.image(self.rng.randint(1, 20), self.rng.randint(1, 20))
        return SpiceBrush(SpiceBrushType.PATTERN, 0, SpicePattern(image, self.point()))

    def rop(self) -> int:
        """Return a descriptor with one operation and any inversions."""
        descriptor = int(self.rng.choice(_OPERATIONS))
        for inversion in _INVERSIONS:
            if self.rng.random() < 0.3:
                descriptor |= inversion
        return descriptor

    # ---- cells

    def background(self, box: SpiceRect) -> Message:
        """Return noise for *box*."""
        width, height = box.right - box.left, box.bottom - box.top
        kind = {
            SpiceSurfaceFmt.FMT_8_A: SpiceBitmapFmt.FMT_8BIT_A,
            SpiceSurfaceFmt.FMT_32_ARGB: SpiceBitmapFmt.FMT_RGBA,
        }.get(SpiceSurfaceFmt(self.format), SpiceBitmapFmt.FMT_32BIT)
        image = self.bitmap(width, height, kind)
        nothing = SpiceQMask(0, SpicePoint(0, 0), None)
        area = SpiceRect(0, 0, height, width)
        copy = messages.SpiceCopy(image, area, SpiceRopd.OP_PUT, 1, nothing)
        base = self.base(box, SpiceClip())
        return DisplayMsg.DRAW_COPY, messages.SpiceMsgDisplayDrawCopy(base, copy)
