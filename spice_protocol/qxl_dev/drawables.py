"""QXLDrawable and what it draws (spice/qxl_dev.h)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from spice_protocol.qxl_dev.geometry import (
    QXLDataChunk,
    QXLPoint,
    QXLPoint16,
    QXLRect,
    QXLReleaseInfo,
)
from spice_protocol.wire import Array, Union, WireStruct, i32, u8, u16, u32, u64

__all__ = [
    "QXLAlphaBlend",
    "QXLBlackness",
    "QXLBlend",
    "QXLBrush",
    "QXLClip",
    "QXLClipRects",
    "QXLCompatAlphaBlend",
    "QXLCompatDrawable",
    "QXLComposite",
    "QXLCopy",
    "QXLCopyBits",
    "QXLDrawable",
    "QXLFill",
    "QXLInvers",
    "QXLLineAttr",
    "QXLOpaque",
    "QXLPath",
    "QXLPathSeg",
    "QXLPattern",
    "QXLQMask",
    "QXLRasterGlyph",
    "QXLRop3",
    "QXLString",
    "QXLStroke",
    "QXLText",
    "QXLTransform",
    "QXLTransparent",
    "QXLWhiteness",
]


class QXLRasterGlyph(WireStruct):
    """One glyph of a string."""

    FLEXIBLE: ClassVar[str] = "data"

    render_pos: QXLPoint
    glyph_origin: QXLPoint
    width: u16
    height: u16


class QXLString(WireStruct):
    """A string of glyphs."""

    data_size: u32
    length: u16
    flags: u16
    chunk: QXLDataChunk


class QXLCopyBits(WireStruct):
    """QXL_COPY_BITS: move pixels inside a surface."""

    src_pos: QXLPoint


class QXLPattern(WireStruct):
    """A brush's picture and where it starts."""

    pat: u64
    pos: QXLPoint


class QXLBrush(WireStruct):
    """What a fill paints with; *type* is ``SPICE_BRUSH_TYPE_*``."""

    type: u32
    u: Annotated[bytes, Union({"color": u32, "pattern": QXLPattern})]


class QXLQMask(WireStruct):
    """A one-bit mask."""

    flags: u8
    pos: QXLPoint
    bitmap: u64


class QXLFill(WireStruct):
    """QXL_DRAW_FILL."""

    brush: QXLBrush
    rop_descriptor: u16
    mask: QXLQMask


class QXLOpaque(WireStruct):
    """QXL_DRAW_OPAQUE."""

    src_bitmap: u64
    src_area: QXLRect
    brush: QXLBrush
    rop_descriptor: u16
    scale_mode: u8
    mask: QXLQMask


class QXLCopy(WireStruct):
    """QXL_DRAW_COPY."""

    src_bitmap: u64
    src_area: QXLRect
    rop_descriptor: u16
    scale_mode: u8
    mask: QXLQMask


QXLBlend = QXLCopy


class QXLTransparent(WireStruct):
    """QXL_DRAW_TRANSPARENT: copy all but one colour."""

    src_bitmap: u64
    src_area: QXLRect
    src_color: u32
    true_color: u32


class QXLAlphaBlend(WireStruct):
    """QXL_DRAW_ALPHA_BLEND."""

    alpha_flags: u16
    alpha: u8
    src_bitmap: u64
    src_area: QXLRect


class QXLCompatAlphaBlend(WireStruct):
    """QXL_DRAW_ALPHA_BLEND of a driver in compatibility mode."""

    alpha: u8
    src_bitmap: u64
    src_area: QXLRect


class QXLRop3(WireStruct):
    """QXL_DRAW_ROP3: ternary raster operation."""

    src_bitmap: u64
    src_area: QXLRect
    brush: QXLBrush
    rop3: u8
    scale_mode: u8
    mask: QXLQMask


class QXLLineAttr(WireStruct):
    """How a line looks."""

    flags: u8
    join_style: u8
    end_style: u8
    style_nseg: u8
    width: i32
    miter_limit: i32
    style: u64


class QXLStroke(WireStruct):
    """QXL_DRAW_STROKE: draw along a path."""

    path: u64
    attr: QXLLineAttr
    brush: QXLBrush
    fore_mode: u16
    back_mode: u16


class QXLText(WireStruct):
    """QXL_DRAW_TEXT."""

    str: u64
    back_area: QXLRect
    fore_brush: QXLBrush
    back_brush: QXLBrush
    fore_mode: u16
    back_mode: u16


class QXLBlackness(WireStruct):
    """QXL_DRAW_BLACKNESS, and the body of _WHITENESS and _INVERS."""

    mask: QXLQMask


QXLInvers = QXLBlackness
QXLWhiteness = QXLBlackness


class QXLClip(WireStruct):
    """Clipping; *type* is ``SPICE_CLIP_TYPE_*``, *data* leads to QXLClipRects."""

    type: u32
    data: u64


class QXLTransform(WireStruct):
    """Two rows of a fixed-point matrix."""

    t00: u32
    t01: u32
    t02: u32
    t10: u32
    t11: u32
    t12: u32


class QXLComposite(WireStruct):
    """QXL_DRAW_COMPOSITE; *flags* packs operator, filters and repeats."""

    flags: u32
    src: u64
    src_transform: u64
    mask: u64
    mask_transform: u64
    src_origin: QXLPoint16
    mask_origin: QXLPoint16


class QXLCompatDrawable(WireStruct):
    """QXL_CMD_DRAW of a driver in compatibility mode."""

    release_info: QXLReleaseInfo
    effect: u8
    type: u8
    bitmap_offset: u16
    bitmap_area: QXLRect
    bbox: QXLRect
    clip: QXLClip
    mm_time: u32
    u: Annotated[
        bytes,
        Union({
            "fill": QXLFill, "opaque": QXLOpaque, "copy": QXLCopy,
            "transparent": QXLTransparent, "alpha_blend": QXLCompatAlphaBlend,
            "copy_bits": QXLCopyBits, "blend": QXLBlend, "rop3": QXLRop3,
            "stroke": QXLStroke, "text": QXLText, "blackness": QXLBlackness,
            "invers": QXLInvers, "whiteness": QXLWhiteness,
        }),
    ]  # fmt: skip


class QXLDrawable(WireStruct):
    """QXL_CMD_DRAW: one drawing; *type* says which member of *u* is meant."""

    release_info: QXLReleaseInfo
    surface_id: u32
    effect: u8
    type: u8
    self_bitmap: u8
    self_bitmap_area: QXLRect
    bbox: QXLRect
    clip: QXLClip
    mm_time: u32
    surfaces_dest: Annotated[tuple[int, ...], Array(i32, 3)]
    surfaces_rects: Annotated[tuple[QXLRect, ...], Array(QXLRect, 3)]
    u: Annotated[
        bytes,
        Union({
            "fill": QXLFill, "opaque": QXLOpaque, "copy": QXLCopy,
            "transparent": QXLTransparent, "alpha_blend": QXLAlphaBlend,
            "copy_bits": QXLCopyBits, "blend": QXLBlend, "rop3": QXLRop3,
            "stroke": QXLStroke, "text": QXLText, "blackness": QXLBlackness,
            "invers": QXLInvers, "whiteness": QXLWhiteness,
            "composite": QXLComposite,
        }),
    ]  # fmt: skip


class QXLClipRects(WireStruct):
    """Clip rectangles; they lie in the chunk."""

    num_rects: u32
    chunk: QXLDataChunk


class QXLPathSeg(WireStruct):
    """One segment of a path."""

    FLEXIBLE: ClassVar[str] = "points"

    flags: u32
    count: u32


class QXLPath(WireStruct):
    """A path; its segments lie in the chunk."""

    data_size: u32
    chunk: QXLDataChunk
