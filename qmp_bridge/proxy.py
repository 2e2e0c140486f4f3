"""The bridge: a monitor socket in front of QEMU's that also knows SPICE.

Several monitor clients are served at once, each as if it were alone: QEMU lets a second
one wait without a greeting until the first leaves, which would make the bridge useless
beside libvirt.  They share QEMU's one monitor, hence its named fds (``getfd``).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

from qmp_bridge.control_commands import COMPILED_VERSION
from qmp_bridge.events import event_message, migrate_completed
from qmp_bridge.message import line_of
from qmp_bridge.migration import MigrationWatch
from qmp_bridge.monitor_client import MonitorClient
from qmp_bridge.monitor_listener import listening_socket
from qmp_bridge.named_fds import NamedFds
from qmp_bridge.qemu_link import QemuLink, connect_unix
from qmp_bridge.spice_commands import SpiceCommands

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qmp_bridge.capabilities import Greeting
    from qmp_bridge.commands import Command, CommandTable
    from qmp_bridge.errors import QemuError
    from vd_interfaces.control import ChannelEvent, SpiceControl
    from vd_interfaces.screens import Screens

__all__ = ["Bridge"]

_log = logging.getLogger(__name__)

_PAUSE_S = 1.0
"""Seconds without accepting when we have no file descriptor left."""

_MAX_MONITORS = 32
"""Monitor clients at once; more wait in the listening socket, as with QEMU."""


class Bridge:
    """Serves QEMU's monitor and the SPICE server's on one socket."""

    def __init__(
        self,
        qemu: Path | str | socket.socket,
        listen: Path | str | socket.socket | None,
        control: SpiceControl,
        *,
        screens: Screens | None = None,
        compiled_version: str = COMPILED_VERSION,
    ) -> None:
        """Nothing happens before ``start``.

        Args:
            qemu: path of QEMU's QMP socket, or a socket connected to it.
            listen: path to serve monitor clients at, or a listening socket;
                ``None``: only ``own_session`` is served.
            control: the SPICE server.
            screens: our displays, for ``screendump``.
            compiled_version: what query-spice tells under this name.

        """
        self._qemu = qemu
        self._listen = listen
        self._named_fds = NamedFds()
        self._migration = MigrationWatch(self, control)
        self._commands = SpiceCommands(
            control,
            self._named_fds,
            self._migration.set_target,
            screens,
            compiled_version,
        )
        self._link: QemuLink | None = None
        self._greeting: Greeting | None = None
        self._table: CommandTable = {}
        self._listener: socket.socket | None = None
        self._accepting = False
        self._pausing = False
        self._monitors: list[MonitorClient] = []
        self._gone_callbacks: list[Callable[[QemuError], None]] = []
        control.on_channel_event(self._channel_event)
        control.on_migrate_completed(self._migrate_completed)

    @property
    def link(self) -> QemuLink:
        """The connection to QEMU, for commands where every microsecond counts."""
        assert self._link is not None, "start() first"
        return self._link

    @property
    def monitors(self) -> int:
        """Monitor clients being served, own sessions included."""
        return len(self._monitors)

    def on_qemu_gone(self, callback: Callable[[QemuError], None]) -> None:
        """Call *callback* whenever QEMU closes its monitor; all clients are closed."""
        self._gone_callbacks.append(callback)

    async def start(self) -> None:
        """Connect, wait for QEMU's greeting, then listen; again after the end of one.

        Raises:
            QemuError: QEMU cannot be reached or does not speak QMP.
            MonitorSocketError: the listening socket cannot be made.

        """
        if isinstance(self._qemu, socket.socket):
            sock = self._qemu
        else:
            sock = await connect_unix(self._qemu)
        self._link = QemuLink(sock)
        self._link.on_event(self._broadcast)
        self._link.on_event(self._migration.event)
        self._link.on_closed(self._qemu_gone)
        try:
            self._greeting = await self._link.greeting()
            self._table = self._commands.table(self._greeting.version)
            if self._listen is not None:
                self._listener = listening_socket(self._listen, _MAX_MONITORS)
                self._watch_listener()
        except BaseException:
            self._link.close()
            raise

    def stop(self) -> None:
        """Close every monitor and leave QEMU's; QEMU goes on."""
        self._close_listener()
        for monitor in list(self._monitors):
            monitor.close()
        if self._link is not None:
            self._link.close()
        self._forget_qemu()

    def own_session(self) -> socket.socket:
        """Open a monitor for ourselves: the client's end of a connection.

        What is said there is answered like any monitor client's commands.
        """
        ours, served = socket.socketpair()
        self._serve(served)
        return ours

    def _forget(self, monitor: MonitorClient) -> None:
        if monitor in self._monitors:
            self._monitors.remove(monitor)
            self._watch_listener()

    def _serve(self, sock: socket.socket) -> None:
        assert self._greeting is not None, "start() first"
        monitor = MonitorClient(
            sock, self.link, self._greeting, self._table, self, self._forget
        )
        self._monitors.append(monitor)
        monitor.session.greet()

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            sock, _address = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:  # out of fds: they wait, we go on
            _log.warning("cannot accept a monitor client: %s", error)
            self._pause(pausing=True)
            asyncio.get_running_loop().call_later(_PAUSE_S, self._pause)
            return
        self._serve(sock)
        self._watch_listener()

    def _pause(self, *, pausing: bool = False) -> None:
        self._pausing = pausing
        self._watch_listener()

    def _watch_listener(self) -> None:
        """Accept only while there is room."""
        loop = asyncio.get_running_loop()
        room = len(self._monitors) < _MAX_MONITORS and not self._pausing
        wanted = self._listener is not None and room
        if wanted == self._accepting:
            return
        assert self._listener is not None
        self._accepting = wanted
        if wanted:
            loop.add_reader(self._listener, self._accept)
        else:
            loop.remove_reader(self._listener)

    def _close_listener(self) -> None:
        if self._listener is None:
            return
        if self._accepting:
            self._accepting = False
            asyncio.get_running_loop().remove_reader(self._listener)
        if isinstance(self._listen, (str, Path)):
            with contextlib.suppress(OSError):
                Path(self._listen).unlink()
        self._listener.close()
        self._listener = None

    def _channel_event(self, event: ChannelEvent) -> None:
        if self._greeting is not None:
            message = event_message(event, time.time())
            self._broadcast(line_of(message, pretty=self._greeting.pretty))

    def _migrate_completed(self) -> None:
        if self._greeting is not None:
            message = migrate_completed(time.time())
            self._broadcast(line_of(message, pretty=self._greeting.pretty))

    def _broadcast(self, line: bytes) -> None:
        for monitor in list(self._monitors):
            monitor.session.event(line)

    def _qemu_gone(self, error: QemuError) -> None:
        self._close_listener()
        self._forget_qemu()
        for monitor in list(self._monitors):
            monitor.qemu_gone()
        for callback in self._gone_callbacks:
            callback(error)

    def _forget_qemu(self) -> None:
        self._named_fds.close()
        self._migration.reset()

    # Watcher

    def forwarding(
        self, command: Command, fds: Sequence[int]
    ) -> Callable[[bytes], None] | None:
        """Look at a command on its way to QEMU."""
        named = self._named_fds.forwarding(command, fds)
        return named or self._migration.forwarding(command, fds)

    # MigrationWatchHandler

    def ask(self, message: bytes, on_reply: Callable[[bytes], None]) -> None:
        """Ask QEMU something of our own."""
        self.link.pipe().submit(message, on_reply)

    def later(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call *callback* after some time."""
        asyncio.get_running_loop().call_later(seconds, callback)
