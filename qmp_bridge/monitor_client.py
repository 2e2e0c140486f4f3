"""A monitor client's connection on an asyncio loop."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from qmp_bridge.message_socket import MessageSocket
from qmp_bridge.monitor_session import MonitorSession

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from qmp_bridge.capabilities import Greeting
    from qmp_bridge.commands import CommandTable, Watcher
    from qmp_bridge.qemu_link import QemuLink

__all__ = ["MonitorClient"]

_log = logging.getLogger(__name__)

_HIGH_WATER = 1 << 20
"""Unread reply bytes from which a client's commands are not read any more."""

_MAX_UNREAD = 64 << 20
"""Unread bytes at which a client is dropped: events pile up whatever it sends."""


class MonitorClient:
    """Owns a client's socket, its session and its bounds."""

    def __init__(
        self,
        sock: socket.socket,
        link: QemuLink,
        greeting: Greeting,
        table: CommandTable,
        watcher: Watcher,
        on_closed: Callable[[MonitorClient], None],
    ) -> None:
        """Take *sock* over; *watcher* sees what goes to QEMU; *on_closed* may be called many times."""
        self._on_closed = on_closed
        self._closing = False
        loop = asyncio.get_running_loop()
        self._socket = MessageSocket(sock, loop, self)
        self.session = MonitorSession(self, link.session, greeting, table, watcher)

    def close(self) -> None:
        """Close at once."""
        self._socket.close()
        self.session.detach()
        # What waited for the client to read its replies need wait no more.
        self.session.resume()
        self._on_closed(self)

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
