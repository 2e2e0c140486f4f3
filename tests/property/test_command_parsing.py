"""Commands built from the tables of qxl_dev.h come back out of a batch unchanged."""

from __future__ import annotations

import struct

from hypothesis import given, settings, strategies as st

from spice_common.command_batch import CommandBatch
from spice_common.cursor_command import CursorReader
from spice_protocol.enums import SpiceBrushType, SpiceCursorType, SpiceRopd
from spice_protocol.qxl_dev import (
    QXLBrush,
    QXLCmdType,
    QXLCopy,
    QXLCursorCmd,
    QxlCursorCmdType,
    QXLCursorHeader,
    QXLCursorSet,
    QxlDrawType,
    QXLFill,
    QXLPoint16,
    QXLRect,
    QXLReleaseInfo,
)
from tests.fakes.command_memory import NO_MASK, CommandMemory

MAX_COORDINATE = 1 << 20
coordinates = st.one_of(
    st.integers(-64, 4096),
    st.integers(-(2**31), 2**31 - 1),
    st.sampled_from([-MAX_COORDINATE, MAX_COORDINATE, MAX_COORDINATE + 1]),
)
rects = st.builds(QXLRect, coordinates, coordinates, coordinates, coordinates)
near = st.integers(0, 300)
good_rects = st.builds(
    lambda top, left, height, width: QXLRect(
        top, left, top + 1 + height, left + 1 + width
    ),
    near,
    near,
    near,
    near,
)


def is_good(rect: QXLRect) -> bool:
    sides = (rect.top, rect.left, rect.bottom, rect.right)
    return (
        all(-MAX_COORDINATE <= side <= MAX_COORDINATE for side in sides)
        and rect.top < rect.bottom
        and rect.left < rect.right
    )


def as_rect(c_rect: object) -> QXLRect:
    return QXLRect(c_rect.top, c_rect.left, c_rect.bottom, c_rect.right)  # type: ignore[attr-defined]


def drain_one(guest: CommandMemory) -> CommandBatch:
    batch = CommandBatch()
    assert batch.drain(guest.commands, guest.slots) == 1
    guest.releases.release(batch, guest.slots)
    assert guest.releases.pending == 1
    return batch


@given(bbox=rects, clip=st.lists(rects, max_size=5), color=st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_fill(bbox: QXLRect, clip: list[QXLRect], color: int) -> None:
    guest = CommandMemory(1 << 16)
    brush = QXLBrush(SpiceBrushType.SOLID, struct.pack("<I", color))
    body = QXLFill(brush, SpiceRopd.OP_PUT, NO_MASK)
    address = guest.drawable(QxlDrawType.DRAW_FILL, bbox, body, clip=clip)
    guest.push(QXLCmdType.DRAW, address)
    batch = drain_one(guest)
    if not is_good(bbox):
        assert batch.take_errors() == {"bad rectangle": 1}
        return
    draw = batch.cdata.draws[0]
    assert as_rect(draw.bbox) == bbox
    assert draw.brush.color == color
    kept = [rect for rect in clip if is_good(rect)]
    found = batch.cdata.clips[draw.first_clip : draw.first_clip + draw.num_clips]
    assert [as_rect(rect) for rect in found] == kept


@given(
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    padding=st.integers(0, 9),
    cuts=st.lists(st.integers(0, 700), max_size=20),
    source=st.one_of(good_rects, rects),
)
@settings(deadline=None)
def test_copy(
    width: int, height: int, padding: int, cuts: list[int], source: QXLRect
) -> None:
    guest = CommandMemory(1 << 16)
    size = (width * 4 + padding) * height
    pixels = bytes(index * 31 % 256 for index in range(size))
    image = guest.bitmap(width, height, pixels, sizes=cuts)
    body = QXLCopy(image, source, SpiceRopd.OP_PUT, 0, NO_MASK)
    area = QXLRect(0, 0, 10, 10)
    guest.push(QXLCmdType.DRAW, guest.drawable(QxlDrawType.DRAW_COPY, area, body))
    batch = drain_one(guest)
    inside = (
        is_good(source)
        and source.top >= 0
        and source.left >= 0
        and source.bottom <= height
        and source.right <= width
    )
    assert batch.num_draws == inside
    if inside:
        found = batch.cdata.images[batch.cdata.draws[0].image]
        chunks = batch.cdata.chunks[
            found.first_chunk : found.first_chunk + found.num_chunks
        ]
        parts = [bytes(chunk.data[0 : chunk.size]) for chunk in chunks]
        assert b"".join(parts) == pixels
        assert as_rect(batch.cdata.draws[0].src_area) == source


@given(
    kind=st.integers(0, 8),
    noise=st.binary(max_size=400),
    address=st.one_of(st.none(), st.integers(0, 2**64 - 1)),
)
@settings(deadline=None)
def test_noise_is_counted_and_released(
    kind: int, noise: bytes, address: int | None
) -> None:
    """Anything at all in place of a command: an entry or a count, never more."""
    guest = CommandMemory(1 << 12)
    good = guest.put(struct.pack("<Q", 99) + noise)
    guest.push(kind, good if address is None else address)
    batch = CommandBatch()
    assert batch.drain(guest.commands, guest.slots) == 1
    counted = sum(batch.take_errors().values())
    nothing = kind == QXLCmdType.NOP or batch.num_entries == counted == 0
    assert nothing or batch.num_entries + counted == 1
    guest.releases.release(batch, guest.slots)
    if address is None:
        assert guest.releases.pending == (kind != QXLCmdType.NOP)


@given(
    kind=st.sampled_from(SpiceCursorType),
    width=st.integers(0, 600),
    height=st.integers(0, 40),
    size=st.integers(0, 5000),
    x=st.integers(-(2**15), 2**15 - 1),
)
@settings(deadline=None)
def test_cursor(
    kind: SpiceCursorType, width: int, height: int, size: int, x: int
) -> None:
    guest = CommandMemory(1 << 16)
    pixels = bytes(index % 256 for index in range(size))
    header = QXLCursorHeader(1, kind, width, height, 0, 0)
    _, first = guest.chunks(pixels, [size // 3])
    shape = guest.put(header.pack() + struct.pack("<I", size) + first)
    body = QXLCursorSet(QXLPoint16(x, 0), 1, shape).pack()
    command = QXLCursorCmd(QXLReleaseInfo(5), QxlCursorCmdType.SET, body)
    guest.push_cursor(QXLCmdType.CURSOR, guest.put(command.pack()))
    reader = CursorReader()
    found = reader.pop(guest.cursors, guest.slots, guest.releases)
    assert guest.releases.pending == 1
    if found is None:
        assert sum(reader.take_errors().values()) == 1
    else:
        assert found.x == x
        assert found.shape is not None
        assert (found.shape.width, found.shape.height) == (width, height)
        assert pixels.startswith(found.shape.data)
