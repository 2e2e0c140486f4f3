"""Who gets in, and over which connections: the rules of tickets, guessers and TLS."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from spice_protocol.enums import ChannelType, SpiceLinkErr
from spice_protocol.messages.tables import channel_name
from spice_server.config import ChannelSecurity
from spice_server.errors import LinkRefusedError
from spice_server.link.attempts import Attempts, peer_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from spice_server.config import ServerConfig
    from spice_server.link.link_message import LinkRequest
    from spice_server.link.tickets import TicketStore
    from vd_interfaces.control import SpiceEndpoint

__all__ = ["Admission"]


class Admission:
    """Decides about links; knows channels and sessions by number only."""

    def __init__(
        self,
        config: ServerConfig,
        tickets: TicketStore,
        is_living: Callable[[int], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Decide by *config* and *tickets*.

        Args:
            config: the server's settings.
            tickets: its passwords.
            is_living: whether there is a session of that id.
            clock: monotonic seconds.

        """
        self._tickets = tickets
        self._is_living = is_living
        self._clock = clock
        self._attempts = Attempts()
        self._security = {int(kind): how for kind, how in config.security.items()}
        self._default_security = config.default_security

    def check_security(self, request: LinkRequest, *, tls: bool) -> None:
        """Let a channel be opened over TLS, or without it.

        Raises:
            LinkRefusedError: it has to be the other way; the client may try that.

        """
        how = self._security.get(request.channel_type, self._default_security)
        name = channel_name(request.channel_type, request.channel_id)
        match how:
            case ChannelSecurity.SECURE if not tls:
                raise LinkRefusedError(SpiceLinkErr.NEED_SECURED, f"{name} needs TLS")
            case ChannelSecurity.INSECURE if tls:
                raise LinkRefusedError(SpiceLinkErr.NEED_UNSECURED, f"{name} over TLS")

    def check_ticket(
        self, password: bytes | None, request: LinkRequest, peer: SpiceEndpoint
    ) -> None:
        """Let *peer* in by its decrypted ticket; ``None``: it did not decrypt.

        Raises:
            LinkRefusedError: it does not get in.

        """
        if not self._tickets.ticketing:
            if password is None:
                raise _denied("the ticket does not decrypt")
            return
        session = self._session_of(request)
        self.check_attempts(request, peer)
        if password is None:
            reason: str | None = "the ticket does not decrypt"
        else:
            reason = self._tickets.refusal(password, self._clock(), session)
        if reason is not None:
            self.failed(peer)
            raise _denied(reason)

    def check_attempts(self, request: LinkRequest, peer: SpiceEndpoint) -> None:
        """Listen to *peer*, unless it failed too often.

        A client that is in already knows its session's id, which nobody can guess.

        Raises:
            LinkRefusedError: it is not listened to.

        """
        if self._session_of(request) is not None:
            return
        if not self._attempts.allows(peer_key(peer), self._clock()):
            raise _denied("too many wrong passwords came from there")

    def failed(self, peer: SpiceEndpoint) -> None:
        """Count a failure of *peer*'s."""
        self._attempts.failed(peer_key(peer), self._clock())

    def joined(self, session: int) -> None:
        """Learn that a ticket was good for a new *session*."""
        self._tickets.spend(session, self._is_living)

    def _session_of(self, request: LinkRequest) -> int | None:
        """Return the living session that a link belongs to; ``None``: a new one."""
        if request.channel_type == ChannelType.MAIN:
            return None
        return request.connection_id if self._is_living(request.connection_id) else None


def _denied(reason: str) -> LinkRefusedError:
    return LinkRefusedError(SpiceLinkErr.PERMISSION_DENIED, reason)
