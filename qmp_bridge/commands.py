"""What a message asks for, and who answers it: us or QEMU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from qmp_bridge.errors import QmpError
from qmp_bridge.json_writer import qdict_order

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from qmp_bridge.json_parser import JsonValue

__all__ = [
    "FD_COMMANDS",
    "Command",
    "CommandTable",
    "Later",
    "LocalCommand",
    "Outcome",
    "Relay",
    "Watcher",
    "check_command",
]

FD_COMMANDS = frozenset({"getfd", "add-fd"})
"""Commands that take a file descriptor from the monitor's socket."""


@dataclass(slots=True)
class Command:
    """A well-formed command (qmp-spec, "Issuing Commands")."""

    name: str
    arguments: Mapping[str, JsonValue]
    oob: bool
    """Sent with ``exec-oob``."""


@dataclass(slots=True)
class Relay:
    """Ask QEMU; the client hears what ``answer`` makes of its reply."""

    answer: Callable[[Mapping[str, JsonValue]], JsonValue] | None = None
    """Gets QEMU's reply (``return`` or ``error``); raises ``QmpError``.

    ``None``, as what it makes or in its place: the client gets the bytes that QEMU sent.
    """
    command: JsonValue = None
    """What QEMU is asked; ``None``: what the client sent."""


@dataclass(slots=True)
class Later:
    """The answer takes time, in which nothing else of this client is carried out."""

    begin: Callable[[Callable[[JsonValue | Relay | QmpError], None]], None]
    """Start; the answer goes to the given callback, once, on the same thread."""


Outcome: TypeAlias = "JsonValue | Relay | Later"
"""What a command comes to: its ``return``, at once or by a way around."""


@dataclass(frozen=True, slots=True)
class LocalCommand:
    """One row of the table: a command that is answered here."""

    run: Callable[[Mapping[str, JsonValue]], Outcome]
    """Answer it; raises ``QmpError``."""
    ours: Callable[[Mapping[str, JsonValue]], bool] = lambda _arguments: True
    """Whether these arguments concern SPICE; QEMU answers the others."""


class Watcher(Protocol):
    """Who looks at commands on their way to QEMU; common to all monitor clients."""

    def forwarding(
        self, command: Command, fds: Sequence[int]
    ) -> Callable[[bytes], None] | None:
        """Take note of a command that is sent now, and of the fds that go with it.

        What is returned is called with QEMU's reply.  The fds are not the callee's.
        """


CommandTable = dict[str, LocalCommand]
"""Command name to row; what is absent is forwarded to QEMU."""


def check_command(value: JsonValue, *, oob: bool) -> Command:
    """Check a message's form as QEMU's dispatcher does.

    Raises:
        QmpError: it is not a command; *oob*: ``exec-oob`` is understood.

    """
    if not isinstance(value, dict):
        raise QmpError("QMP input must be a JSON object")
    verb = ""
    for name in qdict_order(value):
        if name == "execute" or (name == "exec-oob" and oob):
            if not isinstance(value[name], str):
                raise QmpError(f"QMP input member '{name}' must be a string")
            if verb:
                raise QmpError(f"QMP input member '{name}' clashes with '{verb}'")
            verb = name
        elif name == "arguments":
            if not isinstance(value[name], dict):
                raise QmpError("QMP input member 'arguments' must be an object")
        elif name != "id":
            raise QmpError(f"QMP input member '{name}' is unexpected")
    if not verb:
        raise QmpError("QMP input lacks member 'execute'")
    command, arguments = value[verb], value.get("arguments", {})
    assert isinstance(command, str)
    assert isinstance(arguments, dict)
    return Command(command, arguments, verb == "exec-oob")
