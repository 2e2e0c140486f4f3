"""What qxld itself says to QEMU's monitor, through the ``qemu.qmp`` package.

Speaks on any QMP socket: a second one of QEMU's, or ``Bridge.own_session()`` where the
only one is already the bridge's.  Input takes the shorter way of ``qemu_link.QemuPipe``.
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING

from qemu.qmp import EventListener, ExecuteError, Message, QMPClient, QMPError

from qmp_bridge.errors import CommandFailed, QemuGone

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["QemuMonitor"]

_log = logging.getLogger(__name__)


class _Events(EventListener):
    """Events that wait for their turn; the package's class also keeps all past ones."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: asyncio.Queue[Message] = asyncio.Queue()

    async def put(self, event: Message) -> None:
        """Let *event* wait."""
        self._waiting.put_nowait(event)

    async def get(self) -> Message:
        """Take the next event, when there is one."""
        return await self._waiting.get()


def _none(event: Message) -> bool:  # noqa: ARG001 - a filter's
    """Accept no event."""
    return False


class QemuMonitor:
    """A QMP client: commands as calls, events as callbacks."""

    def __init__(self, name: str = "qxld") -> None:
        """Not connected yet; *name* is for logs."""
        self._client = QMPClient(name)
        # The package logs every lost connection as an error, and one that is lost while
        # it disconnects as critical; here both are exceptions.
        self._client.logger.setLevel(logging.CRITICAL + 1)
        # Nobody takes events out of this one, and it cannot be removed: a server runs
        # for months, and each of its clients' connections is an event or two.
        self._client.events.event_filter = _none
        self._listener = _Events()
        self._events: asyncio.Task[None] | None = None
        self._callbacks: list[Callable[[str, Mapping[str, object]], None]] = []

    async def connect(self, where: Path | str | socket.socket) -> None:
        """Connect to a socket's path or take a connected socket; negotiate.

        Raises:
            QemuGone: there is no QMP server.

        """
        address = where if not isinstance(where, os.PathLike) else os.fspath(where)
        self._client.register_listener(self._listener)
        try:
            await self._client.connect(address)
        except QMPError as error:
            raise QemuGone(f"no QMP server: {error}") from error
        except (OSError, EOFError) as error:
            # Cancelled while QEMU went away: the package then tells the latter only.
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise asyncio.CancelledError from error
            raise QemuGone(f"no QMP server: {error!r}") from error
        self._events = asyncio.create_task(self._dispatch())

    async def execute(
        self, command: str, arguments: Mapping[str, object] | None = None
    ) -> object:
        """Execute *command*; its ``return``.

        Raises:
            CommandFailed: QEMU answered with an error.
            QemuGone: QEMU went away.

        """
        try:
            members = None if arguments is None else dict(arguments)
            return await self._client.execute(command, members)
        except ExecuteError as error:
            raise CommandFailed(command, error.error_class, str(error)) from error
        except QMPError as error:
            raise QemuGone(f"{command}: {error}") from error

    async def give_fd(self, name: str, fd: int) -> None:
        """Let QEMU have a duplicate of *fd* under *name* (``getfd``).

        Raises:
            CommandFailed: QEMU does not take it.
            QemuGone: QEMU went away.

        """
        try:
            self._client.send_fd_scm(fd)
        except (QMPError, OSError) as error:
            raise QemuGone(f"getfd: {error}") from error
        await self.execute("getfd", {"fdname": name})

    def on_event(self, callback: Callable[[str, Mapping[str, object]], None]) -> None:
        """Call *callback* with the name and data of every event from now on."""
        self._callbacks.append(callback)

    async def close(self) -> None:
        """Disconnect; pending commands fail with ``QemuGone``."""
        if self._events is not None:
            self._events.cancel()
            await asyncio.gather(self._events, return_exceptions=True)
            self._events = None
        # The package forgets what went wrong if it is cancelled here: asyncio complains.
        closing = asyncio.ensure_future(self._disconnect())
        try:
            await asyncio.shield(closing)
        finally:
            await closing

    async def _disconnect(self) -> None:
        try:
            await self._client.disconnect()
        except (QMPError, OSError, EOFError) as error:
            _log.debug("disconnecting: %r", error)

    async def _dispatch(self) -> None:
        async for message in self._listener:
            name, data = message["event"], message.get("data", {})
            assert isinstance(name, str)
            assert isinstance(data, dict)
            for callback in self._callbacks:
                callback(name, data)
