"""The QXL commands that say the same as draw messages.

``place()`` writes one into a guest's memory; ``flatten()`` tells what the C core
understood of a command or a message.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from spice_common._c import ffi
from spice_protocol.draw import (
    SpiceBinaryData,
    SpiceBitmap,
    SpiceBrush,
    SpiceImage,
    SpicePoint,
    SpiceQMask,
    SpiceRect,
    SpiceSurfaceImage,
    SpiceTransform,
)
from spice_protocol.messages import draw as messages
from spice_protocol.messages.display import DisplayMsg
from spice_protocol.qxl_dev import (
    QXLAlphaBlend,
    QXLBitmap,
    QXLBlackness,
    QXLBrush,
    QXLComposite,
    QXLCopy,
    QXLCopyBits,
    QXLDataChunk,
    QxlDrawType,
    QXLFill,
    QXLImageDescriptor,
    QXLLineAttr,
    QXLOpaque,
    QXLPath,
    QXLPathSeg,
    QXLPattern,
    QXLPoint,
    QXLPoint16,
    QXLQMask,
    QXLRasterGlyph,
    QXLRect,
    QXLRop3,
    QXLString,
    QXLStroke,
    QXLText,
    QXLTransform,
    QXLTransparent,
)

if TYPE_CHECKING:
    from spice_protocol.wire import WireStruct
    from tests.fakes.command_memory import CommandMemory

__all__ = ["flatten", "place"]

NO_IMAGE = 2**32 - 1

# ---- the same in guest memory


def _rect(rect: SpiceRect) -> QXLRect:
    return QXLRect(rect.top, rect.left, rect.bottom, rect.right)


def _point(point: SpicePoint) -> QXLPoint:
    return QXLPoint(point.x, point.y)


class _Placer:
    """Puts the parts of one command into a guest's memory, their chunks cut by *cuts*."""

    def __init__(self, guest: CommandMemory, cuts: list[int]) -> None:
        self.guest, self.cuts = guest, cuts

    def chunk(self, header: bytes, data: bytes) -> int:
        _, first = self.guest.chunks(data, self.cuts)
        return self.guest.put(header + first)

    def image(self, image: SpiceImage | None) -> int:
        if image is None:
            return 0
        put, found = self.guest.put, image.descriptor
        descriptor = QXLImageDescriptor(
            found.id, found.type, found.flags, found.width, found.height
        ).pack()
        match image.data:
            case SpiceBinaryData(data=data):
                return self.chunk(
                    descriptor + struct.pack("<I", len(data)), bytes(data)
                )
            case SpiceSurfaceImage(surface_id=surface_id):
                return put(descriptor + struct.pack("<I", surface_id))
            case SpiceBitmap() as bitmap:
                return put(descriptor + self.bitmap(bitmap).pack())
            case _:
                raise AssertionError(image.data)

    def bitmap(self, bitmap: SpiceBitmap) -> QXLBitmap:
        palette = 0
        if found := bitmap.palette:
            colors = struct.pack(f"<{len(found.ents)}I", *found.ents)
            header = struct.pack("<QH", found.unique, len(found.ents))
            palette = self.guest.put(header + colors)
        data = self.chunk(b"", bytes(bitmap.data))
        size = bitmap.x, bitmap.y, bitmap.stride
        return QXLBitmap(bitmap.format, bitmap.flags, *size, palette, data)

    def brush(self, brush: SpiceBrush) -> QXLBrush:
        if brush.pattern is None:
            return QXLBrush(brush.type, struct.pack("<I", brush.color))
        image = self.image(brush.pattern.pat)
        return QXLBrush(brush.type, QXLPattern(image, _point(brush.pattern.pos)).pack())

    def mask(self, mask: SpiceQMask) -> QXLQMask:
        return QXLQMask(mask.flags, _point(mask.pos), self.image(mask.bitmap))

    def transform(self, transform: SpiceTransform | None) -> int:
        if transform is None:
            return 0
        names = ("t00", "t01", "t02", "t10", "t11", "t12")
        numbers = (getattr(transform, name) for name in names)
        return self.guest.put(QXLTransform(*numbers).pack())

    def path(self, path: messages.SpicePath) -> int:
        data = b"".join(
            QXLPathSeg(segment.flags, len(segment.points)).pack()
            + b"".join(point.pack() for point in segment.points)
            for segment in path.segments
        )
        return self.chunk(QXLPath(0, QXLDataChunk(0, 0, 0)).pack()[:4], data)

    def string(self, string: messages.SpiceString) -> int:
        data = b"".join(
            QXLRasterGlyph(
                _point(glyph.render_pos),
                _point(glyph.glyph_origin),
                glyph.width,
                glyph.height,
            ).pack()
            + glyph.data
            for glyph in string.glyphs
        )
        header = QXLString(
            len(data), len(string.glyphs), string.flags, QXLDataChunk(0, 0, 0)
        )
        return self.chunk(header.pack()[: -QXLDataChunk.SIZE], data)

    def body(self, data: Any) -> WireStruct:
        match data:
            case SpicePoint():
                return QXLCopyBits(_point(data))
            case messages.SpiceFill():
                brush, mask = self.brush(data.brush), self.mask(data.mask)
                return QXLFill(brush, data.rop_descriptor, mask)
            case messages.SpiceBlackness():
                return QXLBlackness(self.mask(data.mask))
            case messages.SpiceStroke():
                return self.stroke(data)
            case messages.SpiceText():
                brushes = self.brush(data.fore_brush), self.brush(data.back_brush)
                modes = data.fore_mode, data.back_mode
                area = _rect(data.back_area)
                return QXLText(self.string(data.str), area, *brushes, *modes)
            case messages.SpiceComposite():
                return self.composite(data)
            case _:
                return self.copy(
                    data, self.image(data.src_bitmap), _rect(data.src_area)
                )

    def copy(self, data: Any, image: int, area: QXLRect) -> WireStruct:
        match data:
            case messages.SpiceTransparent():
                return QXLTransparent(image, area, data.src_color, data.true_color)
            case messages.SpiceAlphaBlend():
                return QXLAlphaBlend(data.alpha_flags, data.alpha, image, area)
            case _:
                mask = self.mask(data.mask)
        match data:
            case messages.SpiceCopy():
                rop, scale = data.rop_descriptor, data.scale_mode
                return QXLCopy(image, area, rop, scale, mask)
            case messages.SpiceOpaque():
                rest = data.rop_descriptor, data.scale_mode, mask
                return QXLOpaque(image, area, self.brush(data.brush), *rest)
            case _:
                rest = data.rop3, data.scale_mode, mask
                return QXLRop3(image, area, self.brush(data.brush), *rest)

    def stroke(self, data: messages.SpiceStroke) -> QXLStroke:
        style = data.attr.style
        dashes = self.guest.put(struct.pack(f"<{len(style)}i", *style))
        line = QXLLineAttr(data.attr.flags, 0, 0, len(style), 0, 0, dashes)
        assert data.path is not None
        modes = data.fore_mode, data.back_mode
        return QXLStroke(self.path(data.path), line, self.brush(data.brush), *modes)

    def composite(self, data: messages.SpiceComposite) -> QXLComposite:
        origins = (
            QXLPoint16(data.src_origin.x, data.src_origin.y),
            QXLPoint16(data.mask_origin.x, data.mask_origin.y),
        )
        return QXLComposite(
            data.flags,
            self.image(data.src_bitmap),
            self.transform(data.src_transform),
            self.image(data.mask_bitmap),
            self.transform(data.mask_transform),
            *origins,
        )


_QXL_TYPES = {
    DisplayMsg.COPY_BITS: QxlDrawType.COPY_BITS,
    DisplayMsg.DRAW_FILL: QxlDrawType.DRAW_FILL,
    DisplayMsg.DRAW_OPAQUE: QxlDrawType.DRAW_OPAQUE,
    DisplayMsg.DRAW_COPY: QxlDrawType.DRAW_COPY,
    DisplayMsg.DRAW_BLEND: QxlDrawType.DRAW_BLEND,
    DisplayMsg.DRAW_BLACKNESS: QxlDrawType.DRAW_BLACKNESS,
    DisplayMsg.DRAW_WHITENESS: QxlDrawType.DRAW_WHITENESS,
    DisplayMsg.DRAW_INVERS: QxlDrawType.DRAW_INVERS,
    DisplayMsg.DRAW_ROP3: QxlDrawType.DRAW_ROP3,
    DisplayMsg.DRAW_STROKE: QxlDrawType.DRAW_STROKE,
    DisplayMsg.DRAW_TEXT: QxlDrawType.DRAW_TEXT,
    DisplayMsg.DRAW_TRANSPARENT: QxlDrawType.DRAW_TRANSPARENT,
    DisplayMsg.DRAW_ALPHA_BLEND: QxlDrawType.DRAW_ALPHA_BLEND,
    DisplayMsg.DRAW_COMPOSITE: QxlDrawType.DRAW_COMPOSITE,
}


def place(
    guest: CommandMemory,
    message_type: int,
    message: Any,
    cuts: list[int],
) -> int:
    """Write the drawable that *message* shows into guest memory; its address."""
    placer = _Placer(guest, cuts)
    data = message.src_pos if message_type == DisplayMsg.COPY_BITS else message.data
    clip = message.base.clip.rects
    return guest.drawable(
        _QXL_TYPES[DisplayMsg(message_type)],
        _rect(message.base.box),
        placer.body(data),
        clip=None if clip is None else [_rect(rect) for rect in clip],
        surface_id=message.base.surface_id,
    )


# ---- what the core understood


def _values(value: Any) -> Any:
    """Turn a C value into tuples and numbers."""
    if not isinstance(value, ffi.CData):
        return value
    kind = ffi.typeof(value)
    if kind.kind == "array":
        return tuple(_values(item) for item in value)
    return {name: _values(getattr(value, name)) for name, _ in kind.fields or ()}


def _image(batch: Any, index: int) -> Any:
    if index == NO_IMAGE:
        return None
    image = batch.images[index]
    found = _values(image)
    end = image.first_chunk + image.num_chunks
    chunks = batch.chunks[image.first_chunk : end] if image.num_chunks else []
    found["data"] = b"".join(bytes(ffi.buffer(one.data, one.size)) for one in chunks)
    end = image.first_color + image.num_colors
    found["colors"] = list(batch.colors[image.first_color : end]) if end else []
    for name in ("first_chunk", "num_chunks", "first_color"):
        del found[name]
    return found


def _path(batch: Any, path: Any) -> Any:
    segments = []
    for at in range(path.first_segment, path.first_segment + path.num_segments):
        segment = batch.segments[at]
        places = range(segment.first_point, segment.first_point + segment.num_points)
        points = [(batch.points[n].x, batch.points[n].y) for n in places]
        segments.append((segment.flags, points))
    styles = range(path.first_style, path.first_style + path.num_styles)
    return segments, path.line_flags, [batch.styles[n] for n in styles]


def _string(batch: Any, string: Any) -> Any:
    glyphs = []
    for at in range(string.first_glyph, string.first_glyph + string.num_glyphs):
        found = _values(batch.glyphs[at])
        data = batch.glyph_bytes + found.pop("first_byte")
        glyphs.append((found, bytes(ffi.buffer(data, found["num_bytes"]))))
    return string.flags, glyphs


_LATE = (
    "fore_mode",
    "back_mode",
    "path",
    "string",
    "back_brush",
    "back_area",
    "composite",
)
_NOT_SENT = ("effect", "mm_time", "surfaces_rects", "first_clip")


def flatten(batch: Any, index: int = 0) -> dict[str, Any]:
    """Return all that ``draws[index]`` says, what it refers to in place."""
    draw = batch.draws[index]
    found: dict[str, Any] = {
        name: _values(getattr(draw, name))
        for name, _ in ffi.typeof(draw).fields or ()
        if name not in _LATE and name not in _NOT_SENT
    }
    clips = range(draw.first_clip, draw.first_clip + draw.num_clips)
    found["clips"] = [_values(batch.clips[n]) for n in clips]
    found["image"] = _image(batch, draw.image)
    found["brush"]["image"] = _image(batch, draw.brush.image)
    found["mask"]["image"] = _image(batch, draw.mask.image)
    if draw.type in {QxlDrawType.DRAW_STROKE, QxlDrawType.DRAW_TEXT}:
        found["modes"] = draw.fore_mode, draw.back_mode
    if draw.type == QxlDrawType.DRAW_STROKE:
        found["path"] = _path(batch, draw.path)
    elif draw.type == QxlDrawType.DRAW_TEXT:
        found["string"] = _string(batch, draw.string)
        found["back_area"] = _values(draw.back_area)
        found["back_brush"] = _values(draw.back_brush)
        found["back_brush"]["image"] = _image(batch, draw.back_brush.image)
    elif draw.type == QxlDrawType.DRAW_COMPOSITE:
        found["composite"] = _values(draw.composite)
        found["composite"]["mask"] = _image(batch, draw.composite.mask)
    return found
