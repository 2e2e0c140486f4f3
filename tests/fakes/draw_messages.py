"""Draw messages of every type, made of the tables in ``spice_protocol``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from spice_protocol.draw import (
    SpiceBinaryData,
    SpiceBitmap,
    SpiceBrush,
    SpiceClip,
    SpiceImage,
    SpiceImageDescriptor,
    SpiceJPEGAlphaData,
    SpiceLZPLTData,
    SpicePalette,
    SpicePattern,
    SpicePoint,
    SpicePoint16,
    SpicePointFix,
    SpiceQMask,
    SpiceRect,
    SpiceSurfaceImage,
    SpiceTransform,
    SpiceZlibGlzRGBData,
)
from spice_protocol.enums import (
    SpiceBitmapFlags,
    SpiceBitmapFmt,
    SpiceBrushType,
    SpiceCompositeFlags,
    SpiceImageType,
    SpiceLineFlags,
    SpiceStringFlags,
)
from spice_protocol.messages import draw as messages
from spice_protocol.messages.display import DisplayMsg

if TYPE_CHECKING:
    from collections.abc import Callable


__all__ = ["QXL_KINDS", "TYPES", "draw_messages", "qxl_messages"]

_NEAR = st.integers(-50, 300)
_U16, _U32 = st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)
_I16 = st.integers(-(2**15), 2**15 - 1)
_FIXED = st.integers(-(2**20) * 16, 2**20 * 16)
_ROP = st.integers(0, 0x7FF)
_SCALE = st.integers(0, 1)

# ---- images

_BITS = {
    SpiceBitmapFmt.FMT_1BIT_LE: 1,
    SpiceBitmapFmt.FMT_1BIT_BE: 1,
    SpiceBitmapFmt.FMT_4BIT_LE: 4,
    SpiceBitmapFmt.FMT_4BIT_BE: 4,
    SpiceBitmapFmt.FMT_8BIT: 8,
    SpiceBitmapFmt.FMT_16BIT: 16,
    SpiceBitmapFmt.FMT_24BIT: 24,
    SpiceBitmapFmt.FMT_32BIT: 32,
    SpiceBitmapFmt.FMT_RGBA: 32,
    SpiceBitmapFmt.FMT_8BIT_A: 8,
}
_MASKS = [SpiceBitmapFmt.FMT_1BIT_LE, SpiceBitmapFmt.FMT_1BIT_BE]
_BINARY = {
    SpiceImageType.QUIC,
    SpiceImageType.LZ_RGB,
    SpiceImageType.GLZ_RGB,
    SpiceImageType.JPEG,
    SpiceImageType.LZ4,
}
QXL_KINDS = (SpiceImageType.BITMAP, SpiceImageType.QUIC, SpiceImageType.SURFACE)
"""What a guest may send."""

_sides = st.integers(1, 12)
_payloads = st.binary(min_size=1, max_size=40)


@st.composite
def _palettes(draw: st.DrawFn, most: int = 16) -> SpicePalette:
    colors = draw(st.lists(_U32, min_size=1, max_size=most))
    return SpicePalette(draw(st.integers(0, 2**64 - 1)), colors)


@st.composite
def _bitmaps(
    draw: st.DrawFn, width: int, height: int, formats: list[SpiceBitmapFmt]
) -> SpiceBitmap:
    kind = draw(st.sampled_from(formats))
    bits = _BITS[kind]
    row = (width * bits + 7) // 8
    pad = bytes(-row % 4)
    seed = draw(st.integers(0, 255))
    rows = [bytes((seed + 7 * y + x) % 256 for x in range(row)) for y in range(height)]
    indexed = bits <= 8 and kind != SpiceBitmapFmt.FMT_8BIT_A
    palette = draw(_palettes(1 << min(bits, 4))) if indexed else None
    flags = draw(st.sampled_from([0, SpiceBitmapFlags.TOP_DOWN]))
    data = b"".join(one + pad for one in rows)
    return SpiceBitmap(flags, palette, 0, kind, width, height, row + len(pad), data)


@st.composite
def _data(draw: st.DrawFn, kind: int, width: int, height: int) -> Any:
    if kind in _BINARY:
        return SpiceBinaryData(draw(_payloads))
    match kind:
        case SpiceImageType.BITMAP:
            return draw(_bitmaps(width, height, list(_BITS)))
        case SpiceImageType.LZ_PLT:
            flags = draw(st.sampled_from([0, 4, 1]))
            return SpiceLZPLTData(flags, draw(_palettes()), 0, draw(_payloads))
        case SpiceImageType.ZLIB_GLZ_RGB:
            return SpiceZlibGlzRGBData(draw(_U32), draw(_payloads))
        case SpiceImageType.JPEG_ALPHA:
            data = draw(_payloads)
            size = draw(st.integers(0, len(data)))
            return SpiceJPEGAlphaData(draw(st.integers(0, 1)), size, data)
        case SpiceImageType.SURFACE:
            return SpiceSurfaceImage(draw(st.integers(0, 1023)))
        case _:
            return None


@st.composite
def _images(draw: st.DrawFn, kinds: tuple[SpiceImageType, ...]) -> SpiceImage:
    kind = draw(st.sampled_from(kinds))
    width, height = draw(_sides), draw(_sides)
    data = draw(_data(kind, width, height))
    if kind == SpiceImageType.SURFACE:
        width = height = 0
    flags = draw(st.sampled_from([0, 2])) if kind != SpiceImageType.SURFACE else 0
    unique = draw(st.integers(0, 2**64 - 1))
    return SpiceImage(SpiceImageDescriptor(unique, kind, flags, width, height), data)


@st.composite
def _mask_images(draw: st.DrawFn) -> SpiceImage:
    width, height = draw(_sides), draw(_sides)
    bitmap = draw(_bitmaps(width, height, _MASKS))
    if draw(st.booleans()):
        bitmap.palette = None
    descriptor = SpiceImageDescriptor(5, SpiceImageType.BITMAP, 0, width, height)
    return SpiceImage(descriptor, bitmap)


# ---- parts

_points = st.builds(SpicePoint, _NEAR, _NEAR)
_rects = st.builds(
    lambda y, x, height, width: SpiceRect(y, x, y + height, x + width),
    _NEAR,
    _NEAR,
    st.integers(1, 300),
    st.integers(1, 300),
)
_clips = st.builds(SpiceClip, st.none() | st.lists(_rects, max_size=5))
_bases = st.builds(messages.SpiceMsgDisplayBase, st.integers(0, 1023), _rects, _clips)
_masks = st.builds(SpiceQMask, st.integers(0, 1), _points, _mask_images()) | st.just(
    SpiceQMask(0, SpicePoint(0, 0), None)
)
_transforms = st.none() | st.builds(SpiceTransform, *[_U32] * 6)
_places16 = st.builds(SpicePoint16, _I16, _I16)


@st.composite
def _brushes(draw: st.DrawFn, kinds: tuple[SpiceImageType, ...]) -> SpiceBrush:
    match draw(st.sampled_from(SpiceBrushType)):
        case SpiceBrushType.SOLID:
            return SpiceBrush(SpiceBrushType.SOLID, draw(_U32))
        case SpiceBrushType.PATTERN:
            pattern = SpicePattern(draw(_images(kinds)), draw(_points))
            return SpiceBrush(SpiceBrushType.PATTERN, 0, pattern)
        case _:
            return SpiceBrush(SpiceBrushType.NONE)


@st.composite
def _sources(
    draw: st.DrawFn, kinds: tuple[SpiceImageType, ...]
) -> tuple[SpiceImage, SpiceRect]:
    """An image and an area inside it."""
    image = draw(_images(kinds))
    width = image.descriptor.width or 500
    height = image.descriptor.height or 500
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    right = draw(st.integers(left + 1, width))
    bottom = draw(st.integers(top + 1, height))
    return image, SpiceRect(top, left, bottom, right)


@st.composite
def _paths(draw: st.DrawFn) -> messages.SpicePath:
    segments = []
    fixed = st.builds(SpicePointFix, _FIXED, _FIXED)
    for _ in range(draw(st.integers(0, 4))):
        threes = draw(st.integers(0, 2))
        curve = draw(st.booleans()) and threes > 0
        count = 1 + 3 * threes if curve else draw(st.integers(1, 5))
        points = draw(st.lists(fixed, min_size=count, max_size=count))
        flags = 1 | (16 if curve else 0) | draw(st.sampled_from([0, 2, 10]))
        segments.append(messages.SpicePathSeg(flags, points))
    return messages.SpicePath(segments)


_line_attributes = st.builds(
    lambda flags, style: messages.SpiceLineAttr(
        flags | (SpiceLineFlags.STYLED if style else 0), style
    ),
    st.sampled_from([0, SpiceLineFlags.START_WITH_GAP]),
    st.lists(st.integers(16, 255 * 16), max_size=4),
)


@st.composite
def _strings(draw: st.DrawFn) -> messages.SpiceString:
    depths = {
        SpiceStringFlags.RASTER_A1: 1,
        SpiceStringFlags.RASTER_A4: 4,
        SpiceStringFlags.RASTER_A8: 8,
    }
    flag = draw(st.sampled_from(list(depths)))
    glyphs = []
    for _ in range(draw(st.integers(1, 4))):
        width, height = draw(_sides), draw(_sides)
        size = (width * depths[flag] + 7) // 8 * height
        data = draw(st.binary(min_size=size, max_size=size))
        place = draw(_points), draw(_points)
        glyphs.append(messages.SpiceRasterGlyph(*place, width, height, data))
    return messages.SpiceString(flag | draw(st.sampled_from([0, 8])), glyphs)


# ---- bodies


@st.composite
def _copies(draw: st.DrawFn, kinds: tuple[SpiceImageType, ...]) -> messages.SpiceCopy:
    source = draw(_sources(kinds))
    return messages.SpiceCopy(*source, draw(_ROP), draw(_SCALE), draw(_masks))


@st.composite
def _opaques(
    draw: st.DrawFn, kinds: tuple[SpiceImageType, ...]
) -> messages.SpiceOpaque:
    source, brush = draw(_sources(kinds)), draw(_brushes(kinds))
    rest = draw(_ROP), draw(_SCALE), draw(_masks)
    return messages.SpiceOpaque(*source, brush, *rest)


@st.composite
def _rop3s(draw: st.DrawFn, kinds: tuple[SpiceImageType, ...]) -> messages.SpiceRop3:
    source, brush = draw(_sources(kinds)), draw(_brushes(kinds))
    rest = draw(st.integers(0, 255)), draw(_SCALE), draw(_masks)
    return messages.SpiceRop3(*source, brush, *rest)


@st.composite
def _transparents(
    draw: st.DrawFn, kinds: tuple[SpiceImageType, ...]
) -> messages.SpiceTransparent:
    return messages.SpiceTransparent(*draw(_sources(kinds)), draw(_U32), draw(_U32))


@st.composite
def _alpha_blends(
    draw: st.DrawFn, kinds: tuple[SpiceImageType, ...]
) -> messages.SpiceAlphaBlend:
    flags, alpha = draw(st.integers(0, 3)), draw(st.integers(0, 255))
    return messages.SpiceAlphaBlend(flags, alpha, *draw(_sources(kinds)))


@st.composite
def _composites(
    draw: st.DrawFn, kinds: tuple[SpiceImageType, ...]
) -> messages.SpiceComposite:
    operators = st.integers(0, 0x0D) | st.integers(0x30, 0x3E)
    filters = draw(st.integers(0, 4)) << 8 | draw(st.integers(0, 4)) << 11
    flags = draw(operators) | filters | draw(st.integers(0, 31)) << 14
    flags |= draw(st.integers(0, 7)) << 22
    mask = draw(st.none() | _images(kinds))
    transforms = draw(_transforms), draw(_transforms) if mask else None
    flags |= SpiceCompositeFlags.HAS_MASK if mask else 0
    flags |= SpiceCompositeFlags.HAS_SRC_TRANSFORM if transforms[0] else 0
    flags |= SpiceCompositeFlags.HAS_MASK_TRANSFORM if transforms[1] else 0
    origins = draw(_places16), draw(_places16)
    return messages.SpiceComposite(
        flags, draw(_images(kinds)), mask, *transforms, *origins
    )


_BODIES: dict[int, Callable[..., st.SearchStrategy[Any]]] = {
    DisplayMsg.COPY_BITS: lambda _: _points,
    DisplayMsg.DRAW_FILL: lambda kinds: st.builds(
        messages.SpiceFill, _brushes(kinds), _ROP, _masks
    ),
    DisplayMsg.DRAW_OPAQUE: _opaques,
    DisplayMsg.DRAW_COPY: _copies,
    DisplayMsg.DRAW_BLEND: _copies,
    DisplayMsg.DRAW_BLACKNESS: lambda _: st.builds(messages.SpiceBlackness, _masks),
    DisplayMsg.DRAW_WHITENESS: lambda _: st.builds(messages.SpiceBlackness, _masks),
    DisplayMsg.DRAW_INVERS: lambda _: st.builds(messages.SpiceBlackness, _masks),
    DisplayMsg.DRAW_ROP3: _rop3s,
    DisplayMsg.DRAW_STROKE: lambda kinds: st.builds(
        messages.SpiceStroke, _paths(), _line_attributes, _brushes(kinds), _ROP, _ROP
    ),
    DisplayMsg.DRAW_TEXT: lambda kinds: st.builds(
        messages.SpiceText,
        _strings(),
        _rects | st.just(SpiceRect(0, 0, 0, 0)),
        _brushes(kinds),
        _brushes(kinds),
        _ROP,
        _ROP,
    ),
    DisplayMsg.DRAW_TRANSPARENT: _transparents,
    DisplayMsg.DRAW_ALPHA_BLEND: _alpha_blends,
    DisplayMsg.DRAW_COMPOSITE: _composites,
}
_CLASSES: dict[int, type[Any]] = {
    DisplayMsg.COPY_BITS: messages.SpiceMsgDisplayCopyBits,
    DisplayMsg.DRAW_FILL: messages.SpiceMsgDisplayDrawFill,
    DisplayMsg.DRAW_OPAQUE: messages.SpiceMsgDisplayDrawOpaque,
    DisplayMsg.DRAW_COPY: messages.SpiceMsgDisplayDrawCopy,
    DisplayMsg.DRAW_BLEND: messages.SpiceMsgDisplayDrawBlend,
    DisplayMsg.DRAW_BLACKNESS: messages.SpiceMsgDisplayDrawBlackness,
    DisplayMsg.DRAW_WHITENESS: messages.SpiceMsgDisplayDrawWhiteness,
    DisplayMsg.DRAW_INVERS: messages.SpiceMsgDisplayDrawInvers,
    DisplayMsg.DRAW_ROP3: messages.SpiceMsgDisplayDrawRop3,
    DisplayMsg.DRAW_STROKE: messages.SpiceMsgDisplayDrawStroke,
    DisplayMsg.DRAW_TEXT: messages.SpiceMsgDisplayDrawText,
    DisplayMsg.DRAW_TRANSPARENT: messages.SpiceMsgDisplayDrawTransparent,
    DisplayMsg.DRAW_ALPHA_BLEND: messages.SpiceMsgDisplayDrawAlphaBlend,
    DisplayMsg.DRAW_COMPOSITE: messages.SpiceMsgDisplayDrawComposite,
}
TYPES = tuple(_CLASSES)
"""Every message by which something is drawn."""

_SERVER_KINDS = tuple(
    kind for kind in SpiceImageType if kind != SpiceImageType.RESERVED
)


def draw_messages(
    message_type: int, kinds: tuple[SpiceImageType, ...] = _SERVER_KINDS
) -> st.SearchStrategy[Any]:
    """Make messages of that type, with images of those kinds."""
    return st.builds(_CLASSES[message_type], _bases, _BODIES[message_type](kinds))


def qxl_messages(message_type: int) -> st.SearchStrategy[Any]:
    """Make messages that a guest can ask for."""
    return draw_messages(message_type, QXL_KINDS)
