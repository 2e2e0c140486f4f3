"""The link stage and message headers (spice/protocol.h)."""

from __future__ import annotations

import enum
import struct
from typing import TYPE_CHECKING, Annotated, ClassVar

from spice_protocol.errors import LimitExceededError, TruncatedError
from spice_protocol.wire import Bytes, WireStruct, u8, u16, u32, u64

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from _typeshed import ReadableBuffer

__all__ = [
    "MAX_CAPABILITY_WORDS",
    "SPICE_INPUT_MOTION_ACK_BUNCH",
    "SPICE_MAGIC",
    "SPICE_MAX_NUM_STREAMS",
    "SPICE_MAX_PASSWORD_LENGTH",
    "SPICE_TICKET_KEY_PAIR_LENGTH",
    "SPICE_TICKET_PUBKEY_BYTES",
    "SPICE_VERSION_MAJOR",
    "SPICE_VERSION_MINOR",
    "DisplayCap",
    "InputsCap",
    "MainCap",
    "PlaybackCap",
    "PortEvent",
    "RecordCap",
    "SpiceCommonCap",
    "SpiceDataHeader",
    "SpiceLinkAuthMechanism",
    "SpiceLinkEncryptedTicket",
    "SpiceLinkHeader",
    "SpiceLinkMess",
    "SpiceLinkReply",
    "SpiceMiniDataHeader",
    "SpiceSubMessage",
    "SpiceSubMessageList",
    "SpicevmcCap",
    "capability_words",
    "has_capability",
    "pack_capabilities",
    "unpack_capabilities",
]

SPICE_MAGIC = int.from_bytes(b"REDQ", "little")
SPICE_VERSION_MAJOR = 2
SPICE_VERSION_MINOR = 2
SPICE_MAX_PASSWORD_LENGTH = 60
SPICE_TICKET_KEY_PAIR_LENGTH = 1024
"""Bits of the RSA key that protects a ticket."""
SPICE_TICKET_PUBKEY_BYTES = SPICE_TICKET_KEY_PAIR_LENGTH // 8 + 34
SPICE_MAX_NUM_STREAMS = 64
SPICE_INPUT_MOTION_ACK_BUNCH = 4
"""Motion and position messages per MOUSE_MOTION_ACK."""
MAX_CAPABILITY_WORDS = 1024
"""Words libspice-server accepts in a link message; more is INVALID_DATA."""


class SpiceCommonCap(enum.IntEnum):
    """``SPICE_COMMON_CAP_*``: bit numbers every channel understands."""

    PROTOCOL_AUTH_SELECTION = 0
    AUTH_SPICE = 1
    AUTH_SASL = 2
    MINI_HEADER = 3


class PlaybackCap(enum.IntEnum):
    """``SPICE_PLAYBACK_CAP_*``."""

    CELT_0_5_1 = 0
    VOLUME = 1
    LATENCY = 2
    OPUS = 3


class RecordCap(enum.IntEnum):
    """``SPICE_RECORD_CAP_*``."""

    CELT_0_5_1 = 0
    VOLUME = 1
    OPUS = 2


class MainCap(enum.IntEnum):
    """``SPICE_MAIN_CAP_*``."""

    SEMI_SEAMLESS_MIGRATE = 0
    NAME_AND_UUID = 1
    AGENT_CONNECTED_TOKENS = 2
    SEAMLESS_MIGRATE = 3


class DisplayCap(enum.IntEnum):
    """``SPICE_DISPLAY_CAP_*``."""

    SIZED_STREAM = 0
    MONITORS_CONFIG = 1
    COMPOSITE = 2
    A8_SURFACE = 3
    STREAM_REPORT = 4
    LZ4_COMPRESSION = 5
    PREF_COMPRESSION = 6
    GL_SCANOUT = 7
    MULTI_CODEC = 8
    CODEC_MJPEG = 9
    CODEC_VP8 = 10
    CODEC_H264 = 11
    PREF_VIDEO_CODEC_TYPE = 12
    CODEC_VP9 = 13
    CODEC_H265 = 14


class InputsCap(enum.IntEnum):
    """``SPICE_INPUTS_CAP_*``."""

    KEY_SCANCODE = 0


class SpicevmcCap(enum.IntEnum):
    """``SPICE_SPICEVMC_CAP_*``: usbredir, port and webdav channels."""

    DATA_COMPRESS_LZ4 = 0


class PortEvent(enum.IntEnum):
    """``SPICE_PORT_EVENT_*``."""

    OPENED = 0
    CLOSED = 1
    BREAK = 2


class SpiceLinkHeader(WireStruct):
    """First bytes of either side; *size* counts what follows."""

    magic: u32
    major_version: u32
    minor_version: u32
    size: u32


class SpiceLinkMess(WireStruct):
    """Client: which channel of which session; the words lie at *caps_offset*."""

    connection_id: u32
    channel_type: u8
    channel_id: u8
    num_common_caps: u32
    num_channel_caps: u32
    caps_offset: u32


class SpiceLinkReply(WireStruct):
    """Server: the ticket's public key (DER SubjectPublicKeyInfo), or an error."""

    error: u32
    pub_key: Annotated[bytes, Bytes(SPICE_TICKET_PUBKEY_BYTES)]
    num_common_caps: u32
    num_channel_caps: u32
    caps_offset: u32


class SpiceLinkEncryptedTicket(WireStruct):
    """Client: the password under RSA-OAEP (SHA-1)."""

    encrypted_data: Annotated[bytes, Bytes(SPICE_TICKET_KEY_PAIR_LENGTH // 8)]


class SpiceLinkAuthMechanism(WireStruct):
    """Client: a ``SPICE_COMMON_CAP_AUTH_*`` bit number."""

    auth_mechanism: u32


class SpiceDataHeader(WireStruct):
    """Before every message of a peer without ``MINI_HEADER``."""

    serial: u64
    type: u16
    size: u32
    sub_list: u32
    """Offset of a SpiceSubMessageList in the body, 0 for none."""


class SpiceMiniDataHeader(WireStruct):
    """Before every message once both sides have ``MINI_HEADER``."""

    type: u16
    size: u32


class SpiceSubMessage(WireStruct):
    """Header of a message inside a message."""

    type: u16
    size: u32


class SpiceSubMessageList(WireStruct):
    """Offsets of the messages inside a message follow."""

    FLEXIBLE: ClassVar[str] = "sub_messages"

    size: u16


def capability_words(capabilities: Iterable[int]) -> tuple[int, ...]:
    """Return the 32-bit words that have these bit numbers set, without zero tail."""
    bits = 0
    for capability in capabilities:
        bits |= 1 << capability
    return tuple(
        bits >> shift & 0xFFFFFFFF for shift in range(0, bits.bit_length(), 32)
    )


def has_capability(words: Sequence[int], capability: int) -> bool:
    """Whether bit number *capability* is set; missing words count as zero."""
    index, bit = divmod(capability, 32)
    return index < len(words) and bool(words[index] >> bit & 1)


def pack_capabilities(words: Sequence[int]) -> bytes:
    """Return the words as they stand after a link message or reply."""
    return struct.pack(f"<{len(words)}I", *words)


def unpack_capabilities(
    buffer: ReadableBuffer, offset: int, num_words: int
) -> tuple[int, ...]:
    """Copy *num_words* capability words out of a link message or reply.

    Raises:
        LimitExceededError: more than ``MAX_CAPABILITY_WORDS``.
        TruncatedError: they reach beyond *buffer*.

    """
    if num_words > MAX_CAPABILITY_WORDS:
        raise LimitExceededError(f"{num_words} capability words")
    size = memoryview(buffer).nbytes
    if offset + 4 * num_words > size:
        raise TruncatedError(
            f"{num_words} capability words at {offset}, there are {size} bytes"
        )
    return struct.unpack_from(f"<{num_words}I", buffer, offset)
