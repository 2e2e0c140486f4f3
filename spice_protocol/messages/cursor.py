"""Messages of the cursor channel (spice.proto, CursorChannel)."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from spice_protocol.draw import SpicePoint16
from spice_protocol.enums import SpiceCursorFlags
from spice_protocol.marshaller import WireMessage
from spice_protocol.messages.base import MessageClass, SpiceMsgEmpty
from spice_protocol.wire import WireStruct, u8, u16, u64

if TYPE_CHECKING:
    from spice_protocol.marshaller import Marshaller, Reader

__all__ = [
    "MSG",
    "MSGC",
    "CursorMsg",
    "SpiceCursor",
    "SpiceCursorHeader",
    "SpiceMsgCursorInit",
    "SpiceMsgCursorInvalOne",
    "SpiceMsgCursorMove",
    "SpiceMsgCursorSet",
    "SpiceMsgCursorTrail",
]


class CursorMsg(enum.IntEnum):
    """``SPICE_MSG_CURSOR_*``: server to client; a client sends only base messages."""

    INIT = 101
    RESET = 102
    SET = 103
    MOVE = 104
    HIDE = 105
    TRAIL = 106
    INVAL_ONE = 107
    INVAL_ALL = 108


class SpiceCursorHeader(WireStruct):
    """A cursor's shape; *type* is ``SPICE_CURSOR_TYPE_*``."""

    unique: u64
    type: u8
    width: u16
    height: u16
    hot_spot_x: u16
    hot_spot_y: u16


@dataclass(slots=True)
class SpiceCursor:
    """A cursor's shape, a reference to a cached one, or none (*flags*)."""

    flags: int
    """``SPICE_CURSOR_FLAGS_*``."""
    header: SpiceCursorHeader | None = None
    """``None`` with flag NONE only."""
    data: bytes = b""

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Take a cursor; its data reach to the end of the message."""
        flags = reader.u16()
        header = None
        if not flags & SpiceCursorFlags.NONE:
            header = reader.struct(SpiceCursorHeader)
        return cls(flags, header, bytes(reader.take(reader.remaining)))

    def write(self, writer: Marshaller) -> None:
        """Append the cursor."""
        writer.u16(self.flags)
        if self.header is not None:
            writer.add(self.header.pack())
        writer.add(self.data)


class SpiceMsgCursorInit(WireMessage):
    """State of the pointer when the channel opens."""

    position: SpicePoint16
    trail_length: u16
    trail_frequency: u16
    visible: u8
    cursor: SpiceCursor


class SpiceMsgCursorSet(WireMessage):
    """A new shape."""

    position: SpicePoint16
    visible: u8
    cursor: SpiceCursor


class SpiceMsgCursorMove(WireStruct):
    """The pointer moved; it is visible."""

    position: SpicePoint16


class SpiceMsgCursorTrail(WireStruct):
    """Mouse trails."""

    length: u16
    frequency: u16


class SpiceMsgCursorInvalOne(WireStruct):
    """Forget one cached shape."""

    id: u64


MSG: dict[int, MessageClass] = {
    CursorMsg.INIT: SpiceMsgCursorInit,
    CursorMsg.RESET: SpiceMsgEmpty,
    CursorMsg.SET: SpiceMsgCursorSet,
    CursorMsg.MOVE: SpiceMsgCursorMove,
    CursorMsg.HIDE: SpiceMsgEmpty,
    CursorMsg.TRAIL: SpiceMsgCursorTrail,
    CursorMsg.INVAL_ONE: SpiceMsgCursorInvalOne,
    CursorMsg.INVAL_ALL: SpiceMsgEmpty,
}
MSGC: dict[int, MessageClass] = {}
