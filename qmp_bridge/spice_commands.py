"""All that the bridge answers for SPICE, as one QEMU version would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qmp_bridge.client_commands import ClientCommands
from qmp_bridge.control_commands import ControlCommands
from qmp_bridge.hmp_commands import HmpCommands
from qmp_bridge.introspection import introspection_table
from qmp_bridge.screendump import ScreendumpCommand

if TYPE_CHECKING:
    from collections.abc import Callable

    from qmp_bridge.commands import CommandTable
    from qmp_bridge.named_fds import NamedFds
    from vd_interfaces.control import SpiceControl
    from vd_interfaces.screens import Screens

__all__ = ["SpiceCommands"]


class SpiceCommands:
    """Makes the table of a QEMU version."""

    def __init__(
        self,
        control: SpiceControl,
        named_fds: NamedFds,
        on_target: Callable[[], None],
        screens: Screens | None,
        compiled_version: str,
    ) -> None:
        """Args as :class:`Bridge` has them; *on_target*: a migration is to be followed."""
        self._control = control
        self._named_fds = named_fds
        self._on_target = on_target
        self._screens = screens
        self._compiled_version = compiled_version

    def table(self, version: tuple[int, int, int]) -> CommandTable:
        """Return the table for QEMU *version*: major, minor, micro."""
        control = self._control
        commands = ControlCommands(
            control, version, compiled_version=self._compiled_version
        )
        clients = ClientCommands(control, version, self._named_fds, self._on_target)
        screendump = None
        if self._screens is not None:
            screendump = ScreendumpCommand(self._screens, version)
        hmp = HmpCommands(control, commands, clients, screendump)
        tables = [commands.table(), clients.table(), hmp.table(), introspection_table()]
        if screendump is not None:
            tables.append(screendump.table())
        return {name: row for table in tables for name, row in table.items()}
