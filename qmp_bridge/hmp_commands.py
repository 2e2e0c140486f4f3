"""SPICE's commands of the human monitor, inside ``human-monitor-command``.

``info spice``, ``set_password``, ``expire_password``, ``client_migrate_info`` and
``screendump`` (hmp-commands.hx, hmp-commands-info.hx, ui/ui-hmp-cmds.c), and what the
help of a QEMU without SPICE lacks.  Whatever is malformed is QEMU's to complain about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from qmp_bridge.commands import CommandTable, LocalCommand, Relay
from qmp_bridge.errors import QmpError
from qmp_bridge.hmp_line import parse_line
from qmp_bridge.hmp_texts import (
    HELP_INFO_SPICE,
    INFO_SPICE_EXTRA,
    NO_INFO_SPICE,
    describe_server,
    with_info_spice,
)
from qmp_bridge.screendump import FORMATS, Dump
from vd_interfaces.control import MigrationTarget, SetPasswordAction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qmp_bridge.client_commands import ClientCommands
    from qmp_bridge.commands import Outcome
    from qmp_bridge.control_commands import ControlCommands
    from qmp_bridge.json_parser import JsonValue
    from qmp_bridge.screendump import ScreendumpCommand
    from vd_interfaces.control import SpiceControl

__all__ = ["HmpCommands"]

_Arguments: TypeAlias = "dict[str, str | int]"

_PARAMETERS: dict[str, tuple[str, ...]] = {
    "info spice": (),
    "set_password": ("protocol:s", "password:s", "display:-ds", "connected:s?"),
    "expire_password": ("protocol:s", "time:s", "display:-ds"),
    "client_migrate_info": (
        "protocol:s",
        "hostname:s",
        "port:i?",
        "tls-port:i?",
        "cert-subject:s?",
    ),
    "screendump": ("filename:s", "format:-fs", "device:s?", "head:i?"),
}
"""As QEMU 7.0 and later parse them."""

_ACTIONS = {action.value for action in SetPasswordAction}
_MAIN = 1
"""SPICE_CHANNEL_MAIN"""
_NOBODY = "warning: Spice: main:0 (0x0): no peer connected\r\n"
"""What libspice-server logs, which QEMU shows to whom it is talking with."""


class HmpCommands:
    """The human monitor's commands, by those of QMP that do the same."""

    def __init__(
        self,
        control: SpiceControl,
        commands: ControlCommands,
        clients: ClientCommands,
        screendump: ScreendumpCommand | None,
    ) -> None:
        self._control = control
        self._commands = commands
        self._clients = clients
        self._screendump = screendump
        self._rows: dict[str, Callable[[_Arguments], Outcome]] = {
            "info spice": self._info_spice,
            "set_password": self._set_password,
            "expire_password": self._expire_password,
            "client_migrate_info": self._client_migrate_info,
            "screendump": self._dump,
        }

    def table(self) -> CommandTable:
        """Rows for ``commands.CommandTable``."""
        return {"human-monitor-command": LocalCommand(self.run, _is_plain)}

    def run(self, arguments: Mapping[str, JsonValue]) -> Outcome:
        """Answer a command line that ``_is_plain``."""
        line = arguments["command-line"]
        assert isinstance(line, str)
        for name, parameters in _PARAMETERS.items():
            parsed = parse_line(line, name, parameters)
            if parsed is None or parsed.get("protocol", "spice") != "spice":
                continue
            try:
                return self._rows[name](parsed)
            except QmpError as error:
                return _said(error)
        return _help(line)

    def _info_spice(self, _arguments: _Arguments) -> JsonValue:
        answer = self._commands.query_spice({})
        assert isinstance(answer, dict)
        return describe_server(answer)

    def _set_password(self, arguments: _Arguments) -> Outcome:
        connected = arguments.get("connected", "keep")
        if connected not in _ACTIONS:
            return Relay()
        self._commands.set_password(
            {
                "protocol": "spice",
                "password": arguments["password"],
                "connected": connected,
            }
        )
        return ""

    def _expire_password(self, arguments: _Arguments) -> Outcome:
        self._commands.expire_password({"protocol": "spice", "time": arguments["time"]})
        return ""

    def _client_migrate_info(self, arguments: _Arguments) -> Outcome:
        def number(name: str) -> int | None:
            value = arguments.get(name)
            return value if isinstance(value, int) else None

        subject = arguments.get("cert-subject")
        self._clients.migrate_to(
            MigrationTarget(
                str(arguments["hostname"]),
                number("port"),
                number("tls-port"),
                None if subject is None else str(subject),
            )
        )
        channels = self._control.query_spice().channels
        connected = any(channel.channel_type == _MAIN for channel in channels)
        return "" if connected else _NOBODY

    def _dump(self, arguments: _Arguments) -> Outcome:
        file_format = str(arguments.get("format", "ppm"))
        screendump = self._screendump
        if screendump is None or file_format not in FORMATS:
            return Relay()
        named, head = arguments.get("device"), arguments.get("head", 0)
        assert isinstance(head, int)
        device = None if named is None else str(named)
        number = screendump.head_of(device, head)
        if number is None:
            return Relay()
        return screendump.dump(
            Dump(device, number, str(arguments["filename"]), file_format),
            lambda error: "" if error is None else _said(error),
        )


def _said(error: QmpError) -> str:
    text = error.desc.replace("\n", "\r\n")
    return f"Error: {text}\r\n"


def _is_plain(arguments: Mapping[str, JsonValue]) -> bool:
    """Whether nothing but a command line is given: no CPU, which QEMU would check."""
    line = arguments.get("command-line")
    return isinstance(line, str) and len(arguments) == 1


def _help(line: str) -> Relay:
    """Add what the help of a QEMU without SPICE lacks."""
    words = line.split()
    if words[:1] in (["help"], ["?"]):
        words.pop(0)
        asks = True
    else:
        asks = words == ["info"]
    if asks and words == ["info"]:
        return Relay(_changed(with_info_spice))
    if words[:2] == ["info", "spice"]:
        text = HELP_INFO_SPICE if asks else INFO_SPICE_EXTRA
        return Relay(_changed(lambda said: text if said == NO_INFO_SPICE else said))
    return Relay()


def _changed(
    change: Callable[[str], str],
) -> Callable[[Mapping[str, JsonValue]], JsonValue]:
    """Return what changes QEMU's text, or leaves the reply as it is."""

    def answer(reply: Mapping[str, JsonValue]) -> JsonValue:
        said = reply.get("return")
        if not isinstance(said, str) or (text := change(said)) == said:
            return None
        return text

    return answer
