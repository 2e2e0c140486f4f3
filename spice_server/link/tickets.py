"""The password store: what a ticket must hold and until when (spice_server_set_ticket).

Time is given by the caller, in seconds since 1970.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from spice_protocol.protocol import SPICE_MAX_PASSWORD_LENGTH
from vd_interfaces.control import ControlError

__all__ = ["TicketStore"]


@dataclass(slots=True)
class TicketStore:
    """The one password of a server.

    With ticketing on and no password nobody gets in.  The time of expiry is QEMU's:
    it stays in force when the password changes.
    """

    ticketing: bool = True
    """Whether a password is asked for at all."""
    _password: bytes = b""
    _expires: float | None = None

    def set_password(self, password: str) -> None:
        """Ask for *password* from now on; an empty one lets nobody in.

        Raises:
            ControlError: it is too long, holds a NUL, or ticketing is off.

        """
        if not self.ticketing:
            raise ControlError("SPICE authentication is disabled")
        data = password.encode()
        if len(data) > SPICE_MAX_PASSWORD_LENGTH:
            raise ControlError(
                f"a SPICE password has at most {SPICE_MAX_PASSWORD_LENGTH} bytes"
            )
        if b"\0" in data:
            raise ControlError("a SPICE password cannot hold a NUL")
        self._password = data

    def expire(self, when: float | None) -> None:
        """Let every password expire at *when*; ``None``: never."""
        self._expires = when

    def refusal(self, ticket: bytes, now: float) -> str | None:
        """Return why *ticket* is not good, for the log; ``None``: it is.

        *ticket* may end with a NUL, as C clients send it.
        """
        if not self.ticketing:
            return None
        offered = ticket.partition(b"\0")[0]
        # The comparison comes first and takes as long whatever the other answers are.
        equal = hmac.compare_digest(offered, self._password)
        if not self._password:
            return "no password is set"
        if self._expires is not None and now >= self._expires:
            return "the password has expired"
        return None if equal else "the password is wrong"
