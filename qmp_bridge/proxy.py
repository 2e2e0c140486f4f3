"""The bridge: a monitor socket in front of QEMU's that also knows SPICE.

Several monitor clients are served at once, each as if it were alone: QEMU lets a second
one wait without a greeting until the first leaves, which would make the bridge useless
beside libvirt.  They share QEMU's one monitor, hence its named fds (``getfd``).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

from qmp_bridge.control_commands import COMPILED_VERSION, ControlCommands
from qmp_bridge.errors import MonitorSocketError
from qmp_bridge.events import event_message
from qmp_bridge.message import line_of
from qmp_bridge.message_socket import MessageSocket
from qmp_bridge.monitor_session import MonitorSession
from qmp_bridge.qemu_link import QemuLink, connect_unix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qmp_bridge.capabilities import Greeting
    from qmp_bridge.commands import CommandTable
    from qmp_bridge.errors import QemuError
    from vd_interfaces.control import ChannelEvent, SpiceControl

__all__ = ["Bridge"]

_log = logging.getLogger(__name__)

_MAX_MONITORS = 32
"""Monitor clients at once; more wait in the listening socket, as with QEMU."""

_HIGH_WATER = 1 << 20
"""Unread reply bytes from which a client's commands are not read any more."""

_MAX_UNREAD = 64 << 20
"""Unread bytes at which a client is dropped: events pile up whatever it sends."""


class Bridge:
    """Serves QEMU's monitor and the SPICE server's on one socket."""

    def __init__(
        self,
        qemu: Path | str | socket.socket,
        listen: Path | str | socket.socket | None,
        control: SpiceControl,
        *,
        compiled_version: str = COMPILED_VERSION,
    ) -> None:
        """Nothing happens before ``start``.

        Args:
            qemu: path of QEMU's QMP socket, or a socket connected to it.
            listen: path to serve monitor clients at, or a listening socket;
                ``None``: only ``own_session`` is served.
            control: the SPICE server.
            compiled_version: what query-spice tells under this name.

        """
        self._qemu = qemu
        self._listen = listen
        self._control = control
        self._compiled_version = compiled_version
        self._link: QemuLink | None = None
        self._greeting: Greeting | None = None
        self._table: CommandTable = {}
        self._listener: socket.socket | None = None
        self._accepting = False
        self._monitors: list[_Monitor] = []
        self._gone_callbacks: list[Callable[[QemuError], None]] = []
        control.on_channel_event(self._channel_event)

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
        """Call *callback* once when QEMU closes its monitor; all clients are closed."""
        self._gone_callbacks.append(callback)

    async def start(self) -> None:
        """Connect, wait for QEMU's greeting, then listen.

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
        self._link.on_closed(self._qemu_gone)
        try:
            self._greeting = await self._link.greeting()
            commands = ControlCommands(
                self._control,
                self._greeting.version,
                compiled_version=self._compiled_version,
            )
            self._table = commands.table()
            if self._listen is not None:
                self._listener = _listening(self._listen)
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

    def own_session(self) -> socket.socket:
        """Open a monitor for ourselves: the client's end of a connection.

        What is said there is answered like any monitor client's commands.
        """
        ours, served = socket.socketpair()
        self._serve(served)
        return ours

    def forget(self, monitor: _Monitor) -> None:
        """Take note that a monitor is closed."""
        if monitor in self._monitors:
            self._monitors.remove(monitor)
            self._watch_listener()

    def _serve(self, sock: socket.socket) -> None:
        assert self._greeting is not None, "start() first"
        monitor = _Monitor(self, sock, self.link, self._greeting, self._table)
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
            return
        self._serve(sock)
        self._watch_listener()

    def _watch_listener(self) -> None:
        """Accept only while there is room."""
        loop = asyncio.get_running_loop()
        wanted = self._listener is not None and len(self._monitors) < _MAX_MONITORS
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

    def _broadcast(self, line: bytes) -> None:
        for monitor in list(self._monitors):
            monitor.session.event(line)

    def _qemu_gone(self, error: QemuError) -> None:
        self._close_listener()
        for monitor in list(self._monitors):
            monitor.qemu_gone()
        for callback in self._gone_callbacks:
            callback(error)


class _Monitor:
    """One monitor client: its socket, its session, its bounds."""

    def __init__(
        self,
        bridge: Bridge,
        sock: socket.socket,
        link: QemuLink,
        greeting: Greeting,
        table: CommandTable,
    ) -> None:
        self._bridge = bridge
        self._closing = False
        loop = asyncio.get_running_loop()
        self._socket = MessageSocket(sock, loop, self)
        self.session = MonitorSession(self, link.session, greeting, table)

    def close(self) -> None:
        """Close at once."""
        self._socket.close()
        self.session.detach()
        self._bridge.forget(self)

    def qemu_gone(self) -> None:
        """Close when the client has been sent what there is."""
        self.session.close()
        self._closing = True
        self._socket.pause_reading()
        self._adjust()

    # MonitorHandler

    @property
    def congested(self) -> bool:
        """Whether the client leaves too many replies unread."""
        return self._socket.pending > _HIGH_WATER

    def send(self, data: bytes) -> None:
        """Send to the client; drop it if it reads nothing."""
        self._socket.send(data)
        if self._socket.pending > _MAX_UNREAD:
            _log.warning(
                "a monitor client left %d bytes unread and is dropped",
                self._socket.pending,
            )
            self.session.close()
            self.close()
        else:
            self._adjust()

    # SocketHandler

    def received(self, data: bytes, fds: Sequence[int]) -> None:
        """Take commands."""
        self.session.receive(data, fds)
        self._adjust()

    def ended(self) -> None:
        """Answer what was asked, then close: a script may write and leave."""
        self._closing = True
        self._adjust()

    def drained(self) -> None:
        """Go on where a slow client made us stop, or close if that was all."""
        self.session.resume()
        self._adjust()

    def failed(self, error: OSError) -> None:
        """Take note that the client went away in the middle."""
        _log.debug("monitor client: %s", error)
        self.close()

    def _adjust(self) -> None:
        if self._socket.closed:
            return
        if self._closing:
            if not self._socket.pending and self.session.idle:
                self.close()
        elif self.congested or self.session.busy:
            self._socket.pause_reading()
        else:
            self._socket.resume_reading()


def _listening(listen: Path | str | socket.socket) -> socket.socket:
    """Make or take over the monitor clients' socket.

    Raises:
        MonitorSocketError: something else is there.

    """
    if isinstance(listen, socket.socket):
        listen.setblocking(False)  # noqa: FBT003 - positional only
        return listen
    path = Path(listen)
    _remove_stale(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        # Before bind(), this is the mode that the socket's file gets.
        os.fchmod(sock.fileno(), stat.S_IRUSR | stat.S_IWUSR)
        sock.bind(os.fspath(path))
        sock.listen(_MAX_MONITORS)
    except OSError as error:
        sock.close()
        raise MonitorSocketError(f"cannot listen at {path}: {error}") from error
    return sock


def _remove_stale(path: Path) -> None:
    """Remove the socket that a dead process left."""
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise MonitorSocketError(f"{path} exists and is not a socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise MonitorSocketError(f"cannot use {path}: {error}") from error
    raise MonitorSocketError(f"somebody else serves {path}")
