"""Clients follow a VM that migrates: its old server's side.

So far by switch-host only: when the VM is gone, clients are told where it went and connect
there from scratch, which costs a moment of darkness and the agent's state.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from spice_protocol.messages.main import MainMsg, SpiceMigrationDstInfo
from vd_interfaces.control import ChannelEventKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from spice_server.main.channel import MainChannel
    from spice_server.session import SessionTable
    from vd_interfaces.control import ChannelEvent, MigrationTarget

__all__ = ["LEAVE_TIMEOUT", "MigrationSource"]

LEAVE_TIMEOUT: Final = 10.0
"""Seconds clients get to leave, as libspice-server gives them."""

_log = logging.getLogger(__name__)


class MigrationSource:
    """Sends clients away when the VM has gone; main thread only."""

    def __init__(self, main: MainChannel, sessions: SessionTable) -> None:
        self.migrated = False
        """Whether a migration that clients went with is over."""
        self._main = main
        self._sessions = sessions
        self._target: MigrationTarget | None = None
        self._timeout: asyncio.TimerHandle | None = None
        self._callbacks: list[Callable[[], None]] = []
        sessions.on_event(self._on_channel_event)

    def on_completed(self, callback: Callable[[], None]) -> None:
        """Call *callback* when a migration leaves nothing to do."""
        self._callbacks.append(callback)

    def set_target(self, target: MigrationTarget) -> None:
        """Send clients to *target* when the next migration is over."""
        self._target = target

    def start(self) -> None:
        """Take note that the VM begins to migrate: clients learn it at the end."""

    def end(self, *, completed: bool) -> None:
        """Send clients to the VM if that has gone; without clients all is done."""
        target, self._target = self._target, None
        if target is None:
            return
        if not len(self._sessions):
            self._complete()
        elif completed:
            self._switch_host(target)

    def _switch_host(self, target: MigrationTarget) -> None:
        message = switch_host_message(target).pack()
        for client in list(self._main.clients.values()):
            client.send(MainMsg.MIGRATE_SWITCH_HOST, message)
        _log.info("%d clients are sent to %s", len(self._sessions), target.hostname)
        loop = asyncio.get_running_loop()
        self._timeout = loop.call_later(LEAVE_TIMEOUT, self._give_up)

    def _on_channel_event(self, event: ChannelEvent) -> None:
        gone = event.kind is ChannelEventKind.DISCONNECTED and not len(self._sessions)
        if gone and self._timeout is not None:
            self._complete()

    def _give_up(self) -> None:
        _log.warning("%d clients did not leave in time", len(self._sessions))
        self._complete()
        self._sessions.end_all()

    def _complete(self) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None
        self.migrated = True
        for callback in self._callbacks:
            callback()


def switch_host_message(target: MigrationTarget) -> SpiceMigrationDstInfo:
    """Return MIGRATE_SWITCH_HOST; a port that is not set is 0, which no client tries."""
    subject = target.cert_subject
    return SpiceMigrationDstInfo(
        port=(target.port or 0) % 65536,
        sport=(target.tls_port or 0) % 65536,
        host_data=target.hostname.encode() + b"\0",
        cert_subject_data=None if subject is None else subject.encode() + b"\0",
    )
