"""The greeting and what must be said before the first command.

::

                    qmp_capabilities
    NEGOTIATION  -------------------->  COMMANDS
        |  other command                   |  qmp_capabilities
        v                                  v
     CommandNotFound                    CommandNotFound
"""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qmp_bridge.arguments import Arguments, check_enum, check_string
from qmp_bridge.errors import QemuProtocolError, QmpError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qmp_bridge.json_parser import JsonValue

__all__ = ["Greeting", "Mode", "Negotiation", "parse_greeting"]

_CAPABILITIES = ("oob",)


@dataclass(slots=True)
class Greeting:
    """What QEMU says first."""

    raw: bytes
    """Its bytes, line end included: every monitor client gets the same."""
    version: tuple[int, int, int]
    """Major, minor, micro."""
    capabilities: tuple[str, ...]

    @property
    def pretty(self) -> bool:
        """Whether QEMU prints on many lines (``-mon pretty=on``)."""
        return self.raw.rstrip().count(b"\n") > 0


def parse_greeting(line: bytes) -> Greeting:
    """Read QEMU's first message.

    Raises:
        QemuProtocolError: it is not a QMP greeting.

    """
    try:
        body = json.loads(line)["QMP"]
        qemu = body["version"]["qemu"]
        version = (int(qemu["major"]), int(qemu["minor"]), int(qemu["micro"]))
        return Greeting(line, version, tuple(map(str, body["capabilities"])))
    except (ValueError, KeyError, TypeError) as error:
        raise QemuProtocolError(f"not a QMP greeting: {line[:80]!r}") from error


class Mode(enum.Enum):
    """What a monitor understands."""

    NEGOTIATION = enum.auto()
    COMMANDS = enum.auto()


class _Input(enum.Enum):
    CAPABILITIES = enum.auto()
    OTHER = enum.auto()


_TRANSITIONS = {
    (Mode.NEGOTIATION, _Input.CAPABILITIES): Mode.COMMANDS,
    (Mode.COMMANDS, _Input.OTHER): Mode.COMMANDS,
}
_REFUSALS = {
    Mode.NEGOTIATION: "Expecting capabilities negotiation with 'qmp_capabilities'",
    Mode.COMMANDS: ("Capabilities negotiation is already complete, command ignored"),
}


class Negotiation:
    """One monitor's mode and what it enabled."""

    def __init__(self, offered: tuple[str, ...]) -> None:
        self.mode = Mode.NEGOTIATION
        self._offered = offered
        self._enabled: frozenset[str] = frozenset()

    @property
    def oob(self) -> bool:
        """Whether commands may be sent out of band."""
        return "oob" in self._enabled

    def process(self, command: str, arguments: Mapping[str, JsonValue]) -> bool:
        """Take note of a command; whether it was ``qmp_capabilities`` and is done.

        Raises:
            QmpError: it may not come now, or its arguments are wrong.

        """
        negotiates = command == "qmp_capabilities"
        # Arguments come first: QAPI checks them before the command is run.
        enabled = _enabled(arguments) if negotiates else []
        input_ = _Input.CAPABILITIES if negotiates else _Input.OTHER
        following = _TRANSITIONS.get((self.mode, input_))
        if following is None:
            raise QmpError(_REFUSALS[self.mode], "CommandNotFound")
        unavailable = [name for name in enabled if name not in self._offered]
        if unavailable:
            raise QmpError(f"Capability {', '.join(unavailable)} not available")
        if negotiates:
            self._enabled = frozenset(enabled)
        self.mode = following
        return negotiates


def _enabled(arguments: Mapping[str, JsonValue]) -> list[str]:
    members = Arguments(arguments)
    enabled = []
    for index, item in enumerate(members.optional_array("enable")):
        name = check_string(f"enable[{index}]", item)
        # QAPI forgets an element's name when it refuses its value.
        enabled.append(check_enum("null", name, _CAPABILITIES))
    members.finish()
    return enabled
