"""Recorded sessions of real clients and servers (``../shared/corpus/captures``)."""

from __future__ import annotations

import gzip
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from spice_client.link import LinkResult
from spice_protocol.protocol import (
    SpiceCommonCap,
    SpiceLinkHeader,
    SpiceLinkMess,
    SpiceLinkReply,
    has_capability,
    unpack_capabilities,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "captures"
"""Beside the project, where it was developed; elsewhere it may be missing."""

_RECORD = struct.Struct("<dHBI")  # time, connection, kind, length
_FROM_CLIENT, _FROM_SERVER = 0, 1


@dataclass(slots=True)
class CapturedChannel:
    """What one linked channel's connection carried."""

    type: int
    id: int
    session_id: int
    """0: the session's main channel."""
    link: LinkResult
    pieces: list[bytes] = field(repr=False)
    """What the server sent after the link stage, as it was recorded."""


@dataclass(slots=True)
class _Connection:
    sent: bytearray = field(default_factory=bytearray)
    received: list[bytes] = field(default_factory=list)


def captures() -> list[Path]:
    """Return the recordings, by name."""
    return sorted(FOLDER.glob("*.spcap.gz"))


def channels(path: Path) -> list[CapturedChannel]:
    """Return the channels of a recording that got past their link stage."""
    linked = (_channel(connection) for connection in _connections(path))
    return [channel for channel in linked if channel is not None]


def _connections(path: Path) -> list[_Connection]:
    data = gzip.decompress(path.read_bytes())
    assert data.startswith(b"SPCAP1\n")
    position = data.index(b"\n", 7) + 1
    connections: dict[int, _Connection] = {}
    while position + _RECORD.size <= len(data):
        _, number, kind, length = _RECORD.unpack_from(data, position)
        position += _RECORD.size
        piece, position = data[position : position + length], position + length
        connection = connections.setdefault(number, _Connection())
        if kind == _FROM_CLIENT:
            connection.sent += piece
        elif kind == _FROM_SERVER:
            connection.received.append(piece)
    return list(connections.values())


def _channel(connection: _Connection) -> CapturedChannel | None:
    sent, received = bytes(connection.sent), connection.received
    if sent.startswith(b"GET "):
        sent = b"".join(_frames(sent))
        received = list(_frames(b"".join(received)))
    if len(sent) < SpiceLinkHeader.SIZE + SpiceLinkMess.SIZE:
        return None
    wanted = SpiceLinkMess.unpack_from(sent, SpiceLinkHeader.SIZE)
    words = unpack_capabilities(
        sent[SpiceLinkHeader.SIZE :], wanted.caps_offset, wanted.num_common_caps
    )
    answer = b"".join(received)
    if len(answer) < SpiceLinkHeader.SIZE:
        return None
    header = SpiceLinkHeader.unpack_from(answer)
    end = SpiceLinkHeader.SIZE + header.size + 4
    if len(answer) < end or answer[end - 4 : end] != bytes(4):
        return None
    link = _result(answer[SpiceLinkHeader.SIZE : end - 4], words)
    return CapturedChannel(
        wanted.channel_type,
        wanted.channel_id,
        wanted.connection_id,
        link,
        _behind(received, end),
    )


def _result(reply_data: bytes, ours: tuple[int, ...]) -> LinkResult:
    reply = SpiceLinkReply.unpack_from(reply_data)
    common = unpack_capabilities(reply_data, reply.caps_offset, reply.num_common_caps)
    offset = reply.caps_offset + 4 * reply.num_common_caps
    special = unpack_capabilities(reply_data, offset, reply.num_channel_caps)
    mini = all(
        has_capability(words, SpiceCommonCap.MINI_HEADER) for words in (common, ours)
    )
    return LinkResult(common, special, mini)


def _behind(pieces: list[bytes], skip: int) -> list[bytes]:
    rest = []
    for piece in pieces:
        rest.append(piece[skip:])
        skip = max(0, skip - len(piece))
    return [piece for piece in rest if piece]


def _frames(data: bytes) -> Iterator[bytes]:
    """Yield what the binary frames of a WebSocket carry (RFC 6455, section 5.2)."""
    position = data.index(b"\r\n\r\n") + 4
    while position + 2 <= len(data):
        kind, size = data[position] & 15, data[position + 1] & 127
        masked = data[position + 1] & 128
        position += 2
        if size > 125:
            width = 2 if size == 126 else 8
            size = int.from_bytes(data[position : position + width], "big")
            position += width
        mask = data[position : position + 4] if masked else bytes(4)
        position += 4 if masked else 0
        payload, position = data[position : position + size], position + size
        if kind in {0, 2}:
            key = (mask * (len(payload) // 4 + 1))[: len(payload)]
            yield bytes(a ^ b for a, b in zip(payload, key, strict=True))
