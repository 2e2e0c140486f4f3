"""The two messages of the link stage: SpiceLinkMess in, SpiceLinkReply out."""

from __future__ import annotations

from dataclasses import dataclass

from spice_protocol.errors import ProtocolError
from spice_protocol.protocol import (
    MAX_CAPABILITY_WORDS,
    SPICE_MAGIC,
    SPICE_VERSION_MAJOR,
    SPICE_VERSION_MINOR,
    SpiceCommonCap,
    SpiceLinkHeader,
    SpiceLinkMess,
    SpiceLinkReply,
    has_capability,
    pack_capabilities,
    unpack_capabilities,
)

__all__ = ["LinkRequest", "pack_reply", "parse_request"]


@dataclass(slots=True)
class LinkRequest:
    """Which channel of which session a client asks for, and what it can do."""

    connection_id: int
    channel_type: int
    channel_id: int
    common_caps: tuple[int, ...]
    channel_caps: tuple[int, ...]

    def has_common(self, capability: SpiceCommonCap) -> bool:
        """Tell whether the client has a capability common to all channels."""
        return has_capability(self.common_caps, capability)


def parse_request(data: bytes) -> LinkRequest:
    """Return what a link message asks for; *data* is all that its header announced.

    Raises:
        ProtocolError: the capability words are too many, or not where they should be.

    """
    message = SpiceLinkMess.unpack(data)
    common, channel = _words(message, data)
    return LinkRequest(
        connection_id=message.connection_id,
        channel_type=message.channel_type,
        channel_id=message.channel_id,
        common_caps=common,
        channel_caps=channel,
    )


def _words(
    message: SpiceLinkMess, data: bytes
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the common and the channel words of a link message.

    Raises:
        ProtocolError: they are too many, or do not lie behind the message.

    """
    common, channel = message.num_common_caps, message.num_channel_caps
    if not common and not channel:
        return (), ()  # caps_offset means nothing then
    if message.caps_offset < SpiceLinkMess.SIZE:
        raise ProtocolError(f"caps_offset {message.caps_offset}")
    if max(common, channel) > MAX_CAPABILITY_WORDS:
        raise ProtocolError(f"{common} + {channel} capability words")
    words = unpack_capabilities(data, message.caps_offset, common) + (
        unpack_capabilities(data, message.caps_offset + 4 * common, channel)
    )
    return words[:common], words[common:]


def pack_reply(
    error: int,
    pub_key: bytes = b"",
    common_caps: tuple[int, ...] = (),
    channel_caps: tuple[int, ...] = (),
) -> bytes:
    """Return a link header and reply; one with an *error* is all zero but for it."""
    words = pack_capabilities(common_caps + channel_caps)
    reply = SpiceLinkReply(
        error=error,
        pub_key=pub_key,
        num_common_caps=len(common_caps),
        num_channel_caps=len(channel_caps),
        caps_offset=0 if error else SpiceLinkReply.SIZE,
    )
    header = SpiceLinkHeader(
        magic=SPICE_MAGIC,
        major_version=SPICE_VERSION_MAJOR,
        minor_version=SPICE_VERSION_MINOR,
        size=SpiceLinkReply.SIZE + len(words),
    )
    return header.pack() + reply.pack() + words
