"""Cutting a byte stream into messages and putting headers before them (protocol.h).

A link that agreed on MINI_HEADER uses ``SpiceMiniDataHeader`` (u16 type, u32 size),
any other ``SpiceDataHeader`` (u64 serial, u16 type, u32 size, u32 sub_list).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from spice_protocol.errors import InvalidValueError, LimitExceededError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import ReadableBuffer

__all__ = ["FULL_HEADER", "MINI_HEADER", "MessageReader", "MessageWriter"]

MINI_HEADER: Final = struct.Struct("<HI")
"""SpiceMiniDataHeader: type, size."""
FULL_HEADER: Final = struct.Struct("<QHII")
"""SpiceDataHeader: serial, type, size, sub_list."""


class MessageReader:
    """Cuts what a client sends into messages; keeps at most one that is incomplete."""

    def __init__(self, *, mini: bool, max_size: int) -> None:
        self._mini = mini
        self._max_size = max_size
        self._header_size = MINI_HEADER.size if mini else FULL_HEADER.size
        self._partial = bytearray()
        self._needed = self._header_size

    def feed(self, data: ReadableBuffer) -> Iterator[tuple[int, memoryview]]:
        """Yield type and body of every message that *data* completes.

        A body is read-only and stays valid as long as it is referenced.

        Raises:
            LimitExceededError: a size above the bound; nothing may be fed afterwards.
            InvalidValueError: a list of sub-messages, which only servers may send.

        """
        if self._partial:
            self._partial += memoryview(data)
            if len(self._partial) < self._needed:
                return
            data = bytes(self._partial)
            self._partial.clear()
        view = memoryview(data).cast("B")
        position = 0
        while len(view) - position >= self._header_size:
            kind, size = self._parse_header(view, position)
            body = position + self._header_size
            if len(view) - body < size:
                self._needed = self._header_size + size
                break
            yield kind, view[body : body + size]
            position = body + size
        else:
            self._needed = self._header_size
        self._partial += view[position:]

    def _parse_header(self, view: memoryview, position: int) -> tuple[int, int]:
        if self._mini:
            kind, size = MINI_HEADER.unpack_from(view, position)
        else:
            _serial, kind, size, sub_list = FULL_HEADER.unpack_from(view, position)
            if sub_list:
                raise InvalidValueError(f"message {kind} of a client has a sub_list")
        if size > self._max_size:
            raise LimitExceededError(
                f"message {kind} announces {size} bytes, at most {self._max_size}"
            )
        return kind, size


class MessageWriter:
    """Makes the headers of what a client is sent."""

    def __init__(self, *, mini: bool, apart: bool = False) -> None:
        self.mini = mini
        self.apart = apart
        """Whether each message is to be a buffer of its own.

        Over TLS it has to be a record of its own: spice-gtk waits for its socket after
        each message, though the next one may have come with the same record.
        """
        self.serial = 0
        """Messages so far, also the serial of the last one."""

    def header(self, kind: int, size: int) -> bytes:
        """Return the header of the next message."""
        self.serial += 1
        if self.mini:
            return MINI_HEADER.pack(kind, size)
        return FULL_HEADER.pack(self.serial, kind, size, 0)

    def count(self, messages: int) -> None:
        """Account for *messages* that carry their own mini headers."""
        self.serial += messages
