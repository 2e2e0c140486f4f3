"""Messages of the playback channel (spice.proto, PlaybackChannel)."""

from __future__ import annotations

import enum
from typing import Annotated

from spice_protocol.marshaller import Data, Items, WireMessage
from spice_protocol.messages.base import MessageClass, SpiceMsgEmpty
from spice_protocol.wire import WireStruct, length_of, u8, u16, u32

__all__ = [
    "MSG",
    "MSGC",
    "PlaybackMsg",
    "SpiceMsgAudioMute",
    "SpiceMsgAudioVolume",
    "SpiceMsgPlaybackData",
    "SpiceMsgPlaybackLatency",
    "SpiceMsgPlaybackMode",
    "SpiceMsgPlaybackStart",
]


class PlaybackMsg(enum.IntEnum):
    """``SPICE_MSG_PLAYBACK_*``: server to client; a client sends only base messages."""

    DATA = 101
    MODE = 102
    START = 103
    STOP = 104
    VOLUME = 105
    MUTE = 106
    LATENCY = 107


class SpiceMsgPlaybackData(WireMessage):
    """Sound of multimedia time *time*."""

    time: u32
    data: Annotated[bytes, Data()]


class SpiceMsgPlaybackMode(WireMessage):
    """Codec of what follows; *mode* is ``SPICE_AUDIO_DATA_MODE_*``."""

    time: u32
    mode: u16
    data: Annotated[bytes, Data()] = b""


class SpiceMsgPlaybackStart(WireStruct):
    """Sound begins."""

    channels: u32
    format: u16
    frequency: u32
    time: u32


class SpiceMsgAudioVolume(WireMessage):
    """Volume of each channel."""

    nchannels: u8 = length_of("volume")
    volume: Annotated[list[int], Items(u16)]


class SpiceMsgAudioMute(WireStruct):
    """Whether sound is muted."""

    mute: u8


class SpiceMsgPlaybackLatency(WireStruct):
    """Milliseconds the client should buffer."""

    latency_ms: u32


MSG: dict[int, MessageClass] = {
    PlaybackMsg.DATA: SpiceMsgPlaybackData,
    PlaybackMsg.MODE: SpiceMsgPlaybackMode,
    PlaybackMsg.START: SpiceMsgPlaybackStart,
    PlaybackMsg.STOP: SpiceMsgEmpty,
    PlaybackMsg.VOLUME: SpiceMsgAudioVolume,
    PlaybackMsg.MUTE: SpiceMsgAudioMute,
    PlaybackMsg.LATENCY: SpiceMsgPlaybackLatency,
}
MSGC: dict[int, MessageClass] = {}
