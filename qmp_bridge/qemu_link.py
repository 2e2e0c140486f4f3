"""The connection to QEMU's monitor on an asyncio loop."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from typing import TYPE_CHECKING

from qmp_bridge.errors import QemuError, QemuGone
from qmp_bridge.message_socket import MessageSocket
from qmp_bridge.qemu_session import Lane, QemuSession

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from qmp_bridge.capabilities import Greeting

__all__ = ["QemuLink", "QemuPipe", "connect_unix"]

_log = logging.getLogger(__name__)


async def connect_unix(path: Path | str) -> socket.socket:
    """Connect to a QMP socket.

    Raises:
        QemuGone: nobody listens there.

    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.setblocking(False)  # noqa: FBT003 - positional only
    try:
        await asyncio.get_running_loop().sock_connect(sock, os.fspath(path))
    except OSError as error:
        sock.close()
        raise QemuGone(f"cannot reach QEMU's monitor {path}: {error}") from error
    except BaseException:
        sock.close()
        raise
    return sock


class QemuPipe:
    """One sender's ordered way to QEMU, without a round trip through a socket."""

    def __init__(self, session: QemuSession) -> None:
        self._session = session
        self._lane = Lane()

    def submit(self, message: bytes, on_reply: Callable[[bytes], None]) -> None:
        """Send a command without ``id``; *on_reply* gets QEMU's line.

        Nothing is called any more once QEMU is gone.
        """
        self._session.submit(self._lane, message, on_reply)


class QemuLink:
    """Owns the one connection to QEMU; everything happens on the loop's thread."""

    def __init__(self, sock: socket.socket) -> None:
        """Take a connected QMP socket over and wait for the greeting."""
        loop = asyncio.get_running_loop()
        self.session = QemuSession(self)
        self._greeted: asyncio.Future[Greeting] = loop.create_future()
        self._event_callbacks: list[Callable[[bytes], None]] = []
        self._closed_callbacks: list[Callable[[QemuError], None]] = []
        self._socket = MessageSocket(sock, loop, self)

    @property
    def closed(self) -> bool:
        """Whether the connection is gone."""
        return self._socket.closed

    async def greeting(self) -> Greeting:
        """Wait until QEMU greeted and capabilities are negotiated.

        QEMU greets one client at a time: this waits while another has its monitor.

        Raises:
            QemuError: QEMU went away or does not speak QMP.

        """
        return await asyncio.shield(self._greeted)

    def on_event(self, callback: Callable[[bytes], None]) -> None:
        """Call *callback* with every event QEMU emits, as its bytes, in order."""
        self._event_callbacks.append(callback)

    def on_closed(self, callback: Callable[[QemuError], None]) -> None:
        """Call *callback* once when QEMU goes away; not after ``close``."""
        self._closed_callbacks.append(callback)

    def pipe(self) -> QemuPipe:
        """Open a way for commands of our own, in turns with the monitor clients'."""
        return QemuPipe(self.session)

    def close(self) -> None:
        """Leave QEMU's monitor."""
        self._socket.close()
        self.session.drop()
        self._greeted.cancel()

    # SessionHandler

    def send(self, data: bytes, fds: Sequence[int]) -> None:
        """Send to QEMU."""
        self._socket.send(data, fds)

    def ready(self, greeting: Greeting) -> None:
        """Wake who waits for the greeting."""
        if not self._greeted.done():
            self._greeted.set_result(greeting)

    def event(self, line: bytes) -> None:
        """Pass an event on."""
        for callback in self._event_callbacks:
            callback(line)

    # SocketHandler

    def received(self, data: bytes, fds: Sequence[int]) -> None:
        """Take what QEMU sent; it sends no fds."""
        for fd in fds:
            os.close(fd)
        try:
            self.session.receive(data)
        except QemuError as error:
            self._lost(error)
        except (ValueError, TypeError, KeyError) as error:
            shown = json.dumps(data[:80].decode("ascii", "replace"))
            failure = QemuError(f"QEMU's monitor sent {shown}")
            failure.__cause__ = error
            self._lost(failure)

    def ended(self) -> None:
        """Take note that QEMU closed its end."""
        self._lost(QemuGone("QEMU closed its monitor"))

    def drained(self) -> None:
        """Nothing waits for this."""

    def failed(self, error: OSError) -> None:
        """Take note that the connection broke."""
        gone = QemuGone(f"QEMU's monitor is gone: {error}")
        gone.__cause__ = error
        self._lost(gone)

    def _lost(self, error: QemuError) -> None:
        callbacks, self._closed_callbacks = self._closed_callbacks, []
        if not self._greeted.done():
            self._greeted.set_exception(error)
            self._greeted.exception()  # whoever waits gets it; nobody has to
        self.close()
        _log.info("%s", error)
        for callback in callbacks:
            callback(error)
