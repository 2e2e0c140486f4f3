"""A SPICE server as its operator sees it, without a SPICE server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vd_interfaces.control import (
    ChannelEvent,
    ControlError,
    MigrationTarget,
    SetPasswordAction,
    SpiceInfo,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FakeSpiceControl"]


class FakeSpiceControl:
    """Refuses what libspice-server refuses and remembers the rest."""

    def __init__(self) -> None:
        self.info = SpiceInfo(
            enabled=True, migrated=False, host="127.0.0.1", port=5930, auth="spice"
        )
        self.password = ""
        self.expiry: float | None = None
        self.certificate_fault: str | None = "there is no TLS port"
        self.reloads = 0
        self.actions: list[SetPasswordAction] = []
        self.callbacks: list[Callable[[ChannelEvent], None]] = []
        self.on_disconnect: Callable[[], None] = lambda: None
        self.added: list[tuple[int, bool, bool]] = []
        self.refuses_clients = False
        self.target: MigrationTarget | None = None
        self.migration: list[str] = []
        self.migrate_callbacks: list[Callable[[], None]] = []

    def set_password(self, password: str, action: SetPasswordAction) -> None:
        if self.info.auth != "spice":
            raise ControlError("ticketing is disabled")
        if len(password) > 60:
            raise ControlError("longer than 60 characters")
        if action is SetPasswordAction.FAIL and self.info.channels:
            raise ControlError("a client is connected")
        if action is SetPasswordAction.DISCONNECT:
            self.on_disconnect()
        self.password = password
        self.actions.append(action)

    def expire_password(self, when: float | None) -> None:
        self.expiry = when

    def reload_certificates(self) -> None:
        if self.certificate_fault is not None:
            raise ControlError(self.certificate_fault)
        self.reloads += 1

    def query_spice(self) -> SpiceInfo:
        return self.info

    def on_channel_event(self, callback: Callable[[ChannelEvent], None]) -> None:
        self.callbacks.append(callback)

    def emit(self, event: ChannelEvent) -> None:
        for callback in self.callbacks:
            callback(event)

    def on_migrate_completed(self, callback: Callable[[], None]) -> None:
        self.migrate_callbacks.append(callback)

    def add_client(self, fd: int, *, skip_auth: bool, tls: bool) -> None:
        if self.refuses_clients:
            os.close(fd)
            raise ControlError("no")
        self.added.append((fd, skip_auth, tls))

    def migrate_info(self, target: MigrationTarget) -> None:
        self.target = target

    def migrate_start(self) -> None:
        self.migration.append("start")

    def migrate_end(self, *, completed: bool) -> None:
        self.migration.append("completed" if completed else "failed")
        if completed:
            for callback in self.migrate_callbacks:
                callback()
