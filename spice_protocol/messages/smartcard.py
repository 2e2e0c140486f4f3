"""Messages of the smartcard channel (spice.proto, SmartcardChannel)."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated

from spice_protocol.marshaller import Data, WireMessage
from spice_protocol.wire import length_of, u32

if TYPE_CHECKING:
    from spice_protocol.messages.base import MessageClass

__all__ = [
    "MSG",
    "MSGC",
    "SmartcardMsg",
    "SmartcardMsgc",
    "SpiceMsgSmartcard",
]


class SmartcardMsg(enum.IntEnum):
    """``SPICE_MSG_SMARTCARD_*``: server to client."""

    DATA = 101


class SmartcardMsgc(enum.IntEnum):
    """``SPICE_MSGC_SMARTCARD_*``: client to server; all its names share one id."""

    DATA = 101
    HEADER = 101
    ERROR = 101
    ATR = 101
    READER_ADD = 101


class SpiceMsgSmartcard(WireMessage):
    """A VSCard message; *type* is ``SPICE_VSC_MESSAGE_TYPE_*``, either direction."""

    type: u32
    reader_id: u32
    length: u32 = length_of("data")
    data: Annotated[bytes, Data()]


MSG: dict[int, MessageClass] = {SmartcardMsg.DATA: SpiceMsgSmartcard}
MSGC: dict[int, MessageClass] = {SmartcardMsgc.DATA: SpiceMsgSmartcard}
