"""Good commands with everything they lead to, and where each of their fields lies.

A hostile guest takes a scene, spoils fields of it, and submits it.  The fields come from
the wire tables, so none of a structure is forgotten.
"""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import TYPE_CHECKING

from spice_protocol.enums import (
    SpiceBitmapFmt,
    SpiceBrushType,
    SpiceClipType,
    SpiceCursorType,
    SpiceImageType,
    SpiceLineFlags,
    SpiceRopd,
    SpiceStringFlags,
    SpiceSurfaceFmt,
)
from spice_protocol.qxl_dev import (
    QXLAlphaBlend,
    QXLBitmap,
    QXLBlackness,
    QXLBrush,
    QXLClip,
    QXLClipRects,
    QXLCmdType,
    QXLComposite,
    QXLCopy,
    QXLCopyBits,
    QXLCursor,
    QXLCursorCmd,
    QxlCursorCmdType,
    QXLCursorHeader,
    QXLCursorSet,
    QXLCursorTrail,
    QXLDataChunk,
    QXLDrawable,
    QxlDrawType,
    QXLFill,
    QXLHead,
    QXLImage,
    QXLImageDescriptor,
    QXLLineAttr,
    QXLMessage,
    QXLMonitorsConfig,
    QXLOpaque,
    QXLPalette,
    QXLPath,
    QXLPathSeg,
    QXLPattern,
    QXLPoint,
    QXLPoint16,
    QXLQMask,
    QXLQUICData,
    QXLRasterGlyph,
    QXLRect,
    QXLReleaseInfo,
    QXLRop3,
    QXLString,
    QXLStroke,
    QXLSurface,
    QXLSurfaceCmd,
    QXLSurfaceCmdType,
    QXLSurfaceId,
    QXLText,
    QXLTransform,
    QXLTransparent,
    QXLUpdateCmd,
    join_physical,
)
from tests.fakes.guest_scene import VRAM_SLOT, Scene, fields_of

if TYPE_CHECKING:
    from spice_protocol.wire import WireStruct

__all__ = ["monitors", "scenes"]

AREA = QXLRect(2, 3, 10, 11)
SOURCE = QXLRect(0, 0, 8, 8)
NO_RECT = QXLRect(0, 0, 0, 0)
NO_MASK = QXLQMask(0, QXLPoint(0, 0), 0)
SOLID = QXLBrush(SpiceBrushType.SOLID, b"\x30\x60\x90\0")
SURFACE_ID = 3
_NO_CHUNK = QXLDataChunk(0, 0, 0)


# ---- pieces


def _command(scene: Scene, command: WireStruct, body: WireStruct | None) -> None:
    assert not scene.memory
    scene.put(command)
    if body is not None:
        scene.put_member(0, type(command), body)


def _drawable(scene: Scene, kind: QxlDrawType, body: WireStruct) -> None:
    drawable = QXLDrawable(
        QXLReleaseInfo(1), 0, 1, kind, 0, NO_RECT, AREA, QXLClip(0, 0), 0,
        (-1, -1, -1), (NO_RECT, NO_RECT, NO_RECT), b"",
    )  # fmt: skip
    _command(scene, drawable, body)


def _chunks(scene: Scene, data: bytes, pieces: int = 1) -> int:
    """Put *data* into a chain of chunks; the place of the first."""
    size = -(-len(data) // pieces)
    places = []
    for start in range(0, len(data), size):
        piece = data[start : start + size]
        places.append(scene.put(QXLDataChunk(len(piece), 0, 0), piece))
    for one, other in pairwise(places):
        scene.patch(one + QXLDataChunk.offset("next_chunk"), scene.physical(other))
        scene.patch(other + QXLDataChunk.offset("prev_chunk"), scene.physical(one))
    return places[0]


def _image(
    scene: Scene, bits: int, bitmap_format: SpiceBitmapFmt, *, pieces: int = 1
) -> int:
    """Put an image of 8 x 8 pixels; its QXLPHYSICAL."""
    descriptor = QXLImageDescriptor(5 << 32, SpiceImageType.BITMAP, 0, 8, 8)
    place = scene.put(QXLImage(descriptor, b""))
    stride = max(4, bits)  # 8 pixels a row
    palette = 0
    if bits <= 8 and bitmap_format != SpiceBitmapFmt.FMT_8BIT_A:
        colors = struct.pack("<4I", 0, 0xFF0000, 0xFF00, 0xFF)
        if bits == 1:
            colors = colors[:8]
        palette = scene.physical(scene.put(QXLPalette(9, len(colors) // 4), colors))
    pixels = bytes(n % 2 for n in range(8 * stride))
    data = scene.physical(_chunks(scene, pixels, pieces))
    bitmap = QXLBitmap(bitmap_format, 4, 8, 8, stride, palette, data)
    scene.put_member(place, QXLImage, bitmap)
    return scene.physical(place)


def _copy(
    scene: Scene,
    bits: int = 32,
    bitmap_format: SpiceBitmapFmt = SpiceBitmapFmt.FMT_32BIT,
    *,
    kind: QxlDrawType = QxlDrawType.DRAW_COPY,
    pieces: int = 1,
) -> None:
    _drawable(scene, kind, QXLCopy(0, SOURCE, SpiceRopd.OP_PUT, 0, NO_MASK))
    image = _image(scene, bits, bitmap_format, pieces=pieces)
    scene.patch(QXLDrawable.offset("u") + QXLCopy.offset("src_bitmap"), image)


def _source(scene: Scene, cls: type[WireStruct]) -> None:
    """Give a body that has one a picture."""
    image = _image(scene, 32, SpiceBitmapFmt.FMT_32BIT)
    scene.patch(QXLDrawable.offset("u") + cls.offset("src_bitmap"), image)


def _clip(scene: Scene) -> None:
    """Clip a drawable to two rectangles in two chunks."""
    rects = QXLRect(0, 0, 6, 6).pack() + QXLRect(7, 7, 9, 20).pack()
    place = scene.put(QXLClipRects(2, QXLDataChunk(16, 0, 0)), rects[:16])
    other = _chunks(scene, rects[16:])
    chunk = place + QXLClipRects.offset("chunk")
    scene.patch(chunk + QXLDataChunk.offset("next_chunk"), scene.physical(other))
    clip = QXLDrawable.offset("clip")
    scene.patch(clip + QXLClip.offset("type"), SpiceClipType.RECTS, 4)
    scene.patch(clip + QXLClip.offset("data"), scene.physical(place))


# ---- scenes


def _fill(scene: Scene) -> None:
    _drawable(scene, QxlDrawType.DRAW_FILL, QXLFill(SOLID, 8, NO_MASK))
    _clip(scene)


def _fill_pattern(scene: Scene) -> None:
    _drawable(scene, QxlDrawType.DRAW_FILL, QXLFill(SOLID, 8, NO_MASK))
    image = _image(scene, 32, SpiceBitmapFmt.FMT_32BIT)
    brush = QXLDrawable.offset("u") + QXLFill.offset("brush")
    scene.patch(brush, SpiceBrushType.PATTERN, 4)
    at = brush + QXLBrush.offset("u")
    pattern = QXLPattern(image, QXLPoint(1, 1))
    scene.memory[at : at + QXLPattern.SIZE] = pattern.pack()
    scene.spots += fields_of(QXLPattern, at)


def _blackness_masked(scene: Scene) -> None:
    _drawable(scene, QxlDrawType.DRAW_BLACKNESS, QXLBlackness(NO_MASK))
    image = _image(scene, 1, SpiceBitmapFmt.FMT_1BIT_BE)
    mask = QXLDrawable.offset("u") + QXLBlackness.offset("mask")
    scene.patch(mask + QXLQMask.offset("bitmap"), image)


def _copy_from_surface(scene: Scene) -> None:
    _drawable(scene, QxlDrawType.DRAW_COPY, QXLCopy(0, SOURCE, 8, 0, NO_MASK))
    descriptor = QXLImageDescriptor(6 << 32, SpiceImageType.SURFACE, 0, 16, 16)
    place = scene.put(QXLImage(descriptor, b""))
    scene.put_member(place, QXLImage, QXLSurfaceId(SURFACE_ID))
    at = QXLDrawable.offset("u") + QXLCopy.offset("src_bitmap")
    scene.patch(at, scene.physical(place))
    scene.needs_surface = True


def _copy_quic(scene: Scene) -> None:
    _drawable(scene, QxlDrawType.DRAW_COPY, QXLCopy(0, SOURCE, 8, 0, NO_MASK))
    descriptor = QXLImageDescriptor(7 << 32, SpiceImageType.QUIC, 0, 8, 8)
    place = scene.put(QXLImage(descriptor, b""), bytes(64))
    scene.put_member(place, QXLImage, QXLQUICData(32))
    chunk_at = place + QXLImage.offset("u") + QXLQUICData.SIZE
    chunk = QXLDataChunk(32, 0, 0).pack() + b"QUIC"
    scene.memory[chunk_at : chunk_at + len(chunk)] = chunk
    scene.spots += fields_of(QXLDataChunk, chunk_at)
    at = QXLDrawable.offset("u") + QXLCopy.offset("src_bitmap")
    scene.patch(at, scene.physical(place))


def _self_bitmap(scene: Scene) -> None:
    _drawable(scene, QxlDrawType.DRAW_COPY, QXLCopy(0, SOURCE, 8, 0, NO_MASK))
    scene.patch(QXLDrawable.offset("self_bitmap"), 1, 1)
    at = QXLDrawable.offset("self_bitmap_area")
    scene.memory[at : at + QXLRect.SIZE] = SOURCE.pack()


def _opaque(scene: Scene) -> None:
    body = QXLOpaque(0, SOURCE, SOLID, SpiceRopd.OP_PUT, 0, NO_MASK)
    _drawable(scene, QxlDrawType.DRAW_OPAQUE, body)
    _source(scene, QXLOpaque)


def _rop3(scene: Scene) -> None:
    body = QXLRop3(0, SOURCE, SOLID, 0xCC, 0, NO_MASK)
    _drawable(scene, QxlDrawType.DRAW_ROP3, body)
    _source(scene, QXLRop3)


def _transparent(scene: Scene) -> None:
    body = QXLTransparent(0, SOURCE, 0, 0)
    _drawable(scene, QxlDrawType.DRAW_TRANSPARENT, body)
    _source(scene, QXLTransparent)


def _alpha_blend(scene: Scene) -> None:
    _drawable(scene, QxlDrawType.DRAW_ALPHA_BLEND, QXLAlphaBlend(0, 128, 0, SOURCE))
    _source(scene, QXLAlphaBlend)


def _transform(scene: Scene) -> int:
    half = QXLTransform(1 << 15, 0, 1 << 16, 0, 1 << 15, 0)
    return scene.physical(scene.put(half))


def _composite(scene: Scene) -> None:
    here = QXLPoint16(1, 2)
    body = QXLComposite(3, 0, 0, 0, 0, here, here)
    _drawable(scene, QxlDrawType.DRAW_COMPOSITE, body)
    parts = {
        "src": _image(scene, 32, SpiceBitmapFmt.FMT_RGBA),
        "src_transform": _transform(scene),
        "mask": _image(scene, 8, SpiceBitmapFmt.FMT_8BIT_A),
        "mask_transform": _transform(scene),
    }
    for name, address in parts.items():
        scene.patch(QXLDrawable.offset("u") + QXLComposite.offset(name), address)


def _stroke(scene: Scene) -> None:
    line = QXLLineAttr(SpiceLineFlags.STYLED, 0, 0, 2, 1, 1, 0)
    _drawable(scene, QxlDrawType.DRAW_STROKE, QXLStroke(0, line, SOLID, 8, 8))
    points = struct.pack("<6i", 32, 48, 160, 48, 100, 160)
    segments = QXLPathSeg(1, 3).pack() + points + QXLPathSeg(0x12, 3).pack() + points
    place = scene.put(QXLPath(len(segments), QXLDataChunk(40, 0, 0)), segments[:40])
    other = _chunks(scene, segments[40:])
    chunk = place + QXLPath.offset("chunk")
    scene.patch(chunk + QXLDataChunk.offset("next_chunk"), scene.physical(other))
    first = place + QXLPath.SIZE
    scene.spots += fields_of(QXLPathSeg, first)
    stroke = QXLDrawable.offset("u")
    scene.patch(stroke + QXLStroke.offset("path"), scene.physical(place))
    style = stroke + QXLStroke.offset("attr") + QXLLineAttr.offset("style")
    scene.patch(style, scene.physical(scene.put(QXLPoint(3 << 4, 2 << 4))))


def _text(scene: Scene) -> None:
    _drawable(scene, QxlDrawType.DRAW_TEXT, QXLText(0, AREA, SOLID, SOLID, 8, 8))
    header = QXLRasterGlyph(QXLPoint(4, 9), QXLPoint(0, -7), 5, 7)
    glyphs = (header.pack() + bytes(range(21))) * 2
    string = QXLString(len(glyphs), 2, SpiceStringFlags.RASTER_A4, _NO_CHUNK)
    place = scene.put(string)
    chunk = place + QXLString.offset("chunk")
    other = _chunks(scene, glyphs, 3)
    scene.patch(chunk + QXLDataChunk.offset("next_chunk"), scene.physical(other))
    scene.spots += fields_of(QXLRasterGlyph, other + QXLDataChunk.SIZE)
    at = QXLDrawable.offset("u") + QXLText.offset("str")
    scene.patch(at, scene.physical(place))


def _surface(scene: Scene) -> None:
    data = join_physical(VRAM_SLOT, 0, 4096, 8, 8)
    command = QXLSurfaceCmd(
        QXLReleaseInfo(1), SURFACE_ID, QXLSurfaceCmdType.CREATE, 0, b""
    )
    surface = QXLSurface(SpiceSurfaceFmt.FMT_32_ARGB, 16, 16, 64, data)
    scene.kind = QXLCmdType.SURFACE
    _command(scene, command, surface)


def _destroy_surface(scene: Scene) -> None:
    kind = QXLSurfaceCmdType.DESTROY
    scene.kind = QXLCmdType.SURFACE
    scene.needs_surface = True
    _command(scene, QXLSurfaceCmd(QXLReleaseInfo(1), SURFACE_ID, kind, 0, b""), None)


def _update(scene: Scene) -> None:
    scene.kind = QXLCmdType.UPDATE
    _command(scene, QXLUpdateCmd(QXLReleaseInfo(1), AREA, 0, 0), None)


def _message(scene: Scene) -> None:
    scene.kind = QXLCmdType.MESSAGE
    scene.put(QXLMessage(QXLReleaseInfo(1)), b"\x1b]0;hello\7\n%s\0")


def _cursor_set(scene: Scene) -> None:
    scene.kind = QXLCmdType.CURSOR
    command = QXLCursorCmd(QXLReleaseInfo(1), QxlCursorCmdType.SET, b"")
    _command(scene, command, QXLCursorSet(QXLPoint16(3, 4), 1, 0))
    header = QXLCursorHeader(11, SpiceCursorType.ALPHA, 8, 8, 1, 1)
    shape = scene.put(QXLCursor(header, 256, QXLDataChunk(128, 0, 0)), bytes(128))
    other = _chunks(scene, bytes(range(128)))
    chunk = shape + QXLCursor.offset("chunk")
    scene.patch(chunk + QXLDataChunk.offset("next_chunk"), scene.physical(other))
    at = QXLCursorCmd.offset("u") + QXLCursorSet.offset("shape")
    scene.patch(at, scene.physical(shape))


def _cursor(scene: Scene, kind: QxlCursorCmdType, body: WireStruct | None) -> None:
    scene.kind = QXLCmdType.CURSOR
    _command(scene, QXLCursorCmd(QXLReleaseInfo(1), kind, b""), body)


_FMT = SpiceBitmapFmt
_DRAW = QxlDrawType
_CURSOR = QxlCursorCmdType
_BUILDERS = {
    "fill, clipped": _fill,
    "fill with a pattern": _fill_pattern,
    "copy": lambda s: _copy(s, pieces=3),
    "copy of indexes": lambda s: _copy(s, 8, _FMT.FMT_8BIT),
    "copy of 4 bits": lambda s: _copy(s, 4, _FMT.FMT_4BIT_BE),
    "copy of 16 bits": lambda s: _copy(s, 16, _FMT.FMT_16BIT),
    "copy of 24 bits": lambda s: _copy(s, 24, _FMT.FMT_24BIT),
    "copy of RGBA": lambda s: _copy(s, 32, _FMT.FMT_RGBA),
    "copy from a surface": _copy_from_surface,
    "copy of QUIC": _copy_quic,
    "copy of itself": _self_bitmap,
    "blend": lambda s: _copy(s, kind=_DRAW.DRAW_BLEND),
    "opaque": _opaque,
    "rop3": _rop3,
    "transparent": _transparent,
    "alpha blend": _alpha_blend,
    "composite": _composite,
    "stroke": _stroke,
    "text": _text,
    "blackness, masked": _blackness_masked,
    "whiteness": lambda s: _drawable(s, _DRAW.DRAW_WHITENESS, QXLBlackness(NO_MASK)),
    "invers": lambda s: _drawable(s, _DRAW.DRAW_INVERS, QXLBlackness(NO_MASK)),
    "copy bits": lambda s: _drawable(s, _DRAW.COPY_BITS, QXLCopyBits(QXLPoint(20, 20))),
    "surface": _surface,
    "destroy surface": _destroy_surface,
    "update": _update,
    "message": _message,
    "cursor": _cursor_set,
    "move cursor": lambda s: _cursor(s, _CURSOR.MOVE, QXLPoint16(5, 6)),
    "hide cursor": lambda s: _cursor(s, _CURSOR.HIDE, None),
    "cursor trail": lambda s: _cursor(s, _CURSOR.TRAIL, QXLCursorTrail(2, 3)),
}


def scenes(base: int) -> list[Scene]:
    """Return one scene of each kind, every one for RAM offset *base*."""
    result = []
    for name, build in _BUILDERS.items():
        scene = Scene(name, base)
        build(scene)
        result.append(scene)
    return result


def monitors(base: int) -> Scene:
    """Return what QXLRam.monitors_config points to; it is no command."""
    scene = Scene("monitors config", base)
    scene.put(QXLMonitorsConfig(2, 2))
    scene.memory = scene.memory[: QXLMonitorsConfig.SIZE]
    for number in range(2):
        at = len(scene.memory)
        scene.memory += QXLHead(number, 0, 32, 48, 32 * number, 0, 0).pack()
        scene.spots += fields_of(QXLHead, at)
    return scene
