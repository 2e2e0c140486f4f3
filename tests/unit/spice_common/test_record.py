"""The wrapper of the record; what it writes is tested in C."""

from __future__ import annotations

import pytest

from spice_common.cursor_command import CursorCommand, CursorShape
from spice_common.record import DeviceMessage, Record, RecordFullError
from spice_protocol.qxl_dev import QxlCursorCmdType


def text(record: Record) -> str:
    return bytes(record.take()).decode()


def test_a_record_is_taken_piece_by_piece():
    record = Record(1000)
    assert record.size == 15
    assert text(record) == "SPICE_REPLAY 1\n"
    assert text(record) == ""
    record.message(DeviceMessage.OOM, 5)
    record.create_primary((1, 2), -4, 32, 1, memoryview(b"01234567"), 6)
    assert text(record) == (
        "event 0 1 3 5\nevent 1 1 20 6\n1 2 -4 32\n0 1 1 0\nbinary 0 data 8:01234567\n"
    )


def test_cursors():
    record = Record(1000)
    record.take()
    shape = CursorShape(
        unique=1,
        type=0,
        width=2,
        height=1,
        hot_spot_x=1,
        hot_spot_y=0,
        data=b"8bytes!!",
    )
    record.cursor(CursorCommand(QxlCursorCmdType.SET, 3, -4, True, shape), 1)
    record.cursor(CursorCommand(QxlCursorCmdType.MOVE, 5, 6), 2)
    record.cursor(
        CursorCommand(QxlCursorCmdType.TRAIL, trail_length=7, trail_frequency=8), 3
    )
    assert text(record) == (
        "event 0 0 3 1\ncursor_cmd\ntype 0\npoint16 3 -4\nu.set.visible 1\n"
        "header.unique 1\nheader.type 0\nheader.width 2\nheader.height 1\n"
        "header.hot_spot_x 1\nheader.hot_spot_y 0\ndata_size 8\n"
        "data_chunks 0 8\nbinary 0 cursor 8:8bytes!!\n"
        "event 1 0 3 2\ncursor_cmd\ntype 1\npoint16 5 6\n"
        "event 2 0 3 3\ncursor_cmd\ntype 3\nu.trail.length 7\nu.trail.frequency 8\n"
    )


def test_a_record_that_is_full():
    record = Record(40)
    with pytest.raises(RecordFullError):
        record.create_primary((4, 4), 16, 32, 0, bytes(64), 1)
    record.message(DeviceMessage.STOP, 1)
    with pytest.raises(RecordFullError):
        record.message(DeviceMessage.STOP, 1)
    assert text(record) == "SPICE_REPLAY 1\nevent 0 1 9 1\n"


def test_not_even_a_header_fits():
    with pytest.raises(MemoryError):
        Record(3)
