"""The pointer, and its cache of shapes."""

from __future__ import annotations

import pytest

from spice_client.cursor import MAX_CACHED, CursorChannel
from spice_protocol.draw import SpicePoint16
from spice_protocol.enums import SpiceCursorFlags, SpiceCursorType
from spice_protocol.errors import InvalidValueError, LimitExceededError
from spice_protocol.messages.cursor import (
    CursorMsg,
    SpiceCursor,
    SpiceCursorHeader,
    SpiceMsgCursorInit,
    SpiceMsgCursorInvalOne,
    SpiceMsgCursorMove,
    SpiceMsgCursorSet,
)
from tests.fakes.spice_peer import MINI, framed

NOTHING = SpiceCursor(SpiceCursorFlags.NONE)


def shape(flags: int = 0, unique: int = 1, data: bytes = b"ABGR") -> SpiceCursor:
    header = SpiceCursorHeader(unique, SpiceCursorType.ALPHA, 1, 1, 0, 0)
    return SpiceCursor(flags, header, data)


def put(cursor: SpiceCursor) -> bytes:
    return framed(CursorMsg.SET, SpiceMsgCursorSet(SpicePoint16(3, 4), 1, cursor))


@pytest.fixture
def channel() -> CursorChannel:
    channel = CursorChannel(MINI)
    init = SpiceMsgCursorInit(SpicePoint16(-1, 2), 0, 0, 0, NOTHING)
    channel.receive_data(framed(CursorMsg.INIT, init))
    return channel


def test_init(channel: CursorChannel) -> None:
    assert channel.initialized
    assert channel.position == (-1, 2)
    assert not channel.visible
    assert channel.shape is None


def test_set_move_hide_reset(channel: CursorChannel) -> None:
    channel.receive_data(put(shape()))
    assert channel.shape == shape()
    assert (channel.position, channel.visible) == ((3, 4), True)
    channel.receive_data(framed(CursorMsg.HIDE))
    assert not channel.visible
    move = SpiceMsgCursorMove(SpicePoint16(7, 8))
    channel.receive_data(framed(CursorMsg.MOVE, move))
    assert (channel.position, channel.visible) == ((7, 8), True)
    channel.receive_data(framed(CursorMsg.RESET))
    assert channel.shape is None
    assert not channel.visible


def test_cache(channel: CursorChannel) -> None:
    kept = shape(SpiceCursorFlags.CACHE_ME, 5, b"kept")
    again = shape(SpiceCursorFlags.FROM_CACHE, 5, b"")
    channel.receive_data(put(kept) + put(shape()) + put(again))
    assert channel.shape == kept
    one = framed(CursorMsg.INVAL_ONE, SpiceMsgCursorInvalOne(5))
    for inval in (one, framed(CursorMsg.INVAL_ALL), framed(CursorMsg.RESET)):
        channel.receive_data(put(kept) + inval)
        with pytest.raises(InvalidValueError, match="cursor 0x5 is not cached"):
            channel.receive_data(put(again))


def test_cache_is_bounded(channel: CursorChannel) -> None:
    for unique in range(MAX_CACHED):
        channel.receive_data(put(shape(SpiceCursorFlags.CACHE_ME, unique)))
    with pytest.raises(LimitExceededError):
        channel.receive_data(put(shape(SpiceCursorFlags.CACHE_ME, MAX_CACHED)))


def test_large_shapes_are_bounded_too(channel: CursorChannel) -> None:
    large = bytes(15 << 20)
    for unique in range(4):
        channel.receive_data(put(shape(SpiceCursorFlags.CACHE_ME, unique, large)))
    with pytest.raises(LimitExceededError, match="5 cached cursors"):
        channel.receive_data(put(shape(SpiceCursorFlags.CACHE_ME, 5, large)))
