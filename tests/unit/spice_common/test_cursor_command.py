from __future__ import annotations

import struct

import pytest

from spice_common.cursor_command import CursorCommand, CursorReader, CursorShape
from spice_common.errors import RingBrokenError
from spice_common.ipc_ring import Consumer
from spice_protocol.enums import SpiceCursorType
from spice_protocol.qxl_dev import (
    QXLCmdType,
    QXLCommand,
    QXLCursorCmd,
    QxlCursorCmdType,
    QXLCursorHeader,
    QXLCursorSet,
    QXLCursorTrail,
    QXLPoint16,
    QXLReleaseInfo,
)
from tests.fakes.command_memory import CommandMemory


@pytest.fixture
def guest() -> CommandMemory:
    return CommandMemory()


@pytest.fixture
def reader() -> CursorReader:
    return CursorReader()


def push(guest: CommandMemory, kind: int, body: bytes) -> int:
    """Push a cursor command; its release id."""
    offset = guest.used
    command = QXLCursorCmd(QXLReleaseInfo(offset), kind, body)
    guest.push_cursor(QXLCmdType.CURSOR, guest.put(command.pack()))
    return offset


def shape(
    guest: CommandMemory,
    pixels: bytes,
    size: tuple[int, int] = (4, 2),
    kind: int = SpiceCursorType.ALPHA,
    hot_spot: tuple[int, int] = (1, 1),
) -> bytes:
    """Place a QXLCursor in two chunks and return the body that sets it."""
    header = QXLCursorHeader(42, kind, *size, *hot_spot)
    _, first = guest.chunks(pixels, [5])
    data = header.pack() + struct.pack("<I", len(pixels)) + first
    return QXLCursorSet(QXLPoint16(-3, 9), 1, guest.put(data)).pack()


def test_set(guest: CommandMemory, reader: CursorReader) -> None:
    pixels = bytes(range(32))
    push(guest, QxlCursorCmdType.SET, shape(guest, pixels))
    assert reader.pop(guest.cursors, guest.slots, guest.releases) == CursorCommand(
        type=QxlCursorCmdType.SET,
        x=-3,
        y=9,
        visible=True,
        shape=CursorShape(
            unique=42,
            type=SpiceCursorType.ALPHA,
            width=4,
            height=2,
            hot_spot_x=1,
            hot_spot_y=1,
            data=pixels,
        ),
    )
    assert reader.pop(guest.cursors, guest.slots, guest.releases) is None


def test_move_hide_and_trail(guest: CommandMemory, reader: CursorReader) -> None:
    ids = [
        push(guest, QxlCursorCmdType.MOVE, QXLPoint16(7, -8).pack()),
        push(guest, QxlCursorCmdType.HIDE, b""),
        push(guest, QxlCursorCmdType.TRAIL, QXLCursorTrail(3, 4).pack()),
    ]
    found = [reader.pop(guest.cursors, guest.slots, guest.releases) for _ in ids]
    assert found == [
        CursorCommand(QxlCursorCmdType.MOVE, x=7, y=-8),
        CursorCommand(QxlCursorCmdType.HIDE),
        CursorCommand(QxlCursorCmdType.TRAIL, trail_length=3, trail_frequency=4),
    ]
    guest.releases.flush()
    assert guest.collect() == ids


def test_bad_ones_are_skipped_counted_and_released(
    guest: CommandMemory, reader: CursorReader
) -> None:
    ids = [
        push(guest, QxlCursorCmdType.SET, shape(guest, bytes(31))),
        push(guest, QxlCursorCmdType.SET, shape(guest, bytes(32), hot_spot=(4, 0))),
        push(guest, QxlCursorCmdType.SET, shape(guest, bytes(32), kind=99)),
        push(guest, 4, b""),
        push(guest, QxlCursorCmdType.HIDE, b""),
    ]
    found = reader.pop(guest.cursors, guest.slots, guest.releases)
    assert found == CursorCommand(QxlCursorCmdType.HIDE)
    assert reader.take_errors() == {"bad cursor": 3, "bad command type": 1}
    assert reader.take_errors() == {}
    guest.releases.flush()
    assert guest.collect() == ids


def test_interrupts(guest: CommandMemory, reader: CursorReader) -> None:
    guest.releases.bunch = 1
    push(guest, QxlCursorCmdType.HIDE, b"")
    reader.pop(guest.cursors, guest.slots, guest.releases)
    assert (reader.notify, reader.release_notify) == (False, True)
    for _ in range(32):
        push(guest, QxlCursorCmdType.HIDE, b"")
    assert guest.guest_cursors.wait()
    reader.pop(guest.cursors, guest.slots, guest.releases)
    assert (reader.notify, reader.release_notify) == (True, False)


def test_empty_ring_asks_for_a_notification(
    guest: CommandMemory, reader: CursorReader
) -> None:
    assert reader.pop(guest.cursors, guest.slots, guest.releases) is None
    item = QXLCommand(0, QXLCmdType.CURSOR).pack()
    assert guest.guest_cursors.push([item]).notify


def test_broken_ring(guest: CommandMemory, reader: CursorReader) -> None:
    memory = bytearray(Consumer.size_of(32, 16))
    ring = Consumer(memory, num_items=32, item_size=16)
    struct.pack_into("<I", memory, 4, 33)
    with pytest.raises(RingBrokenError):
        reader.pop(ring, guest.slots, guest.releases)
