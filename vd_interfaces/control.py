"""What an operator may ask of the SPICE server, in QAPI's words (qapi/ui.json)."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "ChannelEvent",
    "ChannelEventKind",
    "ControlError",
    "MigrationTarget",
    "SetPasswordAction",
    "SpiceChannel",
    "SpiceControl",
    "SpiceEndpoint",
    "SpiceInfo",
]


class ControlError(Exception):
    """The server refuses what the operator asked for; the text says why."""


class SetPasswordAction(enum.Enum):
    """QAPI SetPasswordAction: what happens to connected clients."""

    KEEP = "keep"
    FAIL = "fail"
    DISCONNECT = "disconnect"


@dataclass(slots=True)
class SpiceEndpoint:
    """QAPI SpiceBasicInfo: one end of a connection."""

    host: str
    port: str
    family: str
    """``ipv4``, ``ipv6``, ``unix`` or ``unknown`` (NetworkAddressFamily)."""


@dataclass(slots=True)
class SpiceChannel:
    """QAPI SpiceChannel."""

    client: SpiceEndpoint
    connection_id: int
    """Unsigned 32 bits; QAPI shows it signed."""
    channel_type: int
    channel_id: int
    tls: bool


@dataclass(slots=True)
class SpiceInfo:
    """QAPI SpiceInfo."""

    enabled: bool
    migrated: bool
    host: str | None = None
    port: int | None = None
    tls_port: int | None = None
    auth: str | None = None
    """``none``, ``spice`` or ``sasl``."""
    mouse_mode: str = "client"
    """``client``, ``server`` or ``unknown``."""
    channels: list[SpiceChannel] = field(default_factory=list)


@dataclass(slots=True)
class MigrationTarget:
    """Where clients go when the VM goes (``client_migrate_info``)."""

    hostname: str
    port: int | None = None
    """As the operator gave it: no range is checked."""
    tls_port: int | None = None
    cert_subject: str | None = None
    """What the target's certificate must say; ``None``: its host's name."""


class ChannelEventKind(enum.Enum):
    """The QAPI event that a channel's change of state becomes."""

    CONNECTED = "SPICE_CONNECTED"
    INITIALIZED = "SPICE_INITIALIZED"
    DISCONNECTED = "SPICE_DISCONNECTED"


@dataclass(slots=True)
class ChannelEvent:
    """A channel connected, was authenticated, or went away."""

    kind: ChannelEventKind
    server: SpiceEndpoint
    client: SpiceEndpoint
    auth: str
    """The server's ``auth``: ``none`` or ``spice``; INITIALIZED only."""
    channel: SpiceChannel | None
    """What the link message said; INITIALIZED only."""


class SpiceControl(Protocol):
    """The SPICE server as its operator sees it; main thread only."""

    def set_password(self, password: str, action: SetPasswordAction) -> None:
        """Set the ticket.

        Raises:
            ControlError: longer than 60 characters, ``FAIL`` with a client connected,
                or ticketing is disabled.

        """

    def expire_password(self, when: float | None) -> None:
        """Let the ticket expire at *when* (seconds since 1970); ``None``: never.

        Sticky as QEMU's: it outlives later ``set_password`` calls.
        """

    def reload_certificates(self) -> None:
        """Show connections to come the certificates that are in the files now.

        Raises:
            ControlError: there is no TLS, or they cannot be used; the old ones still
                are then.

        """

    def query_spice(self) -> SpiceInfo:
        """Tell the server's state."""

    def on_channel_event(self, callback: Callable[[ChannelEvent], None]) -> None:
        """Call *callback* for every channel event, in order."""

    def on_migrate_completed(self, callback: Callable[[], None]) -> None:
        """Call *callback* when the server has no more to do for a migration.

        It becomes SPICE_MIGRATE_COMPLETED, for which management waits.
        """

    def add_client(self, fd: int, *, skip_auth: bool, tls: bool) -> None:
        """Serve a client on a connected socket.

        Args:
            fd: the socket's descriptor, which is the server's from now on.
            skip_auth: let the client in whatever its ticket says.
            tls: begin with a TLS handshake.

        Raises:
            ControlError: it is no stream socket, or cannot be served.

        """

    def migrate_info(self, target: MigrationTarget) -> None:
        """Remember where clients are to go when the VM's migration ends.

        Raises:
            ControlError: they cannot be sent there.

        """

    def migrate_start(self) -> None:
        """Take note that the VM begins to migrate."""

    def migrate_end(self, *, completed: bool) -> None:
        """Take note that the VM's migration is over; if *completed*, the VM is gone.

        After ``migrate_info``, a completed one always leads to a call of what
        ``on_migrate_completed`` was given, whatever clients and the target do.
        """
