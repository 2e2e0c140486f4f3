"""The link stage as a state table: bytes in, requests and answers out, no I/O.

::

    MAGIC ─► HEADER ─► MESSAGE ─► DECISION ─┬───────────────────► TICKET ─┬─► VERDICT
                                            └─► MECHANISM ─┬─► TICKET ────┤      │
                                                           └─► SASL ──────┘      ▼
                                                                              LINKED
    every state but the last ─► CLOSED

A client says which channel it wants (``SpiceLinkMess``); the server decides and offers
a public key (``SpiceLinkReply``) or an error; the client chooses an authentication
mechanism, unless it lacks ``PROTOCOL_AUTH_SELECTION``, and sends the encrypted ticket;
the server's verdict is one word.  A server that wants SASL offers no key and takes no
ticket; the client logs in by :mod:`sasl_exchange` then.  What is refused is answered as libspice-server does:
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
    SPICE_MAGIC,
    SPICE_VERSION_MAJOR,
    SpiceCommonCap,
    SpiceLinkAuthMechanism,
    SpiceLinkEncryptedTicket,
    SpiceLinkHeader,
    SpiceLinkMess,
)
from spice_server.errors import LinkRefusedError
from spice_server.link.link_message import LinkRequest, pack_reply, parse_request
from spice_server.link.sasl_exchange import (
    MAX_SASL_DATA,
    SaslExchange,
    SaslList,
    SaslStep,
)

__all__ = [
    "TRANSITIONS",
    "EncryptedTicket",
    "Handshake",
    "LinkInput",
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
    SASL = enum.auto()
    """What :class:`SaslExchange` says."""
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
    """SpiceLinkAuthMechanism that says ticket."""
    SASL = enum.auto()
    """SpiceLinkAuthMechanism that says SASL."""
    SASL_DONE = enum.auto()
    """Our last word in it."""
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
    (LinkState.MECHANISM, LinkInput.SASL): LinkState.SASL,
    (LinkState.SASL, LinkInput.SASL_DONE): LinkState.VERDICT,
    (LinkState.TICKET, LinkInput.TICKET): LinkState.VERDICT,
    (LinkState.VERDICT, LinkInput.ACCEPT): LinkState.LINKED,
} | {
    (state, LinkInput.REFUSE): LinkState.CLOSED
    for state in LinkState
    if state not in {LinkState.LINKED, LinkState.CLOSED}
}
"""The whole link stage; what is absent cannot happen."""


@dataclass(slots=True)
class EncryptedTicket:
    """The password under the key that was offered."""

    data: bytes


class Handshake:
    """One link attempt, server side.

    Feed it with :meth:`receive`, then call :meth:`next_event` until it gives ``None``,
    and send :meth:`data_to_send` each time.
    """

    def __init__(self, *, sasl: bool = False) -> None:
        """Begin; with *sasl* clients log in by that, and not by ticket."""
        self.state = LinkState.MAGIC
        self._sasl = SaslExchange() if sasl else None
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
            LinkState.SASL: self._read_sasl,
        }

    def receive(self, data: bytes) -> None:
        """Take bytes from the client.

        Raises:
            LinkRefusedError: it sent more than a link stage may hold.

        """
        self._buffer += data
        more = MAX_SASL_DATA if self.state is LinkState.SASL else 0
        if len(self._buffer) > MAX_AHEAD + more:
            raise self.refuse(SpiceLinkErr.INVALID_DATA, "too much data ahead of time")

    def next_event(
        self,
    ) -> LinkRequest | EncryptedTicket | SaslList | SaslStep | None:
        """Go on with what was received; an event awaits our decision or verdict.

        Raises:
            LinkRefusedError: the client broke the rules; the answer is to be sent.

        """
        while (needed := self._needed()) is not None and len(self._buffer) >= needed:
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
        self._out += pack_reply(SpiceLinkErr.OK, pub_key, common_caps, channel_caps)

    def list_mechanisms(self, mechanisms: tuple[str, ...]) -> None:
        """Tell by what SASL mechanisms the client may log in."""
        assert self._sasl is not None
        self._out += self._sasl.list_mechanisms(mechanisms)

    def answer_step(self, data: bytes, *, complete: bool) -> None:
        """Answer a step of SASL's; once it is *complete* a verdict is due.

        The verdict goes through the security layer already, if there is one.
        """
        assert self._sasl is not None
        self._out += self._sasl.answer(data, complete=complete)
        if complete:
            self._out += _WORD.pack(SpiceLinkErr.OK)
            self._advance(LinkInput.SASL_DONE)

    def take_ahead(self) -> bytes:
        """Return what the client sent ahead of the verdict, and forget it."""
        return self._take(len(self._buffer))

    def accept(self) -> None:
        """Answer a ticket or a login: the channel is the client's."""
        self._advance(LinkInput.ACCEPT)
        self._out += _WORD.pack(SpiceLinkErr.OK)

    def refuse(self, error: SpiceLinkErr | None, text: str) -> LinkRefusedError:
        """Answer with *error*, or not at all; return what to raise or log."""
        verdict = self.state is LinkState.VERDICT
        self._advance(LinkInput.REFUSE)
        if error is not None:
            self._out += _WORD.pack(error) if verdict else pack_reply(error)
        return LinkRefusedError(error, text)

    # -- the client's bytes ----------------------------------------------------

    def _needed(self) -> int | None:
        """Return how many bytes the present state awaits; ``None``: it is our turn."""
        match self.state:
            case LinkState.HEADER:
                return SpiceLinkHeader.SIZE
            case LinkState.MESSAGE:
                return self._message_size
            case LinkState.TICKET:
                return SpiceLinkEncryptedTicket.SIZE
            case LinkState.SASL if self._sasl is not None:
                return self._sasl.needed()
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
        try:
            request = parse_request(data)
        except ProtocolError as error:
            raise self.refuse(SpiceLinkErr.INVALID_DATA, str(error)) from error
        self._selects = request.has_common(SpiceCommonCap.PROTOCOL_AUTH_SELECTION)
        if self._sasl is not None and not self._selects:
            raise self.refuse(SpiceLinkErr.INVALID_DATA, "it cannot do SASL")
        self._advance(LinkInput.MESSAGE)
        return request

    def _read_mechanism(self) -> SaslList | None:
        data = self._take(SpiceLinkAuthMechanism.SIZE)
        mechanism = SpiceLinkAuthMechanism.unpack(data).auth_mechanism
        if self._sasl is not None and mechanism == SpiceCommonCap.AUTH_SASL:
            self._advance(LinkInput.SASL)
            return SaslList()
        if self._sasl is not None or mechanism != SpiceCommonCap.AUTH_SPICE:
            raise self.refuse(
                SpiceLinkErr.INVALID_DATA, f"authentication mechanism {mechanism}"
            )
        self._advance(LinkInput.MECHANISM)
        return None

    def _read_sasl(self) -> SaslStep | None:
        assert self._sasl is not None
        data = self._take(self._sasl.needed() or 0)
        try:
            return self._sasl.receive(data)
        except ProtocolError as error:
            raise self.refuse(SpiceLinkErr.INVALID_DATA, str(error)) from error

    def _read_ticket(self) -> EncryptedTicket:
        data = self._take(SpiceLinkEncryptedTicket.SIZE)
        self._advance(LinkInput.TICKET)
        return EncryptedTicket(data)
