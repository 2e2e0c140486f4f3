"""What the operator may ask (``vd_interfaces.control.SpiceControl``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spice_server.errors import OperatorError
from spice_server.link.tickets import Moment
from vd_interfaces.control import ControlError, SetPasswordAction, SpiceInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    from spice_server.certificates import Certificates
    from spice_server.link.tickets import TicketStore
    from spice_server.main.mouse_mode import MouseMode
    from spice_server.migration import MigrationSource
    from spice_server.session import SessionTable
    from vd_interfaces.control import ChannelEvent, MigrationTarget

__all__ = ["Control"]


class Control:
    """The operator's view of a server; main thread only."""

    def __init__(
        self,
        tickets: TicketStore,
        sessions: SessionTable,
        mouse_mode: MouseMode,
        migration: MigrationSource,
        add_client: Callable[..., None],
    ) -> None:
        self._tickets = tickets
        self._sessions = sessions
        self._mouse_mode = mouse_mode
        self._migration = migration
        self._add_client = add_client
        self.host: str | None = None
        """Address or path the server listens on."""
        self.port: int | None = None
        self.tls_port: int | None = None
        self.certificates: Certificates | None = None
        """What TLS shows; ``None``: there is no TLS."""

    def set_password(self, password: str, action: SetPasswordAction) -> None:
        """Set the ticket, see :class:`SpiceControl`."""
        if action is SetPasswordAction.FAIL and len(self._sessions):
            raise ControlError("a client is connected")
        self._tickets.set_password(password, Moment.now())
        if action is SetPasswordAction.DISCONNECT:
            self._sessions.end_all()

    def expire_password(self, when: float | None) -> None:
        """Let the ticket expire, see :class:`SpiceControl`."""
        self._tickets.expire(when, Moment.now())

    def reload_certificates(self) -> None:
        """Read certificates again, see :class:`SpiceControl`."""
        if self.certificates is None:
            raise ControlError("there is no TLS port")
        try:
            self.certificates.reload()
        except OperatorError as error:
            raise ControlError(str(error)) from error

    def query_spice(self) -> SpiceInfo:
        """Tell the server's state."""
        return SpiceInfo(
            enabled=True,
            migrated=self._migration.migrated,
            host=self.host,
            port=self.port,
            tls_port=self.tls_port,
            auth=self._sessions.auth,
            mouse_mode="client" if self._mouse_mode.is_client else "server",
            channels=[record.describe() for record in self._sessions.links],
        )

    def on_channel_event(self, callback: Callable[[ChannelEvent], None]) -> None:
        """Call *callback* for every channel event, in order."""
        self._sessions.on_event(callback)

    def on_migrate_completed(self, callback: Callable[[], None]) -> None:
        """Call *callback* when a migration leaves nothing to do."""
        self._migration.on_completed(callback)

    def add_client(self, fd: int, *, skip_auth: bool, tls: bool) -> None:
        """Serve a client on a connected socket, see :class:`SpiceControl`."""
        self._add_client(fd, skip_auth=skip_auth, tls=tls)

    def migrate_info(self, target: MigrationTarget) -> None:
        """Remember where clients are to go, see :class:`SpiceControl`."""
        self._migration.set_target(target)

    def migrate_start(self) -> None:
        """Take note that the VM begins to migrate."""
        self._migration.start()

    def migrate_end(self, *, completed: bool) -> None:
        """Take note that the VM's migration is over, see :class:`SpiceControl`."""
        self._migration.end(completed=completed)
