"""Look up a message by channel, direction and id; its name for logs and errors."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from spice_protocol.enums import ChannelType
from spice_protocol.messages import (
    base,
    cursor,
    display,
    inputs,
    main,
    playback,
    port,
    record,
    smartcard,
    spicevmc,
)

if TYPE_CHECKING:
    from spice_protocol.messages.base import MessageClass

__all__ = ["Direction", "channel_name", "message_class", "message_name"]


class Direction(enum.Enum):
    """Which way a message goes."""

    MSG = "MSG"
    """Server to client."""
    MSGC = "MSGC"
    """Client to server."""


_Ids = tuple[type[enum.IntEnum], ...]

_TABLES: dict[Direction, dict[int, dict[int, MessageClass]]] = {
    Direction.MSG: {
        ChannelType.MAIN: main.MSG,
        ChannelType.DISPLAY: display.MSG,
        ChannelType.INPUTS: inputs.MSG,
        ChannelType.CURSOR: cursor.MSG,
        ChannelType.PLAYBACK: playback.MSG,
        ChannelType.RECORD: record.MSG,
        ChannelType.SMARTCARD: smartcard.MSG,
        ChannelType.USBREDIR: spicevmc.MSG,
        ChannelType.PORT: port.MSG,
        ChannelType.WEBDAV: port.MSG,
    },
    Direction.MSGC: {
        ChannelType.MAIN: main.MSGC,
        ChannelType.DISPLAY: display.MSGC,
        ChannelType.INPUTS: inputs.MSGC,
        ChannelType.CURSOR: cursor.MSGC,
        ChannelType.PLAYBACK: playback.MSGC,
        ChannelType.RECORD: record.MSGC,
        ChannelType.SMARTCARD: smartcard.MSGC,
        ChannelType.USBREDIR: spicevmc.MSGC,
        ChannelType.PORT: port.MSGC,
        ChannelType.WEBDAV: port.MSGC,
    },
}
_BASE_TABLES = {Direction.MSG: base.MSG, Direction.MSGC: base.MSGC}

_IDS: dict[Direction, dict[int, _Ids]] = {
    Direction.MSG: {
        ChannelType.MAIN: (main.MainMsg,),
        ChannelType.DISPLAY: (display.DisplayMsg,),
        ChannelType.INPUTS: (inputs.InputsMsg,),
        ChannelType.CURSOR: (cursor.CursorMsg,),
        ChannelType.PLAYBACK: (playback.PlaybackMsg,),
        ChannelType.RECORD: (record.RecordMsg,),
        ChannelType.SMARTCARD: (smartcard.SmartcardMsg,),
        ChannelType.USBREDIR: (spicevmc.SpicevmcMsg,),
        ChannelType.PORT: (spicevmc.SpicevmcMsg, port.PortMsg),
        ChannelType.WEBDAV: (spicevmc.SpicevmcMsg, port.PortMsg),
    },
    Direction.MSGC: {
        ChannelType.MAIN: (main.MainMsgc,),
        ChannelType.DISPLAY: (display.DisplayMsgc,),
        ChannelType.INPUTS: (inputs.InputsMsgc,),
        ChannelType.RECORD: (record.RecordMsgc,),
        ChannelType.SMARTCARD: (smartcard.SmartcardMsgc,),
        ChannelType.USBREDIR: (spicevmc.SpicevmcMsgc,),
        ChannelType.PORT: (spicevmc.SpicevmcMsgc, port.PortMsgc),
        ChannelType.WEBDAV: (spicevmc.SpicevmcMsgc, port.PortMsgc),
    },
}
_BASE_IDS = {Direction.MSG: base.BaseMsg, Direction.MSGC: base.BaseMsgc}


def channel_name(channel_type: int, channel_id: int | None = None) -> str:
    """Return ``DISPLAY`` or, with an id, ``DISPLAY:0``; unknown types as numbers."""
    try:
        name = ChannelType(channel_type).name
    except ValueError:
        name = f"channel type {channel_type}"
    return name if channel_id is None else f"{name}:{channel_id}"


def message_name(channel_type: int, direction: Direction, message_id: int) -> str:
    """Return ``DISPLAY.DRAW_COPY(304)``; ``DISPLAY.unknown(999)`` for other ids."""
    ids: _Ids = (_BASE_IDS[direction], *_IDS[direction].get(channel_type, ()))
    name = "unknown"
    for enumeration in ids:
        if message_id in enumeration.__members__.values():
            name = enumeration(message_id).name
    return f"{channel_name(channel_type)}.{name}({message_id})"


def message_class(
    channel_type: int, direction: Direction, message_id: int
) -> MessageClass | None:
    """Return the structure of a message, ``None`` if the channel has no such id."""
    own = _TABLES[direction].get(channel_type, {})
    return own.get(message_id) or _BASE_TABLES[direction].get(message_id)
