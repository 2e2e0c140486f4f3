"""Messages of port and webdav channels (spice.proto, PortChannel)."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated

from spice_protocol.marshaller import Data, Pointer, WireMessage
from spice_protocol.messages import spicevmc
from spice_protocol.wire import WireStruct, length_of, u8, u32

if TYPE_CHECKING:
    from spice_protocol.messages.base import MessageClass

__all__ = [
    "MSG",
    "MSGC",
    "PortMsg",
    "PortMsgc",
    "SpiceMsgPortEvent",
    "SpiceMsgPortInit",
]


class PortMsg(enum.IntEnum):
    """``SPICE_MSG_PORT_*``: server to client."""

    INIT = 201
    EVENT = 202


class PortMsgc(enum.IntEnum):
    """``SPICE_MSGC_PORT_*``: client to server."""

    EVENT = 201


class SpiceMsgPortInit(WireMessage):
    """Name of the port, NUL included, and whether the guest has it open."""

    name_size: u32 = length_of("name")
    name: Annotated[bytes | None, Pointer(Data())]
    opened: u8


class SpiceMsgPortEvent(WireStruct):
    """``SPICE_PORT_EVENT_*``, either direction."""

    event: u8


MSG: dict[int, MessageClass] = {
    **spicevmc.MSG,
    PortMsg.INIT: SpiceMsgPortInit,
    PortMsg.EVENT: SpiceMsgPortEvent,
}
MSGC: dict[int, MessageClass] = {
    **spicevmc.MSGC,
    PortMsgc.EVENT: SpiceMsgPortEvent,
}
