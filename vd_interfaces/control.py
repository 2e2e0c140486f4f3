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
    """``none`` or ``spice``."""
    mouse_mode: str = "client"
    """``client``, ``server`` or ``unknown``."""
    channels: list[SpiceChannel] = field(default_factory=list)


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

    def query_spice(self) -> SpiceInfo:
        """Tell the server's state."""

    def on_channel_event(self, callback: Callable[[ChannelEvent], None]) -> None:
        """Call *callback* for every channel event, in order."""
