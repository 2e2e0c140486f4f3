"""A command's arguments, checked in the order and words of QAPI's input visitor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qmp_bridge.errors import QmpError
from qmp_bridge.json_writer import qdict_order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qmp_bridge.json_parser import JsonValue

__all__ = ["Arguments", "check_enum", "check_string"]

_INT64 = 1 << 63


class Arguments:
    """Members are taken in the schema's order; ``finish`` refuses what is left."""

    def __init__(self, members: Mapping[str, JsonValue]) -> None:
        self._members = dict(members)

    def string(self, name: str) -> str:
        """Take a mandatory string.

        Raises:
            QmpError: it is missing or not a string.

        """
        if name not in self._members:
            raise QmpError(f"Parameter '{name}' is missing")
        return check_string(name, self._members.pop(name))

    def optional_string(self, name: str) -> str | None:
        """Take a string that may be absent.

        Raises:
            QmpError: it is present and not a string.

        """
        return self.string(name) if name in self._members else None

    def optional_integer(self, name: str) -> int | None:
        """Take an integer (64 bits, signed) that may be absent.

        Raises:
            QmpError: it is present and not an integer.

        """
        if name not in self._members:
            return None
        value = self._members.pop(name)
        if type(value) is not int or not -_INT64 <= value < _INT64:
            raise QmpError(f"Invalid parameter type for '{name}', expected: integer")
        return value

    def optional_boolean(self, name: str) -> bool:
        """Take a truth value that is false if absent.

        Raises:
            QmpError: it is present and not a truth value.

        """
        value = self._members.pop(name, False)
        if not isinstance(value, bool):
            raise QmpError(f"Invalid parameter type for '{name}', expected: boolean")
        return value

    def enum(self, name: str, values: Sequence[str]) -> str:
        """Take a mandatory member of an enumeration.

        Raises:
            QmpError: it is missing or not one of *values*.

        """
        return check_enum(name, self.string(name), values)

    def optional_enum(self, name: str, values: Sequence[str], default: str) -> str:
        """Take a member of an enumeration that may be absent.

        Raises:
            QmpError: it is present and not one of *values*.

        """
        return self.enum(name, values) if name in self._members else default

    def optional_array(self, name: str) -> list[JsonValue]:
        """Take an array that may be absent.

        Raises:
            QmpError: it is present and not an array.

        """
        value = self._members.pop(name, [])
        if not isinstance(value, list):
            raise QmpError(f"Invalid parameter type for '{name}', expected: array")
        return value

    def finish(self) -> None:
        """Check that nothing else was given.

        Raises:
            QmpError: something was.

        """
        for name in qdict_order(self._members):
            raise QmpError(f"Parameter '{name}' is unexpected")


def check_string(name: str, value: JsonValue) -> str:
    """Return *value*, called *name* in errors, if it is a string.

    Raises:
        QmpError: it is not.

    """
    if not isinstance(value, str):
        raise QmpError(f"Invalid parameter type for '{name}', expected: string")
    return value


def check_enum(name: str, value: str, values: Sequence[str]) -> str:
    """Return *value*, called *name* in errors, if it is one of *values*.

    Raises:
        QmpError: it is not.

    """
    if value not in values:
        raise QmpError(f"Parameter '{name}' does not accept value '{value}'")
    return value
