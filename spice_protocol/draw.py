"""The drawing vocabulary of spice.proto, as display messages carry it.

Names are those of spice-common's draw.h.  Where the wire switches on a type or a flag,
the class is written out; all others are tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Self

from spice_protocol.enums import (
    SpiceBitmapFlags,
    SpiceBrushType,
    SpiceClipType,
    SpiceImageType,
)
from spice_protocol.errors import InvalidValueError
from spice_protocol.marshaller import Data, Items, Marshaller, Pointer, WireMessage
from spice_protocol.wire import WireStruct, i16, i32, length_of, u8, u16, u32, u64

if TYPE_CHECKING:
    from spice_protocol.marshaller import Reader

__all__ = [
    "SpiceBinaryData",
    "SpiceBitmap",
    "SpiceBrush",
    "SpiceClip",
    "SpiceImage",
    "SpiceImageDescriptor",
    "SpiceJPEGAlphaData",
    "SpiceLZPLTData",
    "SpicePalette",
    "SpicePattern",
    "SpicePoint",
    "SpicePoint16",
    "SpicePointFix",
    "SpiceQMask",
    "SpiceRect",
    "SpiceSurfaceImage",
    "SpiceTransform",
    "SpiceZlibGlzRGBData",
]


class SpicePoint(WireStruct):
    """A pixel's place."""

    x: i32
    y: i32


class SpicePoint16(WireStruct):
    """A pixel's place in 16 bits."""

    x: i16
    y: i16


class SpicePointFix(WireStruct):
    """A place in fixed point 28.4."""

    x: i32
    y: i32


class SpiceRect(WireStruct):
    """A rectangle; right and bottom excluded."""

    top: i32
    left: i32
    bottom: i32
    right: i32


class SpiceTransform(WireStruct):
    """Two rows of a fixed-point matrix."""

    t00: u32
    t01: u32
    t02: u32
    t10: u32
    t11: u32
    t12: u32


class SpiceClipRects(WireMessage):
    """Rectangles that a drawing is confined to."""

    num_rects: u32 = length_of("rects")
    rects: Annotated[list[SpiceRect], Items(SpiceRect)]


@dataclass(slots=True)
class SpiceClip:
    """``Clip``: nothing, or rectangles that a drawing is confined to."""

    rects: list[SpiceRect] | None = None

    @property
    def type(self) -> SpiceClipType:
        """What the wire says."""
        return SpiceClipType.NONE if self.rects is None else SpiceClipType.RECTS

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Take a clip.

        Raises:
            InvalidValueError: its type is neither NONE nor RECTS.

        """
        match reader.u8():
            case SpiceClipType.NONE:
                return cls()
            case SpiceClipType.RECTS:
                return cls(SpiceClipRects.read(reader).rects)
            case value:
                raise InvalidValueError(f"clip type {value}")

    def write(self, writer: Marshaller) -> None:
        """Append the clip."""
        writer.u8(self.type)
        if self.rects is not None:
            SpiceClipRects(self.rects).write(writer)


class SpicePalette(WireMessage):
    """Colours of an indexed bitmap."""

    unique: u64
    num_ents: u16 = length_of("ents")
    ents: Annotated[list[int], Items(u32)]


@dataclass(slots=True)
class _Palettes:
    """What ``SpiceBitmap`` and ``SpiceLZPLTData`` have in common."""

    flags: int
    palette: SpicePalette | None = None
    palette_id: int = 0
    """Instead of *palette* if *flags* have PAL_FROM_CACHE."""

    def read_palette(self, reader: Reader) -> None:
        """Take the cached palette's id or the pointer to a palette."""
        if self.flags & SpiceBitmapFlags.PAL_FROM_CACHE:
            self.palette_id = reader.u64()
        elif offset := reader.u32():
            self.palette = SpicePalette.read(reader.at(offset))

    def write_palette(self, writer: Marshaller) -> None:
        """Append the cached palette's id or the pointer to a palette."""
        if self.flags & SpiceBitmapFlags.PAL_FROM_CACHE:
            writer.u64(self.palette_id)
        else:
            writer.pointer(self.palette.write if self.palette else None)


@dataclass(slots=True)
class SpiceBitmap(_Palettes):
    """``BitmapData``: raw pixels, *stride* * *y* bytes of them."""

    format: int = 0
    """``SPICE_BITMAP_FMT_*``."""
    x: int = 0
    y: int = 0
    stride: int = 0
    data: bytes | memoryview = field(default=b"", repr=False)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Take a bitmap; its pixels stay a view of the message.

        Raises:
            TruncatedError: there are fewer pixels than *stride* * *y*.

        """
        format_, flags = reader.u8(), reader.u8()
        bitmap = cls(flags, None, 0, format_, reader.u32(), reader.u32(), reader.u32())
        bitmap.read_palette(reader)
        bitmap.data = reader.take(bitmap.stride * bitmap.y)
        return bitmap

    def write(self, writer: Marshaller) -> None:
        """Append the bitmap."""
        writer.u8(self.format)
        writer.u8(self.flags)
        for value in (self.x, self.y, self.stride):
            writer.u32(value)
        self.write_palette(writer)
        writer.add(self.data)


@dataclass(slots=True)
class SpiceLZPLTData(_Palettes):
    """``LZPLTData``: an indexed bitmap packed with LZ."""

    data: bytes | memoryview = field(default=b"", repr=False)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Take the data."""
        packed = cls(reader.u8())
        size = reader.u32()
        packed.read_palette(reader)
        packed.data = reader.take(size)
        return packed

    def write(self, writer: Marshaller) -> None:
        """Append the data."""
        writer.u8(self.flags)
        writer.u32(len(self.data))
        self.write_palette(writer)
        writer.add(self.data)


class SpiceBinaryData(WireMessage):
    """``BinaryData``: an image packed with QUIC, LZ, GLZ, LZ4 or JPEG."""

    data_size: u32 = length_of("data")
    data: Annotated[memoryview | bytes, Data(copy=False)]


class SpiceZlibGlzRGBData(WireMessage):
    """GLZ data packed once more with zlib."""

    glz_data_size: u32
    data_size: u32 = length_of("data")
    data: Annotated[memoryview | bytes, Data(copy=False)]


class SpiceJPEGAlphaData(WireMessage):
    """A JPEG of *jpeg_size* bytes and its alpha plane packed with LZ."""

    flags: u8
    jpeg_size: u32
    data_size: u32 = length_of("data")
    data: Annotated[memoryview | bytes, Data(copy=False)]


class SpiceSurfaceImage(WireMessage):
    """``Surface``: the pixels are another surface's."""

    surface_id: u32


class SpiceImageDescriptor(WireStruct):
    """What an image is; *type* is ``SPICE_IMAGE_TYPE_*``."""

    id: u64
    type: u8
    flags: u8
    width: u32
    height: u32


ImageData = (
    SpiceBitmap
    | SpiceLZPLTData
    | SpiceBinaryData
    | SpiceZlibGlzRGBData
    | SpiceJPEGAlphaData
    | SpiceSurfaceImage
)

_IMAGE_DATA: dict[int, type[ImageData]] = {
    SpiceImageType.BITMAP: SpiceBitmap,
    SpiceImageType.QUIC: SpiceBinaryData,
    SpiceImageType.LZ_PLT: SpiceLZPLTData,
    SpiceImageType.LZ_RGB: SpiceBinaryData,
    SpiceImageType.GLZ_RGB: SpiceBinaryData,
    SpiceImageType.SURFACE: SpiceSurfaceImage,
    SpiceImageType.JPEG: SpiceBinaryData,
    SpiceImageType.ZLIB_GLZ_RGB: SpiceZlibGlzRGBData,
    SpiceImageType.JPEG_ALPHA: SpiceJPEGAlphaData,
    SpiceImageType.LZ4: SpiceBinaryData,
}
_NO_IMAGE_DATA = (SpiceImageType.FROM_CACHE, SpiceImageType.FROM_CACHE_LOSSLESS)


@dataclass(slots=True)
class SpiceImage:
    """An image: its descriptor, and data that ``descriptor.type`` names."""

    descriptor: SpiceImageDescriptor
    data: ImageData | None = None
    """``None`` if the image is to be found in the pixmap cache."""

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Take an image.

        Raises:
            InvalidValueError: no such image type.

        """
        descriptor = reader.struct(SpiceImageDescriptor)
        if descriptor.type in _NO_IMAGE_DATA:
            return cls(descriptor)
        data_class = _IMAGE_DATA.get(descriptor.type)
        if data_class is None:
            raise InvalidValueError(f"image type {descriptor.type}")
        return cls(descriptor, data_class.read(reader))

    def write(self, writer: Marshaller) -> None:
        """Append the image."""
        writer.add(self.descriptor.pack())
        if self.data is not None:
            self.data.write(writer)


class SpicePattern(WireMessage):
    """A brush's picture and where it starts."""

    pat: Annotated[SpiceImage | None, Pointer(SpiceImage)]
    pos: SpicePoint


@dataclass(slots=True)
class SpiceBrush:
    """What a drawing paints with: nothing, a colour, or a picture."""

    type: int
    """``SPICE_BRUSH_TYPE_*``."""
    color: int = 0
    pattern: SpicePattern | None = None

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Take a brush.

        Raises:
            InvalidValueError: no such brush type.

        """
        match reader.u8():
            case SpiceBrushType.NONE:
                return cls(SpiceBrushType.NONE)
            case SpiceBrushType.SOLID:
                return cls(SpiceBrushType.SOLID, reader.u32())
            case SpiceBrushType.PATTERN:
                return cls(SpiceBrushType.PATTERN, 0, SpicePattern.read(reader))
            case value:
                raise InvalidValueError(f"brush type {value}")

    def write(self, writer: Marshaller) -> None:
        """Append the brush."""
        writer.u8(self.type)
        if self.type == SpiceBrushType.SOLID:
            writer.u32(self.color)
        elif self.pattern is not None:
            self.pattern.write(writer)


class SpiceQMask(WireMessage):
    """A one-bit mask."""

    flags: u8
    pos: SpicePoint
    bitmap: Annotated[SpiceImage | None, Pointer(SpiceImage)]
