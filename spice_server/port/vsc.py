"""Messages of a card reader's device (QEMU's ccid-card-passthru, vscard_common.h).

They are those of the smartcard channel, in network byte order.  Sans I/O.
"""

from __future__ import annotations

import enum
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "MAX_VSC_DATA",
    "UNDEFINED_READER",
    "VscError",
    "VscMessage",
    "VscParser",
    "VscTooLongError",
]

MAX_VSC_DATA: Final = 32 * 1024
"""Bytes in one message.  QEMU hangs up at 64 KiB; an APDU has 261 bytes, an extended one
may have more, but libcacard, which every client uses, has room for 270."""

UNDEFINED_READER: Final = 0xFFFFFFFF
"""``VSCARD_UNDEFINED_READER_ID``."""

_HEADER: Final = struct.Struct(">III")
"""VSCMsgHeader: type, reader_id, length."""


class VscError(enum.IntEnum):
    """``VSCErrorCode``: what an Error message says."""

    SUCCESS = 0
    GENERAL_ERROR = 1
    CANNOT_ADD_MORE_READERS = 2
    CARD_ALREADY_INSERTED = 3


class VscMessage(NamedTuple):
    """A message to or from the device."""

    type: int
    """``SpiceVscMessageType``."""
    reader_id: int
    data: bytes = b""

    def pack(self) -> bytes:
        """Return it as the device wants it."""
        return _HEADER.pack(self.type, self.reader_id, len(self.data)) + self.data


class VscTooLongError(Exception):
    """A message longer than any there is: the stream is not understood any more."""


class VscParser:
    """Cuts what the device writes into messages; keeps one that is incomplete."""

    def __init__(self) -> None:
        self._partial = bytearray()

    def feed(self, data: bytes) -> Iterator[VscMessage]:
        """Yield every message that *data* completes.

        Raises:
            VscTooLongError: one announces more than MAX_VSC_DATA bytes.

        """
        self._partial += data
        position = 0
        while len(self._partial) - position >= _HEADER.size:
            kind, reader, length = _HEADER.unpack_from(self._partial, position)
            if length > MAX_VSC_DATA:
                raise VscTooLongError(f"message {kind} of {length} bytes")
            start = position + _HEADER.size
            if len(self._partial) - start < length:
                break
            position = start + length
            yield VscMessage(kind, reader, bytes(self._partial[start:position]))
        del self._partial[:position]
