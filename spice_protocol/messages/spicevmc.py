"""Messages of usbredir channels, also part of port and webdav (SpicevmcChannel)."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from spice_protocol.enums import SpiceDataCompressionType
from spice_protocol.marshaller import WireMessage
from spice_protocol.messages.base import MessageClass, SpiceMsgData

if TYPE_CHECKING:
    from spice_protocol.marshaller import Marshaller, Reader

__all__ = [
    "MSG",
    "MSGC",
    "SpiceCompressedData",
    "SpiceMsgCompressedData",
    "SpicevmcMsg",
    "SpicevmcMsgc",
]


class SpicevmcMsg(enum.IntEnum):
    """``SPICE_MSG_SPICEVMC_*``: server to client."""

    DATA = 101
    COMPRESSED_DATA = 102


class SpicevmcMsgc(enum.IntEnum):
    """``SPICE_MSGC_SPICEVMC_*``: client to server."""

    DATA = 101
    COMPRESSED_DATA = 102


@dataclass(slots=True)
class SpiceCompressedData:
    """Bytes, packed with *type*; they reach to the end of the message."""

    type: int
    """``SPICE_DATA_COMPRESSION_TYPE_*``."""
    uncompressed_size: int
    compressed_data: bytes

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Take the data; with type NONE there is no uncompressed size."""
        type_ = reader.u8()
        size = 0 if type_ == SpiceDataCompressionType.NONE else reader.u32()
        return cls(type_, size, bytes(reader.take(reader.remaining)))

    def write(self, writer: Marshaller) -> None:
        """Append the data."""
        writer.u8(self.type)
        if self.type != SpiceDataCompressionType.NONE:
            writer.u32(self.uncompressed_size)
        writer.add(self.compressed_data)


class SpiceMsgCompressedData(WireMessage):
    """DATA, packed."""

    data: SpiceCompressedData


MSG: dict[int, MessageClass] = {
    SpicevmcMsg.DATA: SpiceMsgData,
    SpicevmcMsg.COMPRESSED_DATA: SpiceMsgCompressedData,
}
MSGC: dict[int, MessageClass] = {
    SpicevmcMsgc.DATA: SpiceMsgData,
    SpicevmcMsgc.COMPRESSED_DATA: SpiceMsgCompressedData,
}
