"""The password store: what a ticket must hold and until when (spice_server_set_ticket).

Time is given by the caller as a :class:`Moment`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Self

from spice_protocol.protocol import SPICE_MAX_PASSWORD_LENGTH
from vd_interfaces.control import ControlError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Moment", "TicketStore"]

_DIGEST_KEY = secrets.token_bytes(32)


class Moment(NamedTuple):
    """One moment by two clocks."""

    wall: float
    """Seconds since 1970: what an operator means by a time."""
    monotonic: float
    """Seconds of a clock that nobody sets: what a lifetime is counted by."""

    @classmethod
    def now(cls) -> Self:
        """Return the present."""
        return cls(time.time(), time.monotonic())


@dataclass(slots=True)
class TicketStore:
    """The one password of a server.

    With ticketing on and no password nobody gets in.  The time of expiry is QEMU's: it
    stays in force when the password changes, and it becomes a lifetime whenever either
    is set, so that setting the host's clock later changes nothing.
    """

    ticketing: bool = True
    """Whether a password is asked for at all."""
    one_time: bool = False
    """Whether a password is good for one session only."""
    _password: bytes = b""
    _expires: float | None = None
    """By the wall clock, as it was asked for."""
    _deadline: float | None = None
    """By the monotonic clock, since the last change."""
    _spent: dict[int, bytes] = field(default_factory=dict)
    """What one-time passwords the sessions came in with: their other channels bring
    them, too."""

    def set_password(self, password: str, at: Moment) -> None:
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
        self._set_deadline(at)

    def expire(self, when: float | None, at: Moment) -> None:
        """Let every password expire at *when* (seconds since 1970); ``None``: never."""
        self._expires = when
        self._set_deadline(at)

    def _set_deadline(self, at: Moment) -> None:
        if self._expires is None:
            self._deadline = None
        else:
            self._deadline = at.monotonic + (self._expires - at.wall)

    def refusal(self, ticket: bytes, now: float, session: int | None) -> str | None:
        """Return why *ticket* is not good, for the log; ``None``: it is.

        Args:
            ticket: what the client sent; it may end with a NUL, as C clients send it.
            now: by the monotonic clock.
            session: the living session whose channel is asked for; ``None``: a new one.

        """
        if not self.ticketing:
            return None
        offered = ticket.partition(b"\0")[0]
        spent = None if session is None else self._spent.get(session)
        if spent is not None:
            return None if _equal(offered, spent) else "the password is wrong"
        # The comparison comes first and takes as long whatever the other answers are.
        equal = _equal(offered, self._password)
        if not self._password:
            return "no password is set"
        if self._deadline is not None and now >= self._deadline:
            return "the password has expired"
        return None if equal else "the password is wrong"

    def spend(self, session: int, is_living: Callable[[int], bool]) -> None:
        """Let a one-time password, which opened *session*, open no other one.

        What sessions spent that are not living any more is forgotten.
        """
        if not (self.one_time and self.ticketing):
            return
        for old in [number for number in self._spent if not is_living(number)]:
            del self._spent[old]
        self._spent[session] = self._password
        self._password = b""


def _equal(offered: bytes, password: bytes) -> bool:
    """Compare in a time that tells nothing, not even a length."""
    digests = (
        hashlib.blake2b(text, key=_DIGEST_KEY).digest() for text in (offered, password)
    )
    return hmac.compare_digest(*digests)
