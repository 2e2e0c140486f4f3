"""The server's half of a link and of channels, in bytes, for tests of the client."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from spice_client.link import LinkResult
from spice_protocol.protocol import (
    SPICE_MAGIC,
    SpiceDataHeader,
    SpiceLinkHeader,
    SpiceLinkReply,
    SpiceMiniDataHeader,
    pack_capabilities,
)

if TYPE_CHECKING:
    from spice_protocol.marshaller import WireMessage
    from spice_protocol.wire import WireStruct

MINI = LinkResult((0xB,), (0xFFFF,), mini_header=True)
FULL = LinkResult((0x3,), (), mini_header=False)


@cache
def ticket_key() -> rsa.RSAPrivateKey:
    """Return the one key all fake servers share."""
    # The protocol's own size.
    return rsa.generate_private_key(65537, 1024)


def public_key() -> bytes:
    """Return the key as a link reply carries it."""
    return (
        ticket_key()
        .public_key()
        .public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


def link_reply(
    *,
    error: int = 0,
    common: tuple[int, ...] = (0xB,),
    channel: tuple[int, ...] = (0xF,),
    key: bytes | None = None,
) -> bytes:
    """Return a server's whole answer to a link message."""
    words = pack_capabilities(common + channel)
    reply = SpiceLinkReply(
        error,
        public_key() if key is None else key,
        len(common),
        len(channel),
        SpiceLinkReply.SIZE,
    )
    size = SpiceLinkReply.SIZE + len(words)
    return SpiceLinkHeader(SPICE_MAGIC, 2, 2, size).pack() + reply.pack() + words


def link_result(error: int = 0) -> bytes:
    """Return what ends a link stage."""
    return error.to_bytes(4, "little")


def decrypt_ticket(ticket: bytes) -> bytes:
    """Return the password with its NUL."""
    sha1 = hashes.SHA1()
    return ticket_key().decrypt(ticket, padding.OAEP(padding.MGF1(sha1), sha1, None))


def framed(
    message_id: int,
    message: WireStruct | WireMessage | bytes = b"",
    *,
    mini: bool = True,
) -> bytes:
    """Return a message with its header."""
    body = message if isinstance(message, bytes) else message.pack()
    if mini:
        return SpiceMiniDataHeader(message_id, len(body)).pack() + body
    return SpiceDataHeader(1, message_id, len(body), 0).pack() + body


def unframed(data: bytes) -> list[tuple[int, bytes]]:
    """Return ids and bodies of mini-header messages."""
    messages = []
    while data:
        header = SpiceMiniDataHeader.unpack(data)
        end = SpiceMiniDataHeader.SIZE + header.size
        assert len(data) >= end
        messages.append((header.type, data[SpiceMiniDataHeader.SIZE : end]))
        data = data[end:]
    return messages
