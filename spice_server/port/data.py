"""DATA and COMPRESSED_DATA of usbredir, port and webdav (spice.proto, SpicevmcChannel)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from spice_common import lz4_block
from spice_protocol.enums import SpiceDataCompressionType
from spice_protocol.messages.spicevmc import SpicevmcMsg
from spice_server.errors import ClientError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["MAX_DATA", "PACK_THRESHOLD", "packed", "unpacked"]

PACK_THRESHOLD: Final = 1000
"""Bytes above which packing is tried: libspice-server's and spice-gtk's choice."""

MAX_DATA: Final = 4 * 1024 * 1024
"""Bytes in one message: a USB transfer is one, and drivers of disks make them of 1 MiB
at most (Linux: 2048 sectors over USB 3)."""

_HEADER: Final = struct.Struct("<BI")
"""SpiceCompressedData but for the data: type, uncompressed size."""


def packed(data: bytes) -> tuple[SpicevmcMsg, list[bytes]]:
    """Return the message for *data*, packed if that makes it smaller."""
    if len(data) > PACK_THRESHOLD:
        block = lz4_block.pack(data, len(data) - _HEADER.size - 1)
        if block is not None:
            header = _HEADER.pack(SpiceDataCompressionType.LZ4, len(data))
            return SpicevmcMsg.COMPRESSED_DATA, [header, block]
    return SpicevmcMsg.DATA, [data]


def unpacked(body: memoryview) -> ReadableBuffer:
    """Return what a COMPRESSED_DATA message holds.

    Raises:
        ClientError: it is not LZ4, damaged, or too much.

    """
    if len(body) < _HEADER.size:
        raise ClientError(f"{len(body)} bytes")
    kind, size = _HEADER.unpack_from(body)
    if kind != SpiceDataCompressionType.LZ4:
        raise ClientError(f"compression type {kind}")
    if size > MAX_DATA:
        raise ClientError(f"{size} bytes, at most {MAX_DATA}")
    try:
        return lz4_block.unpack(body[_HEADER.size :], size)
    except ValueError as error:
        raise ClientError(str(error)) from error
