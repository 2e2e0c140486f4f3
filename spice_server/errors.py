"""What can go wrong in the SPICE server, by whose fault.

::

    SpiceServerError
    ├── ClientError            a client broke the rules; only its connection ends
    │   ├── LinkRefusedError   in the link stage: carries the answer it gets
    │   └── SlowClientError    it does not read what it asked for
    ├── AgentError             the guest's agent broke the rules; it is not listened to
    └── OperatorError          a setting cannot be followed
        └── ListenError        an address cannot be listened on

Bytes that cannot be parsed are a ``spice_protocol.errors.ProtocolError``; what the
monitor asked for and does not get is a ``vd_interfaces.control.ControlError``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spice_protocol.enums import SpiceLinkErr

__all__ = [
    "AgentError",
    "ClientError",
    "LinkRefusedError",
    "ListenError",
    "OperatorError",
    "SlowClientError",
    "SpiceServerError",
]


class SpiceServerError(Exception):
    """Base of all errors of this package."""


class ClientError(SpiceServerError):
    """A client did what the protocol does not allow at this point."""


class LinkRefusedError(ClientError):
    """A link attempt that is closed, after the answer *error* (``SpiceLinkErr``)."""

    def __init__(self, error: SpiceLinkErr | None, text: str) -> None:
        super().__init__(text)
        self.error = error


class SlowClientError(ClientError):
    """A client has more waiting for it than it may."""


class AgentError(SpiceServerError):
    """The guest's agent sent what is not its protocol."""


class OperatorError(SpiceServerError):
    """A setting that cannot be followed; the text is one line for the operator."""


class ListenError(OperatorError):
    """An address, port or path cannot be listened on."""
