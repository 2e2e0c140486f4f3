"""set_password, expire_password and query-spice, as QEMU's own (qapi/ui.json)."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from qmp_bridge.arguments import Arguments
from qmp_bridge.commands import CommandTable, LocalCommand
from qmp_bridge.errors import QmpError
from qmp_bridge.events import channel_members
from vd_interfaces.control import ControlError, SetPasswordAction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qmp_bridge.json_parser import JsonValue
    from vd_interfaces.control import SpiceControl

__all__ = ["COMPILED_VERSION", "ControlCommands", "expiry_checked", "expiry_unchecked"]

COMPILED_VERSION = "0.15.2"
"""``compiled-version`` of query-spice: the libspice-server whose behaviour this is.

Clients expect three numbers and compare them with that project's releases.
"""

_PROTOCOLS = ("vnc", "spice")
_ACTIONS = tuple(action.value for action in SetPasswordAction)
_TIME_CHECKED = (8, 0, 0)
"""QEMU from which ``expire_password`` refuses what is not a number.

Measured on 7.2 and 11.1; what lies between is from its history.
"""
_PASSWORD_ERRORS = (11, 0, 0)
"""QEMU from which ``set_password`` says what is wrong (measured as above)."""

_UINT64 = 1 << 64
_TIME_MAX = (1 << 63) - 1
_NAMED_TIMES = {"now": 0, "never": _TIME_MAX}


class ControlCommands:
    """The commands of one QEMU version, carried out by a SPICE server."""

    def __init__(
        self,
        control: SpiceControl,
        version: tuple[int, int, int],
        *,
        compiled_version: str = COMPILED_VERSION,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Answer as QEMU *version* would; *clock* tells seconds since 1970."""
        self._control = control
        self._tells_cause = version >= _PASSWORD_ERRORS
        self._parse_time = (
            expiry_checked if version >= _TIME_CHECKED else expiry_unchecked
        )
        self._compiled_version = compiled_version
        self._clock = clock

    def table(self) -> CommandTable:
        """Rows for ``commands.CommandTable``."""
        return {
            "set_password": LocalCommand(self.set_password, _is_spice),
            "expire_password": LocalCommand(self.expire_password, _is_spice),
            "query-spice": LocalCommand(self.query_spice),
        }

    def set_password(self, arguments: Mapping[str, JsonValue]) -> JsonValue:
        """Answer ``set_password`` for protocol ``spice``.

        Raises:
            QmpError: the arguments are wrong, or the server refuses.

        """
        members = Arguments(arguments)
        members.enum("protocol", _PROTOCOLS)
        password = members.string("password")
        connected = members.optional_enum("connected", _ACTIONS, "keep")
        members.finish()
        self._check_in_use()
        disabled = self._control.query_spice().auth != "spice"
        if disabled and self._tells_cause:
            raise QmpError("SPICE authentication is disabled")
        try:
            self._control.set_password(password, SetPasswordAction(connected))
        except ControlError as error:
            told = "Unable to set SPICE server ticket"
            raise QmpError(
                told if self._tells_cause else "Could not set password"
            ) from error
        return {}

    def expire_password(self, arguments: Mapping[str, JsonValue]) -> JsonValue:
        """Answer ``expire_password`` for protocol ``spice``.

        Raises:
            QmpError: the arguments are wrong.

        """
        members = Arguments(arguments)
        members.enum("protocol", _PROTOCOLS)
        text = members.string("time")
        members.finish()
        when = self._parse_time(text, int(self._clock()))
        self._check_in_use()
        self._control.expire_password(None if when >= _TIME_MAX else float(when))
        return {}

    def query_spice(self, arguments: Mapping[str, JsonValue]) -> JsonValue:
        """Answer ``query-spice``.

        Raises:
            QmpError: there are arguments.

        """
        Arguments(arguments).finish()
        info = self._control.query_spice()
        answer: dict[str, JsonValue] = {
            "enabled": info.enabled,
            "migrated": info.migrated,
            "mouse-mode": info.mouse_mode,
        }
        if not info.enabled:
            return answer | {"mouse-mode": "client"}
        optional: dict[str, JsonValue] = {
            "host": info.host,
            "port": info.port,
            "tls-port": info.tls_port,
            "auth": info.auth,
            "compiled-version": self._compiled_version,
            "channels": [channel_members(channel) for channel in info.channels],
        }
        present = {name: value for name, value in optional.items() if value is not None}
        return answer | present

    def _check_in_use(self) -> None:
        if not self._control.query_spice().enabled:
            raise QmpError("SPICE is not in use", "DeviceNotActive")


def _is_spice(arguments: Mapping[str, JsonValue]) -> bool:
    return arguments.get("protocol") == "spice"


def expiry_unchecked(text: str, now: int) -> int:
    """Read a time as QEMU 7.2: whatever number *text* begins with, else 0.

    The result is a ``time_t``: seconds since 1970, signed 64 bits.
    """
    if text in _NAMED_TIMES:
        return _NAMED_TIMES[text]
    start, digits = (now, text[1:]) if text.startswith("+") else (0, text)
    number = re.match(r"[ \t-\r]*([+-]?[0-9]+)", digits, re.ASCII)
    value = 0 if number is None else _strtoull(number[1])
    return _time_t(start + min(value, _UINT64 - 1))


def expiry_checked(text: str, now: int) -> int:
    """Read a time as QEMU 8.0 and later: all of *text* is a number.

    Raises:
        QmpError: it is not.

    """
    if text in _NAMED_TIMES:
        return _NAMED_TIMES[text]
    start, digits = (now, text[1:]) if text.startswith("+") else (0, text)
    number = re.fullmatch(r"[ \t-\r]*([+-]?[0-9]+)", digits, re.ASCII)
    value = _UINT64 if number is None else _strtoull(number[1])
    if value >= _UINT64:
        raise QmpError(f"Parameter 'time' doesn't take value '{text}'")
    return _time_t(start + value)


def _strtoull(number: str) -> int:
    """Unsigned value of a signed number, as strtoull(); 2**64 if out of range."""
    digits = number.lstrip("+-").lstrip("0")
    magnitude = int(digits or "0") if len(digits) <= 20 else _UINT64
    if magnitude >= _UINT64:
        return _UINT64
    return -magnitude % _UINT64 if number.startswith("-") else magnitude


def _time_t(value: int) -> int:
    value %= _UINT64
    return value - _UINT64 if value >= 1 << 63 else value
