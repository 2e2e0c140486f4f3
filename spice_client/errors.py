"""What can go wrong for a client.

::

    SpiceClientError
    ├── UriError                 the operator's address makes no sense
    ├── ConnectError             nobody answers there, or TLS fails
    ├── LinkError                the server refuses the link and says why
    │   └── AuthenticationError  the password is wrong, missing or expired
    ├── DisconnectedError        the server went away
    ├── NoDisplayError           the server has no such display, or shows nothing
    └── UnsupportedError         the server sent what this client cannot draw

Bytes that break the protocol raise :class:`spice_protocol.errors.ProtocolError`.
"""

from __future__ import annotations

from spice_protocol.enums import SpiceLinkErr

__all__ = [
    "AuthenticationError",
    "ConnectError",
    "DisconnectedError",
    "LinkError",
    "NoDisplayError",
    "SpiceClientError",
    "UnsupportedError",
    "UriError",
]


class SpiceClientError(Exception):
    """Base of what this package raises."""


class UriError(SpiceClientError):
    """The address makes no sense."""


class ConnectError(SpiceClientError):
    """Nobody answers at the address, or TLS fails."""


class LinkError(SpiceClientError):
    """The server refused the link."""

    def __init__(self, code: int, channel: str) -> None:
        try:
            name = SpiceLinkErr(code).name
        except ValueError:
            name = "unknown"
        super().__init__(f"the server refuses {channel}: {name}({code})")
        self.code = code
        """A SpiceLinkErr, if it is one."""


class AuthenticationError(LinkError):
    """The password is wrong, missing or expired."""

    def __init__(self, code: int, channel: str) -> None:
        super().__init__(code, channel)
        self.args = (f"the server does not accept the password ({channel})",)


class DisconnectedError(SpiceClientError):
    """The server closed a connection."""


class NoDisplayError(SpiceClientError):
    """The server has no such display, or it never shows a picture."""


class UnsupportedError(SpiceClientError):
    """The server sent a kind of image or drawing that this client cannot draw."""
