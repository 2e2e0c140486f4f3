"""STROKE, TEXT, COMPOSITE and the drawables of the first QXL, out of guest memory."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from spice_common.command_batch import CommandBatch
from spice_common.memslot import MemslotTable
from spice_protocol.enums import (
    SpiceBitmapFmt,
    SpiceBrushType,
    SpiceCompositeFlags,
    SpiceLineFlags,
    SpicePathFlags,
    SpiceRopd,
    SpiceStringFlags,
)
from spice_protocol.qxl_dev import (
    QXLBlackness,
    QXLBrush,
    QXLClip,
    QXLCmdType,
    QXLCompatAlphaBlend,
    QXLCompatDrawable,
    QXLCompatUpdateCmd,
    QXLComposite,
    QXLDataChunk,
    QxlDrawType,
    QXLLineAttr,
    QXLOperator,
    QXLPath,
    QXLPathSeg,
    QXLPoint,
    QXLPoint16,
    QXLRasterGlyph,
    QXLRect,
    QXLReleaseInfo,
    QXLString,
    QXLStroke,
    QXLText,
)
from tests.fakes.command_memory import (
    GENERATION,
    NO_MASK,
    NO_RECT,
    SLOT,
    CommandMemory,
    physical,
)
from tests.fakes.guest_scene import RAM_SLOT, VRAM_SLOT
from tests.fakes.guest_scenes import scenes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spice_protocol.wire import WireStruct

AREA = QXLRect(1, 2, 9, 12)
SOLID = QXLBrush(SpiceBrushType.SOLID, struct.pack("<I", 0x123456))
NO_IMAGE = 2**32 - 1
PUT = SpiceRopd.OP_PUT


@pytest.fixture
def guest() -> CommandMemory:
    return CommandMemory()


@pytest.fixture
def batch() -> CommandBatch:
    return CommandBatch()


def drain(guest: CommandMemory, batch: CommandBatch, **options: int) -> int:
    taken = batch.drain(guest.commands, guest.slots, **options)
    guest.releases.release(batch, guest.slots)
    return taken


def submit(
    guest: CommandMemory, batch: CommandBatch, kind: int, body: WireStruct
) -> dict[str, int]:
    """Push one drawable and drain; what was wrong with it."""
    guest.push(QXLCmdType.DRAW, guest.drawable(kind, AREA, body))
    assert drain(guest, batch) == 1
    errors = batch.take_errors()
    assert batch.num_draws == (not errors)
    return errors


def segment(flags: int, *numbers: int) -> bytes:
    header = QXLPathSeg(flags, len(numbers) // 2).pack()
    return header + struct.pack(f"<{len(numbers)}i", *numbers)


def stroke(
    guest: CommandMemory,
    path: bytes,
    *,
    style: Sequence[int] = (),
    flags: int | None = None,
    sizes: Sequence[int] = (),
) -> QXLStroke:
    _, first = guest.chunks(path, sizes)
    address = guest.put(QXLPath(77, QXLDataChunk(0, 0, 0)).pack()[:4] + first)
    if flags is None:
        flags = SpiceLineFlags.STYLED if style else 0
    dashes = guest.put(struct.pack(f"<{len(style)}i", *style))
    line = QXLLineAttr(flags, 0, 0, len(style), 0, 0, dashes)
    return QXLStroke(address, line, SOLID, PUT, SpiceRopd.OP_XOR)


LINE = segment(SpicePathFlags.BEGIN, 16, 32, 160, 320)
CURVE = segment(SpicePathFlags.BEZIER | SpicePathFlags.END, 1, 2, 3, 4, 5, 6)


def test_every_scene_of_a_hostile_guest_is_good_before_it_is_spoilt(
    batch: CommandBatch,
) -> None:
    for scene in scenes(0):
        guest = CommandMemory()
        guest.slots = MemslotTable()
        guest.slots.add(RAM_SLOT, 0, scene.memory)
        guest.slots.add(VRAM_SLOT, 0, bytearray(8192))
        if scene.kind != QXLCmdType.CURSOR:
            guest.push(scene.kind, scene.address)
            assert drain(guest, batch) == 1
            assert (scene.name, batch.num_entries) == (scene.name, 1)


@pytest.mark.parametrize("sizes", [(), (3, 0, 9), (20, 1)])
def test_stroke(guest: CommandMemory, batch: CommandBatch, sizes: list[int]) -> None:
    body = stroke(guest, LINE + CURVE, style=(48, 32), sizes=sizes)
    assert submit(guest, batch, QxlDrawType.DRAW_STROKE, body) == {}
    draw, c = batch.cdata.draws[0], batch.cdata
    assert (draw.fore_mode, draw.back_mode) == (PUT, SpiceRopd.OP_XOR)
    assert (draw.brush.type, draw.brush.color) == (SpiceBrushType.SOLID, 0x123456)
    assert (draw.path.num_segments, draw.path.num_styles) == (2, 2)
    assert draw.path.line_flags == SpiceLineFlags.STYLED
    assert list(c.styles[0:2]) == [48, 32]
    line, curve = c.segments[0:2]
    assert (line.flags, line.num_points) == (SpicePathFlags.BEGIN, 2)
    assert (curve.flags, curve.num_points) == (0x12, 3)
    points = [(point.x, point.y) for point in c.points[0:5]]
    assert points == [(16, 32), (160, 320), (1, 2), (3, 4), (5, 6)]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(LINE[:-1], id="cut short"),
        pytest.param(QXLPathSeg(1, 2**32 - 1).pack() + bytes(80), id="endless"),
        pytest.param(segment(SpicePathFlags.BEGIN), id="starts nowhere"),
        pytest.param(CURVE, id="curve from nowhere"),
        pytest.param(segment(17, 0, 0, 1, 1, 2, 2), id="two of three points"),
        pytest.param(segment(1, 2**31 - 1, 0, 1, 1), id="far away"),
        pytest.param(LINE + segment(2, 4, 4) + CURVE, id="curve after the end"),
    ],
)
def test_bad_paths(guest: CommandMemory, batch: CommandBatch, path: bytes) -> None:
    body = stroke(guest, path)
    errors = submit(guest, batch, QxlDrawType.DRAW_STROKE, body)
    assert errors == {"bad path": 1}
    assert batch.cdata.num_segments == batch.cdata.num_points == 0


@pytest.mark.parametrize("style", [(), (0,), (0, 7), (-16, 32), (256 << 4,)])
def test_bad_styles(
    guest: CommandMemory, batch: CommandBatch, style: Sequence[int]
) -> None:
    """What clients would store before an array, or walk along for ever."""
    body = stroke(guest, LINE, style=style, flags=SpiceLineFlags.STYLED)
    errors = submit(guest, batch, QxlDrawType.DRAW_STROKE, body)
    assert errors == {"bad path": 1}


def test_a_path_has_a_bound(guest: CommandMemory, batch: CommandBatch) -> None:
    """A chain that leads back to itself, too."""
    address = guest.put(QXLPath(0, QXLDataChunk(0, 0, 0)).pack() + LINE * 200)
    body = stroke(guest, LINE)
    body.path = address
    at = guest.offset(address) + 4
    loop = QXLDataChunk(len(LINE) * 200, 0, address + 4).pack()
    guest.memory[at : at + len(loop)] = loop
    errors = submit(guest, batch, QxlDrawType.DRAW_STROKE, body)
    assert errors == {"too big": 1}


GLYPH = QXLRasterGlyph(QXLPoint(3, 9), QXLPoint(-1, -7), 5, 7)
RASTER = {
    SpiceStringFlags.RASTER_A1: 1,
    SpiceStringFlags.RASTER_A4: 3,
    SpiceStringFlags.RASTER_A8: 5,
}


def text(
    guest: CommandMemory,
    data: bytes,
    length: int,
    flags: int,
    *,
    sizes: Sequence[int] = (),
    back_area: QXLRect = AREA,
    size: int | None = None,
) -> QXLText:
    _, first = guest.chunks(data, sizes)
    header = QXLString(
        len(data) if size is None else size, length, flags, QXLDataChunk(0, 0, 0)
    )
    address = guest.put(header.pack()[: -QXLDataChunk.SIZE] + first)
    nothing = QXLBrush(SpiceBrushType.NONE, b"")
    return QXLText(address, back_area, SOLID, nothing, PUT, 0)


@pytest.mark.parametrize("flags", RASTER)
@pytest.mark.parametrize("sizes", [(), (7, 0, 31)])
def test_text(
    guest: CommandMemory, batch: CommandBatch, flags: int, sizes: list[int]
) -> None:
    rows = [bytes([n]) * (RASTER[flags] * 7) for n in (1, 2, 3)]
    data = b"".join(GLYPH.pack() + pixels for pixels in rows)
    body = text(guest, data, 3, flags | SpiceStringFlags.RASTER_TOP_DOWN, sizes=sizes)
    assert submit(guest, batch, QxlDrawType.DRAW_TEXT, body) == {}
    draw, c = batch.cdata.draws[0], batch.cdata
    assert draw.string.flags == flags | SpiceStringFlags.RASTER_TOP_DOWN
    assert draw.string.num_glyphs == 3
    assert draw.brush.color == 0x123456
    assert draw.back_brush.type == SpiceBrushType.NONE
    assert (draw.back_area.top, draw.back_area.right) == (1, 12)
    for glyph, pixels in zip(c.glyphs[0:3], rows, strict=True):
        assert (glyph.render_x, glyph.render_y) == (3, 9)
        assert (glyph.origin_x, glyph.origin_y) == (-1, -7)
        assert (glyph.width, glyph.height) == (5, 7)
        end = glyph.first_byte + glyph.num_bytes
        assert bytes(c.glyph_bytes[glyph.first_byte : end]) == pixels


def test_blanks_are_left_out(guest: CommandMemory, batch: CommandBatch) -> None:
    blank = QXLRasterGlyph(QXLPoint(3, 9), QXLPoint(0, 0), 4, 0).pack()
    body = text(guest, blank + ONE + blank, 3, A1)
    assert submit(guest, batch, QxlDrawType.DRAW_TEXT, body) == {}
    assert batch.cdata.draws[0].string.num_glyphs == batch.cdata.num_glyphs == 1
    assert batch.cdata.glyphs[0].width == 5


A1 = SpiceStringFlags.RASTER_A1
ONE = GLYPH.pack() + bytes(7)


@pytest.mark.parametrize(
    ("data", "length", "flags"),
    [
        pytest.param(ONE, 1, 0, id="no depth"),
        pytest.param(ONE, 1, 3, id="two depths"),
        pytest.param(ONE, 2, A1, id="fewer glyphs"),
        pytest.param(ONE, 0, A1, id="more glyphs"),
        pytest.param(b"", 0, A1, id="none"),
        pytest.param(ONE[:-1], 1, A1, id="cut short"),
        pytest.param(ONE[:12], 1, A1, id="no header"),
        pytest.param(ONE + b"\0", 1, A1, id="more bytes"),
        pytest.param(ONE, 1, SpiceStringFlags.RASTER_A8, id="other depth"),
        pytest.param(
            QXLRasterGlyph(QXLPoint(2**31 - 1, 0), QXLPoint(5, 0), 5, 7).pack()
            + bytes(7),
            1,
            A1,
            id="far away",
        ),
        pytest.param(
            ONE
            + QXLRasterGlyph(QXLPoint(90000, 90000), QXLPoint(0, 0), 5, 7).pack()
            + bytes(7),
            2,
            A1,
            id="far apart",
        ),
        pytest.param(
            QXLRasterGlyph(QXLPoint(0, 0), QXLPoint(0, 0), 0, 0).pack(),
            1,
            A1,
            id="nothing visible",
        ),
    ],
)
def test_bad_strings(
    guest: CommandMemory, batch: CommandBatch, data: bytes, length: int, flags: int
) -> None:
    body = text(guest, data, length, flags)
    errors = submit(guest, batch, QxlDrawType.DRAW_TEXT, body)
    assert errors == {"bad string": 1}
    assert batch.cdata.num_glyphs == batch.cdata.num_glyph_bytes == 0


def test_a_string_has_a_bound(guest: CommandMemory, batch: CommandBatch) -> None:
    body = text(guest, ONE, 1, A1, size=(1 << 20) + 1)
    assert submit(guest, batch, QxlDrawType.DRAW_TEXT, body) == {"too big": 1}
    body = text(guest, ONE, 1, A1, size=len(ONE) + 1)
    assert submit(guest, batch, QxlDrawType.DRAW_TEXT, body) == {"chunks too short": 1}


def test_a_text_without_background(guest: CommandMemory, batch: CommandBatch) -> None:
    body = text(guest, ONE, 1, A1, back_area=QXLRect(5, 5, 5, 5))
    assert submit(guest, batch, QxlDrawType.DRAW_TEXT, body) == {}
    area = batch.cdata.draws[0].back_area
    assert (area.top, area.left, area.bottom, area.right) == (0, 0, 0, 0)


def test_back_area_far_away(guest: CommandMemory, batch: CommandBatch) -> None:
    body = text(guest, ONE, 1, A1, back_area=QXLRect(0, 0, 2**31 - 1, 5))
    errors = submit(guest, batch, QxlDrawType.DRAW_TEXT, body)
    assert errors == {"bad rectangle": 1}


def composite(guest: CommandMemory, **fields: int) -> QXLComposite:
    body = QXLComposite(
        QXLOperator.OVER,
        guest.bitmap(8, 8, bytes(256), format=SpiceBitmapFmt.FMT_RGBA),
        0,
        0,
        0,
        QXLPoint16(-3, 4),
        QXLPoint16(5, -6),
    )
    for name, value in fields.items():
        setattr(body, name, value)
    return body


def test_composite(guest: CommandMemory, batch: CommandBatch) -> None:
    noise = SpiceCompositeFlags.HAS_MASK | SpiceCompositeFlags.DEST_OPAQUE
    body = composite(guest, flags=QXLOperator.OVER | noise)
    assert submit(guest, batch, QxlDrawType.DRAW_COMPOSITE, body) == {}
    draw = batch.cdata.draws[0]
    found = draw.composite
    # Parts are where the addresses say so.
    assert found.flags == QXLOperator.OVER | SpiceCompositeFlags.DEST_OPAQUE
    assert (draw.image, found.mask) == (0, NO_IMAGE)
    assert (found.has_src_transform, found.has_mask_transform) == (0, 0)
    assert (found.src_origin_x, found.src_origin_y) == (-3, 4)
    assert (found.mask_origin_x, found.mask_origin_y) == (5, -6)


def test_composite_with_all_parts(guest: CommandMemory, batch: CommandBatch) -> None:
    numbers = struct.pack("<6i", 1 << 15, 2, -3, 4, 1 << 16, -6)
    mask = guest.bitmap(8, 8, bytes(64), format=SpiceBitmapFmt.FMT_8BIT_A)
    transform = guest.put(numbers)
    body = composite(
        guest, mask=mask, src_transform=transform, mask_transform=transform
    )
    assert submit(guest, batch, QxlDrawType.DRAW_COMPOSITE, body) == {}
    found = batch.cdata.draws[0].composite
    parts = (
        SpiceCompositeFlags.HAS_MASK
        | SpiceCompositeFlags.HAS_SRC_TRANSFORM
        | SpiceCompositeFlags.HAS_MASK_TRANSFORM
    )
    assert found.flags == QXLOperator.OVER | parts
    assert found.mask == 1
    for got in (found.src_transform, found.mask_transform):
        assert struct.pack("<6i", *got) == numbers


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"flags": 0x0E}, "bad drawable"),
        ({"flags": 0x3F}, "bad drawable"),
        ({"flags": 5 << 8}, "bad drawable"),
        ({"flags": 7 << 11}, "bad drawable"),
        ({"src": 0}, "bad memory slot"),
        ({"src_transform": 5}, "bad memory slot"),
        ({"mask": 5}, "bad memory slot"),
    ],
)
def test_bad_composites(
    guest: CommandMemory, batch: CommandBatch, fields: dict[str, int], error: str
) -> None:
    body = composite(guest, **fields)
    assert submit(guest, batch, QxlDrawType.DRAW_COMPOSITE, body) == {error: 1}
    assert batch.cdata.num_images == 0


def compat(kind: int, body: WireStruct, **fields: object) -> bytes:
    drawable = QXLCompatDrawable(
        QXLReleaseInfo(1), 1, kind, 0, NO_RECT, AREA, QXLClip(0, 0), 99, body.pack()
    )
    for name, value in fields.items():
        setattr(drawable, name, value)
    return drawable.pack()


def test_compat_drawables(guest: CommandMemory, batch: CommandBatch) -> None:
    image = guest.bitmap(16, 16, bytes(1024))
    blend = QXLCompatAlphaBlend(77, image, QXLRect(0, 0, 8, 10))
    guest.push(QXLCmdType.DRAW, guest.put(compat(QxlDrawType.DRAW_ALPHA_BLEND, blend)))
    self_area = {"bitmap_offset": 128, "bitmap_area": AREA}
    blend = QXLCompatAlphaBlend(78, 0, QXLRect(0, 0, 8, 10))
    data = compat(QxlDrawType.DRAW_ALPHA_BLEND, blend, **self_area)
    guest.push(QXLCmdType.DRAW, guest.put(data))
    guest.push(
        QXLCmdType.DRAW,
        guest.put(compat(QxlDrawType.DRAW_TEXT, text(guest, ONE, 1, A1))),
    )
    assert drain(guest, batch, compat=True) == 3
    assert batch.take_errors() == {}
    first, second, third = batch.cdata.draws[0:3]
    assert (first.alpha, first.alpha_flags, first.mm_time) == (77, 0, 99)
    assert (first.surface_id, first.image, first.self_bitmap) == (0, 0, 0)
    assert list(first.surfaces_dest) == [-1, -1, -1]
    assert (second.alpha, second.self_bitmap, second.image) == (78, 1, NO_IMAGE)
    assert (second.self_bitmap_area.top, second.self_bitmap_area.left) == (1, 2)
    assert (third.type, third.string.num_glyphs) == (QxlDrawType.DRAW_TEXT, 1)


def test_composite_came_later_than_compat(
    guest: CommandMemory, batch: CommandBatch
) -> None:
    data = compat(QxlDrawType.DRAW_COMPOSITE, stroke(guest, LINE))
    guest.push(QXLCmdType.DRAW, guest.put(data))
    assert drain(guest, batch, compat=True) == 1
    assert batch.take_errors() == {"bad drawable": 1}


def test_compat_update(guest: CommandMemory, batch: CommandBatch) -> None:
    command = QXLCompatUpdateCmd(QXLReleaseInfo(1), AREA, 5).pack()
    guest.push(QXLCmdType.UPDATE, guest.put(command + b"\xff" * 8))
    assert drain(guest, batch, compat=True) == 1
    found = batch.cdata.updates[0]
    assert (found.update_id, found.surface_id, found.area.bottom) == (5, 0, 9)


def test_compat_counts_as_many_bytes_as_it_has(
    guest: CommandMemory, batch: CommandBatch
) -> None:
    """A compat drawable at the end of a slot, where today's would not fit."""
    data = compat(QxlDrawType.DRAW_BLACKNESS, QXLBlackness(NO_MASK))
    start = len(guest.memory) - len(data)
    guest.memory[start:] = data
    guest.push(QXLCmdType.DRAW, physical(SLOT, GENERATION, start))
    assert drain(guest, batch, compat=True) == 1
    assert batch.num_draws == 1
