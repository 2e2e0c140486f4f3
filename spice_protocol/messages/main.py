"""Messages of the main channel (spice.proto, MainChannel)."""

from __future__ import annotations

import enum
from typing import Annotated

from spice_protocol.marshaller import Data, Items, Pointer, WireMessage
from spice_protocol.messages.base import MessageClass, SpiceMsgData, SpiceMsgEmpty
from spice_protocol.wire import Bytes, WireStruct, length_of, u8, u16, u32, u64

__all__ = [
    "MSG",
    "MSGC",
    "MainMsg",
    "MainMsgc",
    "SpiceChannelId",
    "SpiceMigrationDstInfo",
    "SpiceMsgMainAgentDisconnected",
    "SpiceMsgMainAgentToken",
    "SpiceMsgMainChannelsList",
    "SpiceMsgMainInit",
    "SpiceMsgMainMigrateBegin",
    "SpiceMsgMainMigrateBeginSeamless",
    "SpiceMsgMainMouseMode",
    "SpiceMsgMainMultiMediaTime",
    "SpiceMsgMainName",
    "SpiceMsgMainUuid",
    "SpiceMsgcMainAgentStart",
    "SpiceMsgcMainClientInfo",
    "SpiceMsgcMainMigrateDstDoSeamless",
    "SpiceMsgcMainMouseModeRequest",
]


class MainMsg(enum.IntEnum):
    """``SPICE_MSG_MAIN_*``: server to client."""

    MIGRATE_BEGIN = 101
    MIGRATE_CANCEL = 102
    INIT = 103
    CHANNELS_LIST = 104
    MOUSE_MODE = 105
    MULTI_MEDIA_TIME = 106
    AGENT_CONNECTED = 107
    AGENT_DISCONNECTED = 108
    AGENT_DATA = 109
    AGENT_TOKEN = 110
    MIGRATE_SWITCH_HOST = 111
    MIGRATE_END = 112
    NAME = 113
    UUID = 114
    AGENT_CONNECTED_TOKENS = 115
    MIGRATE_BEGIN_SEAMLESS = 116
    MIGRATE_DST_SEAMLESS_ACK = 117
    MIGRATE_DST_SEAMLESS_NACK = 118


class MainMsgc(enum.IntEnum):
    """``SPICE_MSGC_MAIN_*``: client to server."""

    CLIENT_INFO = 101
    MIGRATE_CONNECTED = 102
    MIGRATE_CONNECT_ERROR = 103
    ATTACH_CHANNELS = 104
    MOUSE_MODE_REQUEST = 105
    AGENT_START = 106
    AGENT_DATA = 107
    AGENT_TOKEN = 108
    MIGRATE_END = 109
    MIGRATE_DST_DO_SEAMLESS = 110
    MIGRATE_CONNECTED_SEAMLESS = 111
    QUALITY_INDICATOR = 112


class SpiceMigrationDstInfo(WireMessage):
    """Where a session moves; texts end in NUL."""

    port: u16
    sport: u16
    host_size: u32 = length_of("host_data")
    host_data: Annotated[bytes | None, Pointer(Data())]
    cert_subject_size: u32 = length_of("cert_subject_data")
    cert_subject_data: Annotated[bytes | None, Pointer(Data())]


class SpiceMsgMainMigrateBegin(WireMessage):
    """Connect to the target, semi-seamless."""

    dst_info: SpiceMigrationDstInfo


class SpiceMsgMainMigrateBeginSeamless(WireMessage):
    """Connect to the target, seamless."""

    dst_info: SpiceMigrationDstInfo
    src_mig_version: u32


class SpiceMsgMainInit(WireStruct):
    """First message of a session."""

    session_id: u32
    display_channels_hint: u32
    supported_mouse_modes: u32
    current_mouse_mode: u32
    agent_connected: u32
    agent_tokens: u32
    multi_media_time: u32
    ram_hint: u32


class SpiceChannelId(WireStruct):
    """One channel of a session."""

    type: u8
    id: u8


class SpiceMsgMainChannelsList(WireMessage):
    """Which channels the session has besides main."""

    num_of_channels: u32 = length_of("channels")
    channels: Annotated[list[SpiceChannelId], Items(SpiceChannelId)]


class SpiceMsgMainMouseMode(WireStruct):
    """``SPICE_MOUSE_MODE_*`` that may be asked for, and the one in force."""

    supported_modes: u16
    current_mode: u16


class SpiceMsgMainMultiMediaTime(WireStruct):
    """The server's multimedia clock in milliseconds."""

    time: u32


class SpiceMsgMainAgentDisconnected(WireStruct):
    """The guest's agent is gone; *error_code* is a SpiceLinkErr."""

    error_code: u32


class SpiceMsgMainAgentToken(WireStruct):
    """The peer may send that many more AGENT_DATA messages."""

    num_tokens: u32


class SpiceMsgMainName(WireMessage):
    """Name of the VM; *name* ends in NUL."""

    name_len: u32 = length_of("name")
    name: Annotated[bytes, Data()]


class SpiceMsgMainUuid(WireStruct):
    """UUID of the VM."""

    uuid: Annotated[bytes, Bytes(16)]


class SpiceMsgcMainClientInfo(WireStruct):
    """The client's cache."""

    cache_size: u64


class SpiceMsgcMainMouseModeRequest(WireStruct):
    """The client wants ``SPICE_MOUSE_MODE_*``."""

    mode: u16


class SpiceMsgcMainAgentStart(WireStruct):
    """The client listens to the agent and takes that many messages."""

    num_tokens: u32


class SpiceMsgcMainMigrateDstDoSeamless(WireStruct):
    """The client tells the target which version the source has."""

    src_version: u32


MSG: dict[int, MessageClass] = {
    MainMsg.MIGRATE_BEGIN: SpiceMsgMainMigrateBegin,
    MainMsg.MIGRATE_CANCEL: SpiceMsgEmpty,
    MainMsg.INIT: SpiceMsgMainInit,
    MainMsg.CHANNELS_LIST: SpiceMsgMainChannelsList,
    MainMsg.MOUSE_MODE: SpiceMsgMainMouseMode,
    MainMsg.MULTI_MEDIA_TIME: SpiceMsgMainMultiMediaTime,
    MainMsg.AGENT_CONNECTED: SpiceMsgEmpty,
    MainMsg.AGENT_DISCONNECTED: SpiceMsgMainAgentDisconnected,
    MainMsg.AGENT_DATA: SpiceMsgData,
    MainMsg.AGENT_TOKEN: SpiceMsgMainAgentToken,
    MainMsg.MIGRATE_SWITCH_HOST: SpiceMigrationDstInfo,
    MainMsg.MIGRATE_END: SpiceMsgEmpty,
    MainMsg.NAME: SpiceMsgMainName,
    MainMsg.UUID: SpiceMsgMainUuid,
    MainMsg.AGENT_CONNECTED_TOKENS: SpiceMsgMainAgentToken,
    MainMsg.MIGRATE_BEGIN_SEAMLESS: SpiceMsgMainMigrateBeginSeamless,
    MainMsg.MIGRATE_DST_SEAMLESS_ACK: SpiceMsgEmpty,
    MainMsg.MIGRATE_DST_SEAMLESS_NACK: SpiceMsgEmpty,
}
MSGC: dict[int, MessageClass] = {
    MainMsgc.CLIENT_INFO: SpiceMsgcMainClientInfo,
    MainMsgc.MIGRATE_CONNECTED: SpiceMsgEmpty,
    MainMsgc.MIGRATE_CONNECT_ERROR: SpiceMsgEmpty,
    MainMsgc.ATTACH_CHANNELS: SpiceMsgEmpty,
    MainMsgc.MOUSE_MODE_REQUEST: SpiceMsgcMainMouseModeRequest,
    MainMsgc.AGENT_START: SpiceMsgcMainAgentStart,
    MainMsgc.AGENT_DATA: SpiceMsgData,
    MainMsgc.AGENT_TOKEN: SpiceMsgMainAgentToken,
    MainMsgc.MIGRATE_END: SpiceMsgEmpty,
    MainMsgc.MIGRATE_DST_DO_SEAMLESS: SpiceMsgcMainMigrateDstDoSeamless,
    MainMsgc.MIGRATE_CONNECTED_SEAMLESS: SpiceMsgEmpty,
    MainMsgc.QUALITY_INDICATOR: SpiceMsgData,
}
