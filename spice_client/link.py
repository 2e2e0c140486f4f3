"""The link stage: from the first byte to the first message (protocol.h).

The client says which channel of which session it wants, the server answers with a
public key, the client sends the password under it, the server says yes or no.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from spice_client.errors import AuthenticationError, LinkError
from spice_client.options import COMMON_CAPABILITIES
from spice_protocol.enums import SpiceLinkErr
from spice_protocol.errors import InvalidValueError, LimitExceededError
from spice_protocol.messages.tables import channel_name
from spice_protocol.protocol import (
    SPICE_MAGIC,
    SPICE_MAX_PASSWORD_LENGTH,
    SPICE_VERSION_MAJOR,
    SPICE_VERSION_MINOR,
    SpiceCommonCap,
    SpiceLinkAuthMechanism,
    SpiceLinkEncryptedTicket,
    SpiceLinkHeader,
    SpiceLinkMess,
    SpiceLinkReply,
    capability_words,
    has_capability,
    pack_capabilities,
    unpack_capabilities,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Link", "LinkRequest", "LinkResult"]

MAX_REPLY_SIZE = 4096
"""What libspice-server itself takes as a link message; a reply has no reason for more."""


@dataclass(slots=True)
class LinkRequest:
    """Which channel a client wants, and what it can do."""

    channel_type: int
    channel_id: int = 0
    connection_id: int = 0
    """The session id of the main channel's INIT; 0 opens a session."""
    channel_capabilities: tuple[int, ...] = ()
    """Bit numbers."""
    common_capabilities: tuple[int, ...] = COMMON_CAPABILITIES
    password: str = ""

    @property
    def name(self) -> str:
        """For messages: ``DISPLAY:0``."""
        return channel_name(self.channel_type, self.channel_id)

    def pack(self) -> bytes:
        """Return the link header, message and capability words."""
        common = capability_words(self.common_capabilities)
        channel = capability_words(self.channel_capabilities)
        words = pack_capabilities(common + channel)
        message = SpiceLinkMess(
            self.connection_id,
            self.channel_type,
            self.channel_id,
            len(common),
            len(channel),
            SpiceLinkMess.SIZE,
        )
        body = message.pack() + words
        header = SpiceLinkHeader(
            SPICE_MAGIC, SPICE_VERSION_MAJOR, SPICE_VERSION_MINOR, len(body)
        )
        return header.pack() + body


@dataclass(slots=True)
class LinkResult:
    """What both sides agreed on."""

    common_capabilities: tuple[int, ...]
    """The server's words."""
    channel_capabilities: tuple[int, ...]
    mini_header: bool


class LinkState(enum.Enum):
    """What the client waits for."""

    HEADER = enum.auto()
    REPLY = enum.auto()
    RESULT = enum.auto()
    DONE = enum.auto()


def encrypt_ticket(public_key: bytes, password: str) -> bytes:
    """Return the password, NUL-ended, under RSA-OAEP with SHA-1.

    Raises:
        InvalidValueError: the server's key is no RSA key of 1024 bits.

    """
    try:
        key = serialization.load_der_public_key(public_key)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidValueError(f"the ticket's public key: {error}") from error
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size != 1024:
        raise InvalidValueError("the ticket's public key is not RSA of 1024 bits")
    # The protocol knows no other hash; OAEP does not need collision resistance.
    sha1 = hashes.SHA1()  # noqa: S303 - as said
    oaep = padding.OAEP(padding.MGF1(sha1), sha1, None)
    return key.encrypt(password.encode() + b"\0", oaep)


class Link:
    """One link attempt; feed it bytes until ``result`` is there.

    Raises:
        LinkError: the password is longer than the protocol can carry.

    """

    def __init__(self, request: LinkRequest) -> None:
        if len(request.password.encode()) > SPICE_MAX_PASSWORD_LENGTH:
            raise AuthenticationError(SpiceLinkErr.PERMISSION_DENIED, request.name)
        self.request = request
        self.state = LinkState.HEADER
        self.result: LinkResult | None = None
        self._agreed: LinkResult | None = None
        self._buffer = bytearray()
        self._needed = SpiceLinkHeader.SIZE
        self._outgoing = bytearray(request.pack())

    def data_to_send(self) -> bytes:
        """Take the bytes that are to be sent now."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def receive_data(self, data: bytes) -> bytes:
        """Go on with what the server sent; what lies behind the link stage.

        Raises:
            LinkError: the server refuses; ``AuthenticationError``: the password.
            ProtocolError: the server does not speak SPICE.

        """
        self._buffer += data
        while self.state is not LinkState.DONE and len(self._buffer) >= self._needed:
            taken = bytes(self._buffer[: self._needed])
            del self._buffer[: self._needed]
            _STEPS[self.state](self, taken)
        if self.state is not LinkState.DONE:
            return b""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest

    def handle_header(self, data: bytes) -> None:
        """Check who answers, and how long the reply is."""
        header = SpiceLinkHeader.unpack(data)
        if header.magic != SPICE_MAGIC:
            raise InvalidValueError(f"this is no SPICE server: it says {data[:4]!r}")
        if header.major_version != SPICE_VERSION_MAJOR:
            raise LinkError(SpiceLinkErr.VERSION_MISMATCH, self.request.name)
        if header.size > MAX_REPLY_SIZE:
            raise LimitExceededError(f"a link reply of {header.size} bytes")
        self._needed = header.size
        self.state = LinkState.REPLY

    def handle_reply(self, data: bytes) -> None:
        """Agree on capabilities and send the password under the server's key."""
        reply = SpiceLinkReply.unpack(data)
        if reply.error != SpiceLinkErr.OK:
            raise self._refusal(reply.error)
        common = unpack_capabilities(data, reply.caps_offset, reply.num_common_caps)
        offset = reply.caps_offset + 4 * reply.num_common_caps
        channel = unpack_capabilities(data, offset, reply.num_channel_caps)
        ours = capability_words(self.request.common_capabilities)
        mini, selection = (
            has_capability(common, bit) and has_capability(ours, bit)
            for bit in (
                SpiceCommonCap.MINI_HEADER,
                SpiceCommonCap.PROTOCOL_AUTH_SELECTION,
            )
        )
        self._agreed = LinkResult(common, channel, mini)
        if selection:
            mechanism = SpiceLinkAuthMechanism(SpiceCommonCap.AUTH_SPICE)
            self._outgoing += mechanism.pack()
        ticket = encrypt_ticket(reply.pub_key, self.request.password)
        self._outgoing += SpiceLinkEncryptedTicket(ticket).pack()
        self._needed = 4
        self.state = LinkState.RESULT

    def handle_result(self, data: bytes) -> None:
        """Learn whether the password was good."""
        error = int.from_bytes(data, "little")
        if error != SpiceLinkErr.OK:
            raise self._refusal(error)
        self.result = self._agreed
        self.state = LinkState.DONE

    def _refusal(self, code: int) -> LinkError:
        if code == SpiceLinkErr.PERMISSION_DENIED:
            return AuthenticationError(code, self.request.name)
        return LinkError(code, self.request.name)


_STEPS: dict[LinkState, Callable[[Link, bytes], None]] = {
    LinkState.HEADER: Link.handle_header,
    LinkState.REPLY: Link.handle_reply,
    LinkState.RESULT: Link.handle_result,
}
