"""Messages of every channel (spice.proto, BaseChannel)."""

from __future__ import annotations

import enum
from typing import Annotated

from spice_protocol.marshaller import Data, Items, WireMessage
from spice_protocol.wire import WireStruct, length_of, u8, u32, u64

__all__ = [
    "MSG",
    "MSGC",
    "BaseMsg",
    "BaseMsgc",
    "MessageClass",
    "SpiceMsgData",
    "SpiceMsgDisconnecting",
    "SpiceMsgEmpty",
    "SpiceMsgMigrate",
    "SpiceMsgNotify",
    "SpiceMsgPing",
    "SpiceMsgSetAck",
    "SpiceMsgWaitForChannels",
    "SpiceMsgcAckSync",
    "SpiceMsgcPong",
    "SpiceWaitForChannel",
]


MessageClass = type[WireStruct] | type[WireMessage]


class BaseMsg(enum.IntEnum):
    """``SPICE_MSG_*``: server to client."""

    MIGRATE = 1
    MIGRATE_DATA = 2
    SET_ACK = 3
    PING = 4
    WAIT_FOR_CHANNELS = 5
    DISCONNECTING = 6
    NOTIFY = 7
    LIST = 8
    BASE_LAST = 100


class BaseMsgc(enum.IntEnum):
    """``SPICE_MSGC_*``: client to server."""

    ACK_SYNC = 1
    ACK = 2
    PONG = 3
    MIGRATE_FLUSH_MARK = 4
    MIGRATE_DATA = 5
    DISCONNECTING = 6


class SpiceMsgEmpty(WireStruct):
    """A message without fields."""


class SpiceMsgData(WireMessage):
    """A message that is nothing but bytes."""

    data: Annotated[bytes, Data()]


class SpiceMsgMigrate(WireStruct):
    """The channel moves to another server; *flags* are ``SPICE_MIGRATE_*``."""

    flags: u32


class SpiceMsgSetAck(WireStruct):
    """Open an ack window: one ACK per *window* messages, after an ACK_SYNC."""

    generation: u32
    window: u32


class SpiceMsgPing(WireMessage):
    """Answer with a PONG of the same id and timestamp; *data* only fills."""

    id: u32
    timestamp: u64
    data: Annotated[bytes, Data()] = b""


class SpiceWaitForChannel(WireStruct):
    """A message of another channel that must have been processed first."""

    channel_type: u8
    channel_id: u8
    message_serial: u64


class SpiceMsgWaitForChannels(WireMessage):
    """Process no further message before other channels got so far."""

    wait_count: u8 = length_of("wait_list")
    wait_list: Annotated[list[SpiceWaitForChannel], Items(SpiceWaitForChannel)]


class SpiceMsgDisconnecting(WireStruct):
    """The peer closes; *reason* is a SpiceLinkErr."""

    time_stamp: u64
    reason: u32


class SpiceMsgNotify(WireMessage):
    """A text for the user; *visibilty* is spice.proto's spelling."""

    time_stamp: u64
    severity: u32
    visibilty: u32
    what: u32
    message_len: u32 = length_of("message")
    message: Annotated[bytes, Data()]


class SpiceMsgcAckSync(WireStruct):
    """The window of *generation* is in force."""

    generation: u32


class SpiceMsgcPong(WireStruct):
    """Echo of a PING."""

    id: u32
    timestamp: u64


MSG: dict[int, MessageClass] = {
    BaseMsg.MIGRATE: SpiceMsgMigrate,
    BaseMsg.MIGRATE_DATA: SpiceMsgData,
    BaseMsg.SET_ACK: SpiceMsgSetAck,
    BaseMsg.PING: SpiceMsgPing,
    BaseMsg.WAIT_FOR_CHANNELS: SpiceMsgWaitForChannels,
    BaseMsg.DISCONNECTING: SpiceMsgDisconnecting,
    BaseMsg.NOTIFY: SpiceMsgNotify,
    BaseMsg.LIST: SpiceMsgData,
}
MSGC: dict[int, MessageClass] = {
    BaseMsgc.ACK_SYNC: SpiceMsgcAckSync,
    BaseMsgc.ACK: SpiceMsgEmpty,
    BaseMsgc.PONG: SpiceMsgcPong,
    BaseMsgc.MIGRATE_FLUSH_MARK: SpiceMsgEmpty,
    BaseMsgc.MIGRATE_DATA: SpiceMsgData,
    BaseMsgc.DISCONNECTING: SpiceMsgDisconnecting,
}
