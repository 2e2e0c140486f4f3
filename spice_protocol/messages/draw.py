"""The drawing messages of the display channel (spice.proto, DisplayChannel)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Self

from spice_protocol.draw import (
    SpiceBrush,
    SpiceClip,
    SpiceImage,
    SpicePoint,
    SpicePoint16,
    SpicePointFix,
    SpiceQMask,
    SpiceRect,
    SpiceTransform,
)
from spice_protocol.enums import (
    SpiceCompositeFlags,
    SpiceLineFlags,
    SpiceStringFlags,
)
from spice_protocol.errors import InvalidValueError
from spice_protocol.marshaller import Items, Marshaller, Pointer, WireMessage
from spice_protocol.wire import i32, length_of, u8, u16, u32

if TYPE_CHECKING:
    from spice_protocol.marshaller import Reader

__all__ = [
    "SpiceAlphaBlend",
    "SpiceBlackness",
    "SpiceComposite",
    "SpiceCopy",
    "SpiceFill",
    "SpiceLineAttr",
    "SpiceMsgDisplayBase",
    "SpiceMsgDisplayCopyBits",
    "SpiceMsgDisplayDrawAlphaBlend",
    "SpiceMsgDisplayDrawBlackness",
    "SpiceMsgDisplayDrawBlend",
    "SpiceMsgDisplayDrawComposite",
    "SpiceMsgDisplayDrawCopy",
    "SpiceMsgDisplayDrawFill",
    "SpiceMsgDisplayDrawInvers",
    "SpiceMsgDisplayDrawOpaque",
    "SpiceMsgDisplayDrawRop3",
    "SpiceMsgDisplayDrawStroke",
    "SpiceMsgDisplayDrawText",
    "SpiceMsgDisplayDrawTransparent",
    "SpiceMsgDisplayDrawWhiteness",
    "SpiceOpaque",
    "SpicePath",
    "SpicePathSeg",
    "SpiceRasterGlyph",
    "SpiceRop3",
    "SpiceString",
    "SpiceStroke",
    "SpiceText",
    "SpiceTransparent",
]


class SpiceMsgDisplayBase(WireMessage):
    """What every drawing starts with: surface, bounding box, clip."""

    surface_id: u32
    box: SpiceRect
    clip: SpiceClip


class SpiceFill(WireMessage):
    """Paint with a brush."""

    brush: SpiceBrush
    rop_descriptor: u16
    mask: SpiceQMask


class SpiceOpaque(WireMessage):
    """Copy, then paint with a brush."""

    src_bitmap: Annotated[SpiceImage | None, Pointer(SpiceImage)]
    src_area: SpiceRect
    brush: SpiceBrush
    rop_descriptor: u16
    scale_mode: u8
    mask: SpiceQMask


class SpiceCopy(WireMessage):
    """Copy an area of an image to the box."""

    src_bitmap: Annotated[SpiceImage | None, Pointer(SpiceImage)]
    src_area: SpiceRect
    rop_descriptor: u16
    scale_mode: u8
    mask: SpiceQMask


class SpiceBlackness(WireMessage):
    """Blackness, whiteness or inversion under a mask."""

    mask: SpiceQMask


class SpiceRop3(WireMessage):
    """Ternary raster operation of image, brush and surface."""

    src_bitmap: Annotated[SpiceImage | None, Pointer(SpiceImage)]
    src_area: SpiceRect
    brush: SpiceBrush
    rop3: u8
    scale_mode: u8
    mask: SpiceQMask


class SpicePathSeg(WireMessage):
    """One segment of a path; *flags* are ``SPICE_PATH_*``."""

    flags: u8
    count: u32 = length_of("points")
    points: Annotated[list[SpicePointFix], Items(SpicePointFix)]


class SpicePath(WireMessage):
    """A path."""

    num_segments: u32 = length_of("segments")
    segments: Annotated[list[SpicePathSeg], Items(SpicePathSeg)]


class _LineStyle(WireMessage):
    style_nseg: u8 = length_of("style")
    style: Annotated[list[int] | None, Pointer(Items(i32))]


@dataclass(slots=True)
class SpiceLineAttr:
    """How a line looks; lengths of dashes in fixed point 28.4 if it is STYLED."""

    flags: int
    """``SPICE_LINE_FLAGS_*``."""
    style: list[int] = field(default_factory=list)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Take the attributes."""
        flags = reader.u8()
        if not flags & SpiceLineFlags.STYLED:
            return cls(flags)
        return cls(flags, _LineStyle.read(reader).style or [])

    def write(self, writer: Marshaller) -> None:
        """Append the attributes."""
        writer.u8(self.flags)
        if self.flags & SpiceLineFlags.STYLED:
            _LineStyle(self.style).write(writer)


class SpiceStroke(WireMessage):
    """Draw along a path."""

    path: Annotated[SpicePath | None, Pointer(SpicePath)]
    attr: SpiceLineAttr
    brush: SpiceBrush
    fore_mode: u16
    back_mode: u16


@dataclass(slots=True)
class SpiceRasterGlyph:
    """One glyph; its rows are padded to bytes."""

    render_pos: SpicePoint
    glyph_origin: SpicePoint
    width: int
    height: int
    data: bytes = field(repr=False)

    @classmethod
    def read(cls, reader: Reader, bits: int) -> Self:
        """Take a glyph of *bits* bits per pixel."""
        places = reader.struct(SpicePoint), reader.struct(SpicePoint)
        width, height = reader.u16(), reader.u16()
        data = reader.take((width * bits + 7) // 8 * height)
        return cls(*places, width, height, bytes(data))

    def write(self, writer: Marshaller) -> None:
        """Append the glyph."""
        writer.add(self.render_pos.pack() + self.glyph_origin.pack())
        writer.u16(self.width)
        writer.u16(self.height)
        writer.add(self.data)


@dataclass(slots=True)
class SpiceString:
    """A string of glyphs, all of one depth."""

    flags: int
    """``SPICE_STRING_FLAGS_*``, exactly one of RASTER_A1, _A4 and _A8 among them."""
    glyphs: list[SpiceRasterGlyph]

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Take a string.

        Raises:
            InvalidValueError: its glyphs have no depth.

        """
        length, flags = reader.u16(), reader.u8()
        for flag, bits in _GLYPH_BITS.items():
            if flags & flag:
                glyphs = [SpiceRasterGlyph.read(reader, bits) for _ in range(length)]
                return cls(flags, glyphs)
        raise InvalidValueError(f"string flags {flags:#x}")

    def write(self, writer: Marshaller) -> None:
        """Append the string."""
        writer.u16(len(self.glyphs))
        writer.u8(self.flags)
        for glyph in self.glyphs:
            glyph.write(writer)


_GLYPH_BITS = {
    SpiceStringFlags.RASTER_A1: 1,
    SpiceStringFlags.RASTER_A4: 4,
    SpiceStringFlags.RASTER_A8: 8,
}


class SpiceText(WireMessage):
    """Draw a string."""

    str: Annotated[SpiceString | None, Pointer(SpiceString)]
    back_area: SpiceRect
    fore_brush: SpiceBrush
    back_brush: SpiceBrush
    fore_mode: u16
    back_mode: u16


class SpiceTransparent(WireMessage):
    """Copy all pixels but those of one colour."""

    src_bitmap: Annotated[SpiceImage | None, Pointer(SpiceImage)]
    src_area: SpiceRect
    src_color: u32
    true_color: u32


class SpiceAlphaBlend(WireMessage):
    """Blend an image; *alpha_flags* are ``SPICE_ALPHA_FLAGS_*``."""

    alpha_flags: u8
    alpha: u8
    src_bitmap: Annotated[SpiceImage | None, Pointer(SpiceImage)]
    src_area: SpiceRect


class _ImagePointer(WireMessage):
    image: Annotated[SpiceImage | None, Pointer(SpiceImage)]


@dataclass(slots=True)
class SpiceComposite:
    """Render's composite operation; *flags* say which parts there are."""

    flags: int
    """``SPICE_COMPOSITE_*``: operator, filters, repeats, parts."""
    src_bitmap: SpiceImage | None
    mask_bitmap: SpiceImage | None
    src_transform: SpiceTransform | None
    mask_transform: SpiceTransform | None
    src_origin: SpicePoint16
    mask_origin: SpicePoint16

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Take the operation."""
        flags = reader.u32()
        src = _ImagePointer.read(reader).image
        mask = src_transform = mask_transform = None
        if flags & SpiceCompositeFlags.HAS_MASK:
            mask = _ImagePointer.read(reader).image
        if flags & SpiceCompositeFlags.HAS_SRC_TRANSFORM:
            src_transform = reader.struct(SpiceTransform)
        if flags & SpiceCompositeFlags.HAS_MASK_TRANSFORM:
            mask_transform = reader.struct(SpiceTransform)
        origins = reader.struct(SpicePoint16), reader.struct(SpicePoint16)
        return cls(flags, src, mask, src_transform, mask_transform, *origins)

    def write(self, writer: Marshaller) -> None:
        """Append the operation."""
        writer.u32(self.flags)
        _ImagePointer(self.src_bitmap).write(writer)
        if self.flags & SpiceCompositeFlags.HAS_MASK:
            _ImagePointer(self.mask_bitmap).write(writer)
        parts = (
            self.src_transform,
            self.mask_transform,
            self.src_origin,
            self.mask_origin,
        )
        for part in parts:
            if part is not None:
                writer.add(part.pack())


class SpiceMsgDisplayCopyBits(WireMessage):
    """Move pixels inside a surface."""

    base: SpiceMsgDisplayBase
    src_pos: SpicePoint


class SpiceMsgDisplayDrawFill(WireMessage):
    """Paint the box."""

    base: SpiceMsgDisplayBase
    data: SpiceFill


class SpiceMsgDisplayDrawOpaque(WireMessage):
    """Copy an image and paint over it."""

    base: SpiceMsgDisplayBase
    data: SpiceOpaque


class SpiceMsgDisplayDrawCopy(WireMessage):
    """Copy an image to the box."""

    base: SpiceMsgDisplayBase
    data: SpiceCopy


class SpiceMsgDisplayDrawBlend(WireMessage):
    """Combine an image with the box by a raster operation."""

    base: SpiceMsgDisplayBase
    data: SpiceCopy


class SpiceMsgDisplayDrawBlackness(WireMessage):
    """Paint the box black."""

    base: SpiceMsgDisplayBase
    data: SpiceBlackness


class SpiceMsgDisplayDrawWhiteness(WireMessage):
    """Paint the box white."""

    base: SpiceMsgDisplayBase
    data: SpiceBlackness


class SpiceMsgDisplayDrawInvers(WireMessage):
    """Invert the box."""

    base: SpiceMsgDisplayBase
    data: SpiceBlackness


class SpiceMsgDisplayDrawRop3(WireMessage):
    """Combine image, brush and box."""

    base: SpiceMsgDisplayBase
    data: SpiceRop3


class SpiceMsgDisplayDrawStroke(WireMessage):
    """Draw a path."""

    base: SpiceMsgDisplayBase
    data: SpiceStroke


class SpiceMsgDisplayDrawText(WireMessage):
    """Draw a text."""

    base: SpiceMsgDisplayBase
    data: SpiceText


class SpiceMsgDisplayDrawTransparent(WireMessage):
    """Copy an image but for one colour."""

    base: SpiceMsgDisplayBase
    data: SpiceTransparent


class SpiceMsgDisplayDrawAlphaBlend(WireMessage):
    """Blend an image over the box."""

    base: SpiceMsgDisplayBase
    data: SpiceAlphaBlend


class SpiceMsgDisplayDrawComposite(WireMessage):
    """Composite an image and a mask with the box."""

    base: SpiceMsgDisplayBase
    data: SpiceComposite
