"""client_migrate_info and add_client, as QEMU's own (qapi/ui.json, qapi/misc.json)."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from qmp_bridge.arguments import Arguments
from qmp_bridge.commands import CommandTable, LocalCommand, Relay
from qmp_bridge.errors import QmpError
from vd_interfaces.control import ControlError, MigrationTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qmp_bridge.json_parser import JsonValue
    from qmp_bridge.named_fds import NamedFds
    from vd_interfaces.control import SpiceControl

__all__ = ["ClientCommands"]

_PORT_REQUIRED = (11, 0, 0)
"""QEMU that says so in these words; measured on 7.2 and 11.1."""


_NAMES_SOCKET = (8, 0, 0)
"""QEMU that looks whether the descriptor is a socket; measured on 7.2 and 11.1."""


class ClientCommands:
    """The commands that are about clients on their way to or from here."""

    def __init__(
        self,
        control: SpiceControl,
        version: tuple[int, int, int],
        named_fds: NamedFds,
        on_target: Callable[[], None],
    ) -> None:
        """Answer as QEMU *version*; *on_target*: a migration is to be followed."""
        self._control = control
        self._named_fds = named_fds
        self._on_target = on_target
        self._checks_socket = version >= _NAMES_SOCKET
        self._no_port = (
            "parameter 'port' or 'tls-port' is required"
            if version >= _PORT_REQUIRED
            else "Parameter 'port/tls-port' is missing"
        )

    def table(self) -> CommandTable:
        """Rows for ``commands.CommandTable``."""
        return {
            "client_migrate_info": LocalCommand(self.client_migrate_info, _is_spice),
            "add_client": LocalCommand(self.add_client, _is_spice),
        }

    def client_migrate_info(self, arguments: Mapping[str, JsonValue]) -> JsonValue:
        """Answer ``client_migrate_info`` for protocol ``spice``.

        Raises:
            QmpError: the arguments are wrong, or the server refuses.

        """
        members = Arguments(arguments)
        members.string("protocol")
        target = MigrationTarget(
            members.string("hostname"),
            members.optional_integer("port"),
            members.optional_integer("tls-port"),
            members.optional_string("cert-subject"),
        )
        members.finish()
        self.migrate_to(target)
        return {}

    def migrate_to(self, target: MigrationTarget) -> None:
        """Give clients a *target*.

        Raises:
            QmpError: it lacks something, or the server refuses.

        """
        if not self._control.query_spice().enabled:
            raise QmpError("SPICE is not in use", "DeviceNotActive")
        if target.port is None and target.tls_port is None:
            raise QmpError(self._no_port)
        # QEMU hands both on as C ints, in which -1 stands for none.
        target.port, target.tls_port = _int32(target.port), _int32(target.tls_port)
        try:
            if target.port is None and target.tls_port is None:
                raise ControlError("no port")  # noqa: TRY301 - libspice-server's refusal
            self._control.migrate_info(target)
        except ControlError as error:
            raise QmpError("Could not set up display for migration") from error
        self._on_target()

    def add_client(self, arguments: Mapping[str, JsonValue]) -> Relay:
        """Answer ``add_client`` for protocol ``spice``.

        QEMU is made to forget the descriptor, then the server gets our copy.

        Raises:
            QmpError: the arguments are wrong, or nothing has that name.

        """
        members = Arguments(arguments)
        members.string("protocol")
        name = members.string("fdname")
        skip_auth = members.optional_boolean("skipauth")
        tls = members.optional_boolean("tls")
        members.finish()
        if name not in self._named_fds:
            raise _not_found(name)

        def closed(_reply: Mapping[str, JsonValue]) -> JsonValue:
            # Not before: if QEMU goes, its named descriptors go, and ours with them.
            fd = self._named_fds.take(name)
            if fd is None:
                raise _not_found(name)
            self._serve(fd, skip_auth=skip_auth, tls=tls)
            return {}

        closefd: JsonValue = {"execute": "closefd", "arguments": {"fdname": name}}
        return Relay(closed, closefd)

    def _serve(self, fd: int, *, skip_auth: bool, tls: bool) -> None:
        if self._checks_socket and not stat.S_ISSOCK(os.fstat(fd).st_mode):
            os.close(fd)
            raise QmpError("parameter @fdname must name a socket")
        if not self._control.query_spice().enabled:
            os.close(fd)
            raise QmpError("SPICE is not in use", "DeviceNotActive")
        try:
            self._control.add_client(fd, skip_auth=skip_auth, tls=tls)
        except ControlError as error:
            raise QmpError("spice failed to add client") from error


def _not_found(name: str) -> QmpError:
    return QmpError(f"File descriptor named '{name}' has not been found")


def _int32(port: int | None) -> int | None:
    if port is None:
        return None
    value = (port + (1 << 31)) % (1 << 32) - (1 << 31)
    return None if value == -1 else value


def _is_spice(arguments: Mapping[str, JsonValue]) -> bool:
    return arguments.get("protocol") == "spice"
