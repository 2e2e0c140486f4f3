"""What the SPICE server can be told."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spice_protocol.enums import ChannelType
from spice_server.agent.policy import AgentPolicy
from spice_server.errors import OperatorError

if TYPE_CHECKING:
    import uuid
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["ChannelSecurity", "ServerConfig", "TlsConfig", "channel_type"]


class ChannelSecurity(enum.Enum):
    """Over which connections a channel may be opened."""

    ANY = "any"
    SECURE = "secure"
    """TLS only: others are answered NEED_SECURED."""
    INSECURE = "insecure"
    """Not TLS: others are answered NEED_UNSECURED."""


@dataclass(frozen=True, slots=True)
class TlsConfig:
    """Certificate and keys, PEM files."""

    cert: Path
    """Server certificate, with intermediate ones."""
    key: Path
    ca: Path | None = None
    """Sent along for clients that build the chain from it."""
    key_password: str | None = None
    ciphers: str | None = None
    """OpenSSL cipher list for TLS 1.2."""
    verify_peer: bool = False
    """Let clients in only with a certificate that the CA signed."""
    peer_subjects: tuple[str, ...] = ()
    """Subjects of those that are let in (``O=Test,CN=me``); none: all."""

    @classmethod
    def from_directory(
        cls,
        path: Path,
        *,
        ciphers: str | None = None,
        verify_peer: bool = False,
        peer_subjects: tuple[str, ...] = (),
    ) -> TlsConfig:
        """Name the files as QEMU's ``x509-dir`` does."""
        return cls(
            cert=path / "server-cert.pem",
            key=path / "server-key.pem",
            ca=path / "ca-cert.pem",
            ciphers=ciphers,
            verify_peer=verify_peer,
            peer_subjects=peer_subjects,
        )


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """One SPICE server."""

    addr: str = "127.0.0.1"
    """Address or name to listen on; empty: every address."""
    port: int | None = None
    """TCP port; 0: any free one; ``None``: no plain TCP."""
    tls_port: int | None = None
    unix_path: Path | None = None
    """Unix socket to listen on."""
    unix_mode: int = 0o600
    """Permissions of the unix socket: who may connect."""
    tls: TlsConfig | None = None
    ticketing: bool = True
    """Whether a password is asked for; without one set nobody gets in."""
    sasl: bool = False
    """Let clients log in by SASL, and not by ticket."""
    password: str = ""
    one_time: bool = False
    """Let a password open one session only."""
    multi_client: bool = False
    """Let several clients in at once; else a new one replaces the old."""
    name: str = ""
    """Name of the VM for the clients' titles; empty: none is sent."""
    uuid: uuid.UUID | None = None
    pages: Path | None = None
    """Folder of spice-html5 to serve over HTTP; ``None``: no pages."""
    websocket_origins: tuple[str, ...] = ()
    """Web pages that may connect, by origin (``https://host``), ``*``: all; none given:
    see :mod:`spice_server.websocket.origin`."""
    security: Mapping[ChannelType, ChannelSecurity] = field(default_factory=dict)
    """By channel type."""
    default_security: ChannelSecurity = ChannelSecurity.ANY
    """For what ``security`` does not name."""
    ram_hint: int = 0
    """Bytes of device memory, from which spice-gtk sizes its caches; 0: its default."""
    agent: AgentPolicy = field(default_factory=AgentPolicy)
    """What clients and the guest's agent may say to each other."""
    max_half_open: int = 128
    """Connections in their link stage; the oldest gives way to another one.  A client
    opens about ten at once, the rest is room for strangers."""
    max_links: int = 512
    """Links of all clients together: bounds file descriptors and memory."""

    @property
    def auth(self) -> str:
        """How clients get in, in QMP's words: ``sasl``, ``spice`` or ``none``."""
        if self.sasl:
            return "sasl"
        return "spice" if self.ticketing else "none"


def channel_type(name: str) -> ChannelType:
    """Return the channel type that an operator calls *name* (``main``).

    Raises:
        OperatorError: there is none of that name.

    """
    try:
        return ChannelType[name.upper()]
    except KeyError:
        known = ", ".join(t.name.lower() for t in ChannelType)
        raise OperatorError(f"no channel {name!r}; there are {known}") from None
