"""A character device of QEMU's as a stream: :class:`ChardevPort`.

QEMU listens (``server=on,wait=off``) and we connect.  So QEMU starts without us, goes
on without us, and takes whichever qxld comes next; all versions know these options.  To
QEMU a connection is the host's end of the device being open, as a SPICE client's channel
is where QEMU has SPICE itself: it is made when somebody serves the port
(:meth:`ChardevPort.attach`) and closed when nobody does any more.  A USB redirection
begins anew with each connection, and a guest sees its port hung up.

Whether the *guest* holds the port open is told by QEMU's monitor for virtserialports
(``follows_guest``); of other devices a connected one is an open one.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import socket
import termios
from typing import TYPE_CHECKING, Final, Protocol

from vm_transport.chardev.last_words import LastWords
from vm_transport.chardev.outbox import Outbox

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path

    from _typeshed import ReadableBuffer

__all__ = ["ChardevPort", "Handler"]

READ_SIZE: Final = 64 * 1024
"""Bytes taken per turn of the loop, so that no guest starves others."""

HIGH_WATER: Final = 256 * 1024
"""Bytes waiting for the guest above which ``write`` asks to stop."""

LOW_WATER: Final = 64 * 1024
"""Bytes waiting for the guest below which writing may go on."""

MAX_DRAINED: Final = 1024 * 1024
"""Bytes of a guest that has closed its port which are still looked for: QEMU tells of
the closing by another way, so the last words may still be in the socket, which holds a
few hundred kB."""

RETRY_S: Final = 1.0
"""Seconds between looks for a QEMU that does not take us."""

_log = logging.getLogger(__name__)


class Handler(Protocol):
    """Who serves a port: a ``vd_interfaces.port.PortHandler``."""

    def port_opened(self) -> None:
        """Learn that the guest opened it."""

    def port_closed(self) -> None:
        """Learn that the guest closed it."""

    def port_data(self, data: bytes) -> None:
        """Take what the guest wrote."""

    def port_writable(self) -> None:
        """Take it that more can be written."""


class ChardevPort:
    """A ``vd_interfaces.port.GuestPort`` over QEMU's socket; main thread only."""

    def __init__(
        self, name: str, path: Path, *, follows_guest: bool, lingers: bool = False
    ) -> None:
        """Not connected yet.

        Args:
            name: what the guest calls it.
            path: QEMU's socket.
            follows_guest: :meth:`set_guest_open` tells whether the guest has it open;
                else it is open while QEMU is connected.
            lingers: what was written reaches QEMU though its writer has gone: for a
                device that does not begin anew with each connection.

        """
        self.path = path
        self._name = name
        self._follows_guest = follows_guest
        self._lingers = lingers
        self._last_words: LastWords | None = None
        self._handler: Handler | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sock: socket.socket | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._announce: asyncio.Handle | None = None
        self._guest_open = False
        self._proved_by_data = False
        """Open because data came, and QEMU has not told of it yet."""
        self._told_open = False
        """What the handler was told last."""
        self._outbox: Outbox | None = None
        self._full = False
        """Whether ``write`` has said no, and ``port_writable`` is owed."""
        self._paused = False

    # ---- GuestPort

    @property
    def name(self) -> str:
        """What the guest calls it."""
        return self._name

    @property
    def opened(self) -> bool:
        """Whether bytes get through to who holds it open in the guest."""
        if self._sock is None:
            return False
        return self._guest_open or not self._follows_guest

    @property
    def guest_open(self) -> bool:
        """What QEMU told last of the guest's end, or data proved."""
        return self._guest_open

    def attach(self, handler: Handler | None) -> None:
        """Let *handler* serve it, which connects; ``None`` disconnects."""
        if self._lingers and self._sock is not None and self._loop is not None:
            self._hang_up_later(self._loop, self._sock)
        self._disconnect()
        self._handler = handler
        self._told_open = self._paused = self._full = False
        self._connect()

    def write(self, data: ReadableBuffer) -> bool:
        """Give *data* to the guest; False: stop until ``port_writable``."""
        if not self.opened:
            return True
        assert self._outbox is not None
        self._outbox.put(bytes(data))
        self._full = self._full or self._outbox.pending > HIGH_WATER
        return not self._full

    def pause(self) -> None:
        """Read nothing: QEMU's socket fills, and the guest has to wait."""
        if not self._paused:
            self._paused = True
            if self._sock is not None and self._loop is not None:
                self._loop.remove_reader(self._sock)

    def resume(self) -> None:
        """Read again."""
        if self._paused:
            self._paused = False
            if self._sock is not None and self._loop is not None:
                self._loop.add_reader(self._sock, self._read)

    # ---- for the composition

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Connect from now on, if somebody serves the port: QEMU is there."""
        self._loop = loop
        self._connect()
        self._tell_state()

    def stop(self) -> None:
        """Disconnect: QEMU is gone, or to be left alone."""
        self._disconnect()
        if self._last_words is not None:
            self._last_words.close()
            self._last_words = None
        self._guest_open = False
        self._proved_by_data = False
        self._tell_state()
        self._loop = None

    def set_guest_open(self, opened: bool) -> None:  # noqa: FBT001 - an event's value
        """Take what QEMU tells of the guest's end (VSERPORT_CHANGE).

        QEMU leaves events out that follow each other within a second.  So "open" twice
        is a guest that has closed it and opened it again.
        """
        if not opened:
            if self._guest_open:
                self._guest_closed()
        elif not self._guest_open:
            self._guest_open = True
        elif self._proved_by_data:
            self._proved_by_data = False
        else:
            self._guest_closed()
            self._guest_open = True
        self._tell_state()

    # ---- state

    def _guest_closed(self) -> None:
        self._drain()
        self._guest_open = self._proved_by_data = False
        self._tell_state()
        if self._sock is not None and self._holds_bytes(self._sock):
            # They were for, or of, whoever had it open, not whoever comes next.
            self._disconnect()
            self._connect()
        else:
            self._drop_output()

    def _tell_state(self) -> None:
        """Tell the handler what it does not know yet."""
        handler = self._handler
        if handler is None or self._told_open == self.opened:
            return
        self._told_open = self.opened
        if self._told_open:
            handler.port_opened()
        else:
            handler.port_closed()

    def _holds_bytes(self, sock: socket.socket) -> bool:
        """Whether bytes wait here, or in the kernel in either direction."""
        if self._pending or _unread_by_peer(sock):
            return True
        try:
            return bool(sock.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    # ---- the connection

    def _connect(self) -> None:
        if self._loop is None or self._handler is None or self._sock is not None:
            return
        self._cancel_retry()
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        sock.settimeout(0)
        error = sock.connect_ex(os.fsencode(self.path))
        if error:
            sock.close()
            _log.debug("port %s: %s: %s", self._name, self.path, errno.errorcode[error])
            self._retry = self._loop.call_later(RETRY_S, self._connect)
            return
        self._sock = sock
        self._outbox = Outbox(self._loop, sock, self._tell_writable)
        if not self._paused:
            self._loop.add_reader(sock, self._read)
        self._announce = self._loop.call_soon(self._tell_state)

    def _disconnect(self) -> None:
        self._cancel_retry()
        if self._announce is not None:
            self._announce.cancel()
            self._announce = None
        sock, self._sock = self._sock, None
        if sock is not None and self._loop is not None:
            self._loop.remove_reader(sock)
            self._drop_output()
            sock.close()
        self._outbox = None

    def _hang_up_later(
        self, loop: asyncio.AbstractEventLoop, sock: socket.socket
    ) -> None:
        """Give up the connection, but let what waits go out."""
        if self._last_words is not None:
            self._last_words.close()
        assert self._outbox is not None
        loop.remove_reader(sock)
        self._last_words = LastWords(loop, sock, self._outbox)
        self._sock = self._outbox = None

    def _cancel_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def _lost(self, reason: object) -> None:
        """Look for QEMU again later: it has closed the connection."""
        _log.debug("port %s: connection lost: %s", self._name, reason)
        self._disconnect()
        self._tell_state()
        if self._loop is not None and self._handler is not None:
            self._retry = self._loop.call_later(RETRY_S, self._connect)

    # ---- from the guest

    def _read(self) -> int:
        """Hand on what is there, at most READ_SIZE; how many bytes it was."""
        sock = self._sock
        if sock is None:
            return 0
        try:
            data = sock.recv(READ_SIZE)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._lost(error)
            return 0
        if not data:
            self._lost("closed")
            return 0
        if self._follows_guest and not self._guest_open:
            self._guest_open = self._proved_by_data = True
        self._tell_state()
        if self._handler is not None:
            self._handler.port_data(data)
        return len(data)

    def _drain(self) -> None:
        """Hand on the last words of a guest that has closed its port."""
        drained = 0
        while not self._paused and drained < MAX_DRAINED and (size := self._read()):
            drained += size

    # ---- to the guest

    @property
    def _pending(self) -> int:
        return self._outbox.pending if self._outbox is not None else 0

    def _drop_output(self) -> None:
        if self._outbox is not None:
            self._outbox.clear()
        if self._full and self._loop is not None:
            self._loop.call_soon(self._tell_writable)

    def _tell_writable(self) -> None:
        if self._full and self._pending <= LOW_WATER:
            self._full = False
            if self._handler is not None:
                self._handler.port_writable()


def _unread_by_peer(sock: socket.socket) -> bool:
    """Whether the kernel holds bytes that the peer has not read (SIOCOUTQ, unix(7))."""
    size = bytearray(4)
    fcntl.ioctl(sock, termios.TIOCOUTQ, size)
    return any(size)
