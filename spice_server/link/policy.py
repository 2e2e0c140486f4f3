"""What a link stage asks and tells the server, and what it needs to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from spice_server.channel.channel import Channel
    from spice_server.channel.connection import Connection
    from spice_server.channel.link_info import LinkInfo
    from spice_server.errors import LinkRefusedError
    from spice_server.link.auth import TicketKeys
    from spice_server.link.link_message import LinkRequest
    from spice_server.link.sasl_login import SaslLogins
    from vd_interfaces.control import SpiceEndpoint

__all__ = ["Authentication", "LinkPolicy"]


@dataclass(slots=True)
class Authentication:
    """How a client gets in."""

    keys: TicketKeys
    """For tickets."""
    logins: SaslLogins | None = None
    """For SASL in place of tickets."""
    skip: bool = False
    """Any ticket will do that decrypts."""


class LinkPolicy(Protocol):
    """Who decides about links."""

    def find_channel(self, request: LinkRequest, *, tls: bool) -> Channel:
        """Return the channel a client asks for.

        Raises:
            LinkRefusedError: it does not exist, or not over this kind of connection.

        """

    def check_ticket(
        self, password: bytes | None, request: LinkRequest, peer: SpiceEndpoint
    ) -> None:
        """Let a client in by its decrypted ticket; ``None``: it did not decrypt.

        Raises:
            LinkRefusedError: the client does not get in.

        """

    def check_login(self, request: LinkRequest, peer: SpiceEndpoint) -> None:
        """Let a client try to log in by SASL.

        Raises:
            LinkRefusedError: it failed too often.

        """

    def login_failed(self, peer: SpiceEndpoint) -> None:
        """Learn that SASL refused a client."""

    def join_session(self, request: LinkRequest, *, by_ticket: bool) -> int:
        """Return the id of the session that an authenticated link belongs to.

        Raises:
            LinkRefusedError: there is no such session.

        """

    def linked(self, connection: Connection, link: LinkInfo) -> None:
        """Take over a detached connection whose link stage went well."""

    def refused(self, error: LinkRefusedError) -> None:
        """Learn that a link attempt was answered with *error*."""

    def unlinked(self, connection: Connection) -> None:
        """Learn that a connection's link stage is over, well or not."""

    def link_lost(self, connection: Connection) -> None:
        """Learn that a connection ended before it was linked."""
