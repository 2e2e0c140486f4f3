"""Following a migration of the VM, for the SPICE server's part of it.

After ``client_migrate_info`` management waits for SPICE_MIGRATE_COMPLETED, so the end of
the migration must not be missed.  QEMU emits MIGRATION events only if somebody switched
that capability on; without it ``query-migrate`` is asked again and again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qmp_bridge.commands import Command
    from vd_interfaces.control import SpiceControl

__all__ = ["POLL_INTERVAL", "MigrationWatch", "MigrationWatchHandler"]

POLL_INTERVAL = 0.1
"""Seconds between questions, only while a migration runs that clients go with."""

_ENDS = {"completed": True, "failed": False, "cancelled": False}
"""MigrationStatus: whether the VM is gone."""


class MigrationWatchHandler(Protocol):
    """What a ``MigrationWatch`` needs from its owner."""

    def ask(self, message: bytes, on_reply: Callable[[bytes], None]) -> None:
        """Send a command of ours to QEMU."""

    def later(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call *callback* then."""


class MigrationWatch:
    """Tells the SPICE server when the VM begins and ends to migrate (a ``Watcher``)."""

    def __init__(self, handler: MigrationWatchHandler, control: SpiceControl) -> None:
        self._handler = handler
        self._control = control
        self._has_target = False
        self._running = False
        self._polling = False

    def set_target(self) -> None:
        """Take note that clients are to go with the next migration."""
        self._has_target = True

    def reset(self) -> None:
        """Forget everything: there is another QEMU."""
        self._has_target = self._running = self._polling = False

    def event(self, line: bytes) -> None:
        """Look at an event of QEMU's."""
        if self._has_target and b'"MIGRATION"' in line:
            message = _members(json.loads(line))
            if message.get("event") == "MIGRATION":
                self._at(_members(message.get("data")).get("status"))

    def forwarding(
        self, command: Command, fds: Sequence[int]
    ) -> Callable[[bytes], None] | None:
        """See :class:`Watcher`."""
        del fds
        if not self._has_target or not _migrates(command):
            return None

        def replied(line: bytes) -> None:
            if b'"return"' in line:
                self._poll()

        return replied

    def _poll(self) -> None:
        if self._has_target and not self._polling:
            self._polling = True
            self._handler.ask(b'{"execute": "query-migrate"}', self._polled)

    def _polled(self, line: bytes) -> None:
        self._polling = False
        answer = _members(_members(json.loads(line)).get("return"))
        self._at(answer.get("status"))
        # Without a status there was no migration: what looked like one was none.
        if self._has_target and answer.get("status") is not None:
            self._handler.later(POLL_INTERVAL, self._poll)

    def _at(self, status: object) -> None:
        if not self._has_target or not isinstance(status, str):
            return
        completed = _ENDS.get(status)
        if completed is None:
            if not self._running and status != "none":
                self._running = True
                self._control.migrate_start()
            return
        # QEMU forgets the target, too: the next migration needs a new one.
        self._has_target = self._running = False
        self._control.migrate_end(completed=completed)


def _members(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _migrates(command: Command) -> bool:
    if command.name == "migrate":
        return True
    line = command.arguments.get("command-line")
    if command.name != "human-monitor-command" or not isinstance(line, str):
        return False
    return line.split()[:1] == ["migrate"]
