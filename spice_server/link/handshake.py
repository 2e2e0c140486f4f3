"""The link stage as a state table: bytes in, requests and answers out, no I/O.

::

    MAGIC ─► HEADER ─► MESSAGE ─► DECISION ─┬─► MECHANISM ─► TICKET ─► VERDICT ─► LINKED
                                            └─────────────────►┘
    every state but the last ─► CLOSED

A client says which channel it wants (``SpiceLinkMess``); the server decides and offers
a public key (``SpiceLinkReply``) or an error; the client chooses an authentication
mechanism, unless it lacks ``PROTOCOL_AUTH_SELECTION``, and sends the encrypted ticket;
the server's verdict is one word.  What is refused is answered as libspice-server does:
before the verdict with a reply that is all zero but for its error, and a few times not
at all.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass
from typing import Final

from spice_protocol.enums import SpiceLinkErr
from spice_protocol.errors import ProtocolError
from spice_protocol.protocol import (
    MAX_CAPABILITY_WORDS,
    SPICE_MAGIC,
    SPICE_VERSION_MAJOR,
    SPICE_VERSION_MINOR,
    SpiceCommonCap,
    SpiceLinkAuthMechanism,
    SpiceLinkEncryptedTicket,
    SpiceLinkHeader,
    SpiceLinkMess,
    SpiceLinkReply,
    has_capability,
    pack_capabilities,
    unpack_capabilities,
)
from spice_server.errors import LinkRefusedError

__all__ = [
    "TRANSITIONS",
    "EncryptedTicket",
    "Handshake",
    "LinkInput",
    "LinkRequest",
    "LinkState",
]

MAX_LINK_MESSAGE: Final = 4096
"""Bytes of a link message: libspice-server's bound."""

MAX_AHEAD: Final = 16 * 1024
"""Bytes a client may send before it is authenticated: a link message, a ticket, and
what an eager one sends without awaiting the verdict."""

_WORD: Final = struct.Struct("<I")


class LinkState(enum.Enum):
    """What is awaited."""

    MAGIC = enum.auto()
    """The first four bytes, which also tell SPICE from other protocols."""
    HEADER = enum.auto()
    """The rest of SpiceLinkHeader."""
    MESSAGE = enum.auto()
    """SpiceLinkMess and its capability words."""
    DECISION = enum.auto()
    """Our :meth:`Handshake.offer` or :meth:`Handshake.refuse`."""
    MECHANISM = enum.auto()
    """SpiceLinkAuthMechanism."""
    TICKET = enum.auto()
    """SpiceLinkEncryptedTicket."""
    VERDICT = enum.auto()
    """Our :meth:`Handshake.accept` or :meth:`Handshake.refuse`."""
    LINKED = enum.auto()
    CLOSED = enum.auto()


class LinkInput(enum.Enum):
    """What moves a link on."""

    MAGIC = enum.auto()
    HEADER = enum.auto()
    MESSAGE = enum.auto()
    OFFER_SELECTION = enum.auto()
    """A key was offered to a client that will select a mechanism."""
    OFFER_TICKET = enum.auto()
    """A key was offered to a client that will send its ticket at once."""
    MECHANISM = enum.auto()
    TICKET = enum.auto()
    ACCEPT = enum.auto()
    REFUSE = enum.auto()


TRANSITIONS: Final[dict[tuple[LinkState, LinkInput], LinkState]] = {
    (LinkState.MAGIC, LinkInput.MAGIC): LinkState.HEADER,
    (LinkState.HEADER, LinkInput.HEADER): LinkState.MESSAGE,
    (LinkState.MESSAGE, LinkInput.MESSAGE): LinkState.DECISION,
    (LinkState.DECISION, LinkInput.OFFER_SELECTION): LinkState.MECHANISM,
    (LinkState.DECISION, LinkInput.OFFER_TICKET): LinkState.TICKET,
    (LinkState.MECHANISM, LinkInput.MECHANISM): LinkState.TICKET,
    (LinkState.TICKET, LinkInput.TICKET): LinkState.VERDICT,
    (LinkState.VERDICT, LinkInput.ACCEPT): LinkState.LINKED,
} | {
    (state, LinkInput.REFUSE): LinkState.CLOSED
    for state in LinkState
    if state not in {LinkState.LINKED, LinkState.CLOSED}
}
"""The whole link stage; what is absent cannot happen."""


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


@dataclass(slots=True)
class EncryptedTicket:
    """The password under the key that was offered."""

    data: bytes


def _reply(
    error: int,
    pub_key: bytes = b"",
    common_caps: tuple[int, ...] = (),
    channel_caps: tuple[int, ...] = (),
) -> bytes:
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


class Handshake:
    """One link attempt, server side.

    Feed it with :meth:`receive`, then call :meth:`next_event` until it gives ``None``,
    and send :meth:`data_to_send` each time.
    """

    def __init__(self) -> None:
        self.state = LinkState.MAGIC
        self._buffer = bytearray()
        self._out = bytearray()
        self._message_size = 0
        self._selects = False
        self._steps = {
            LinkState.MAGIC: self._read_magic,
            LinkState.HEADER: self._read_header,
            LinkState.MESSAGE: self._read_message,
            LinkState.MECHANISM: self._read_mechanism,
            LinkState.TICKET: self._read_ticket,
        }

    def receive(self, data: bytes) -> None:
        """Take bytes from the client.

        Raises:
            LinkRefusedError: it sent more than a link stage may hold.

        """
        self._buffer += data
        if len(self._buffer) > MAX_AHEAD:
            raise self.refuse(SpiceLinkErr.INVALID_DATA, "too much data ahead of time")

    def next_event(self) -> LinkRequest | EncryptedTicket | None:
        """Go on with what was received; an event awaits our decision or verdict.

        Raises:
            LinkRefusedError: the client broke the rules; the answer is to be sent.

        """
        while len(self._buffer) >= self._needed():
            step = self._steps.get(self.state)
            if step is None:
                break
            event = step()
            if event is not None:
                return event
        return None

    def data_to_send(self) -> bytes:
        """Return what the client is to get, and forget it."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def remaining(self) -> bytes:
        """Return what the client sent beyond the link stage."""
        assert self.state is LinkState.LINKED
        return bytes(self._buffer)

    # -- our answers -----------------------------------------------------------

    def offer(
        self,
        pub_key: bytes,
        common_caps: tuple[int, ...],
        channel_caps: tuple[int, ...],
    ) -> None:
        """Answer a request with a key (DER, 162 bytes) and what we can do."""
        self._advance(
            LinkInput.OFFER_SELECTION if self._selects else LinkInput.OFFER_TICKET
        )
        self._out += _reply(SpiceLinkErr.OK, pub_key, common_caps, channel_caps)

    def accept(self) -> None:
        """Answer a ticket: the channel is the client's."""
        self._advance(LinkInput.ACCEPT)
        self._out += _WORD.pack(SpiceLinkErr.OK)

    def refuse(self, error: SpiceLinkErr | None, text: str) -> LinkRefusedError:
        """Answer with *error*, or not at all; return what to raise or log."""
        verdict = self.state is LinkState.VERDICT
        self._advance(LinkInput.REFUSE)
        if error is not None:
            self._out += _WORD.pack(error) if verdict else _reply(error)
        return LinkRefusedError(error, text)

    # -- the client's bytes ----------------------------------------------------

    def _needed(self) -> int:
        """Return how many bytes the present state awaits."""
        match self.state:
            case LinkState.HEADER:
                return SpiceLinkHeader.SIZE
            case LinkState.MESSAGE:
                return self._message_size
            case LinkState.TICKET:
                return SpiceLinkEncryptedTicket.SIZE
            case _:
                return _WORD.size

    def _take(self, size: int) -> bytes:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _advance(self, link_input: LinkInput) -> None:
        self.state = TRANSITIONS[self.state, link_input]

    def _read_magic(self) -> None:
        (magic,) = _WORD.unpack_from(self._buffer)
        if magic != SPICE_MAGIC:
            raise self.refuse(SpiceLinkErr.INVALID_MAGIC, f"magic is {magic:#010x}")
        self._advance(LinkInput.MAGIC)

    def _read_header(self) -> None:
        header = SpiceLinkHeader.unpack(self._take(SpiceLinkHeader.SIZE))
        if header.major_version != SPICE_VERSION_MAJOR:
            # Version 0 was never released; libspice-server just closes.
            error = SpiceLinkErr.VERSION_MISMATCH if header.major_version else None
            raise self.refuse(error, f"major version is {header.major_version}")
        if not SpiceLinkMess.SIZE <= header.size <= MAX_LINK_MESSAGE:
            raise self.refuse(
                SpiceLinkErr.INVALID_DATA, f"link message of {header.size} bytes"
            )
        self._message_size = header.size
        self._advance(LinkInput.HEADER)

    def _read_message(self) -> LinkRequest:
        data = self._take(self._message_size)
        message = SpiceLinkMess.unpack(data)
        try:
            common, channel = _capabilities(message, data)
        except ProtocolError as error:
            raise self.refuse(SpiceLinkErr.INVALID_DATA, str(error)) from error
        self._selects = has_capability(common, SpiceCommonCap.PROTOCOL_AUTH_SELECTION)
        self._advance(LinkInput.MESSAGE)
        return LinkRequest(
            connection_id=message.connection_id,
            channel_type=message.channel_type,
            channel_id=message.channel_id,
            common_caps=common,
            channel_caps=channel,
        )

    def _read_mechanism(self) -> None:
        data = self._take(SpiceLinkAuthMechanism.SIZE)
        mechanism = SpiceLinkAuthMechanism.unpack(data).auth_mechanism
        if mechanism != SpiceCommonCap.AUTH_SPICE:
            raise self.refuse(
                SpiceLinkErr.INVALID_DATA, f"authentication mechanism {mechanism}"
            )
        self._advance(LinkInput.MECHANISM)

    def _read_ticket(self) -> EncryptedTicket:
        data = self._take(SpiceLinkEncryptedTicket.SIZE)
        self._advance(LinkInput.TICKET)
        return EncryptedTicket(data)


def _capabilities(
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
