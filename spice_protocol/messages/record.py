"""Messages of the record channel (spice.proto, RecordChannel)."""

from __future__ import annotations

import enum
from typing import Annotated

from spice_protocol.marshaller import Data, WireMessage
from spice_protocol.messages.base import MessageClass, SpiceMsgEmpty
from spice_protocol.messages.playback import SpiceMsgAudioMute, SpiceMsgAudioVolume
from spice_protocol.wire import WireStruct, u16, u32

__all__ = [
    "MSG",
    "MSGC",
    "RecordMsg",
    "RecordMsgc",
    "SpiceMsgRecordStart",
    "SpiceMsgcRecordData",
    "SpiceMsgcRecordMode",
    "SpiceMsgcRecordStartMark",
]


class RecordMsg(enum.IntEnum):
    """``SPICE_MSG_RECORD_*``: server to client."""

    START = 101
    STOP = 102
    VOLUME = 103
    MUTE = 104


class RecordMsgc(enum.IntEnum):
    """``SPICE_MSGC_RECORD_*``: client to server."""

    DATA = 101
    MODE = 102
    START_MARK = 103


class SpiceMsgRecordStart(WireStruct):
    """The guest wants sound."""

    channels: u32
    format: u16
    frequency: u32


class SpiceMsgcRecordData(WireMessage):
    """Sound of multimedia time *time*."""

    time: u32
    data: Annotated[bytes, Data()]


class SpiceMsgcRecordMode(WireMessage):
    """Codec of what follows; *mode* is ``SPICE_AUDIO_DATA_MODE_*``."""

    time: u32
    mode: u16
    data: Annotated[bytes, Data()] = b""


class SpiceMsgcRecordStartMark(WireStruct):
    """Multimedia time of the first sample."""

    time: u32


MSG: dict[int, MessageClass] = {
    RecordMsg.START: SpiceMsgRecordStart,
    RecordMsg.STOP: SpiceMsgEmpty,
    RecordMsg.VOLUME: SpiceMsgAudioVolume,
    RecordMsg.MUTE: SpiceMsgAudioMute,
}
MSGC: dict[int, MessageClass] = {
    RecordMsgc.DATA: SpiceMsgcRecordData,
    RecordMsgc.MODE: SpiceMsgcRecordMode,
    RecordMsgc.START_MARK: SpiceMsgcRecordStartMark,
}
