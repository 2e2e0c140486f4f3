"""Listening sockets: TCP over IPv4 and IPv6, TLS, unix."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
import stat
from typing import TYPE_CHECKING, Any, Final

from spice_server.channel.connection import Connection
from spice_server.channel.tls import TlsConnection
from spice_server.errors import ListenError
from vd_interfaces.control import SpiceEndpoint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spice_server.certificates import Certificates

__all__ = [
    "Listener",
    "adopted_connection",
    "connection_of",
    "endpoint",
    "listen_tcp",
    "listen_unix",
]

BACKLOG: Final = 128
"""Connections the kernel keeps until they are accepted."""

ACCEPTS_PER_TURN: Final = 16
"""Connections accepted per turn of the loop, so that a flood does not hold it."""

PAUSE: Final = 0.5
"""Seconds without accepting when the process is out of descriptors."""

KEEPALIVE_IDLE: Final = 600
"""Seconds of silence until TCP asks whether the peer is still there, as stock."""

UNSENT: Final = 128 * 1024
"""Bytes the kernel holds that are not on their way yet.  Without a bound it takes
megabytes, and what a slow client sees next would be seconds old."""

_OUT_OF_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

_NO_SUCH_FAMILY = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}
"""What a kernel without IPv6 says."""

_log = logging.getLogger(__name__)


def listen_tcp(addr: str, port: int) -> list[socket.socket]:
    """Listen on *port* of every address that *addr* stands for.

    Raises:
        ListenError: one line saying which address and why.

    """
    try:
        found = socket.getaddrinfo(
            addr or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        raise ListenError(f"cannot listen on {addr!r}: {error}") from error
    sockets: list[socket.socket] = []
    for family, _, _, _, address in dict.fromkeys(found):
        # If any free port will do, all addresses get the first one's.
        actual = sockets[0].getsockname()[1] if sockets else port
        try:
            sockets.append(_bound(family, (address[0], actual, *address[2:])))
        except OSError as error:
            if error.errno in _NO_SUCH_FAMILY and len(found) > 1:
                continue
            for sock in sockets:
                sock.close()
            reason = error.strerror or str(error)
            where = f"{addr or '*'} port {actual}"
            raise ListenError(f"cannot listen on {where}: {reason}") from error
    if not sockets:
        raise ListenError(f"cannot listen on {addr or '*'}: no such kind of address")
    return sockets


def _bound(family: int, address: tuple[Any, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # IPv4 has its own socket, whatever the system's default.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def listen_unix(path: Path, mode: int) -> socket.socket:
    """Listen on a unix socket; one that nobody listens on any more is replaced.

    Raises:
        ListenError: one line saying why not.

    """
    _remove_stale(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(str(path))
        # Until listen() nobody can connect, so the umask's rights never count.
        path.chmod(mode)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise ListenError(
            f"cannot listen on {path}: {error.strerror or error}"
        ) from error
    return sock


def _remove_stale(path: Path) -> None:
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise ListenError(f"cannot listen on {path}: it exists and is no socket")
    except OSError:
        return  # it does not exist, or bind() will say what is wrong
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        except OSError:
            return
        else:
            raise ListenError(f"cannot listen on {path}: another server does")


def endpoint(sock: socket.socket, address: object) -> SpiceEndpoint:
    """Return *address* of *sock* in QAPI's words (QEMU's ``add_addr_info``)."""
    match sock.family, address:
        case socket.AF_INET, (str(host), int(port), *_):
            return SpiceEndpoint(host, str(port), "ipv4")
        case socket.AF_INET6, (str(host), int(port), *_):
            return SpiceEndpoint(host, str(port), "ipv6")
        case socket.AF_UNIX, path:
            return SpiceEndpoint("localhost", str(path), "unix")
        case _:
            return SpiceEndpoint("", "", "unknown")


def connection_of(
    sock: socket.socket, address: object, tls: Certificates | None
) -> Connection:
    """Prepare a connected socket for a client at *address*.

    Raises:
        OSError: it is gone already, or no socket that clients can use.

    """
    if sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
    local, peer = endpoint(sock, sock.getsockname()), endpoint(sock, address)
    if tls is not None:
        return TlsConnection(sock, local, peer, tls.terms())
    return Connection(sock, local, peer)


def adopted_connection(fd: int, tls: Certificates | None) -> Connection:
    """Take a connected socket over from who accepted it; *fd* is ours now.

    Raises:
        OSError: it is not one, or gone already; it is closed.

    """
    try:
        sock = socket.socket(fileno=fd)
    except OSError:
        os.close(fd)
        raise
    try:
        if sock.type != socket.SOCK_STREAM:
            raise OSError(errno.EPROTOTYPE, "not a stream socket")  # noqa: TRY301 - it has to be closed, too
        sock.settimeout(0)
        return connection_of(sock, sock.getpeername(), tls)
    except OSError:
        sock.close()
        raise


class Listener:
    """Accepts connections on one socket and hands them on."""

    def __init__(
        self,
        sock: socket.socket,
        on_connection: Callable[[Connection], None],
        tls: Certificates | None = None,
    ) -> None:
        sock.settimeout(0)
        self._sock = sock
        self._on_connection = on_connection
        self._tls = tls
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pause: asyncio.TimerHandle | None = None
        self.address = sock.getsockname()

    @property
    def port(self) -> int | None:
        """TCP port, ``None`` for a unix socket."""
        return None if self._sock.family == socket.AF_UNIX else int(self.address[1])

    def start(self) -> None:
        """Accept connections on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._sock, self._accept)

    def stop(self) -> None:
        """Accept no more and close the socket."""
        if self._pause is not None:
            self._pause.cancel()
        if self._loop is not None:
            self._loop.remove_reader(self._sock)
        self._sock.close()

    def _accept(self) -> None:
        for _ in range(ACCEPTS_PER_TURN):
            try:
                sock, address = self._sock.accept()
            except BlockingIOError:
                return
            except OSError as error:
                self._failed(error)
                return
            try:
                connection = connection_of(sock, address, self._tls)
            except OSError as error:  # it is gone already
                _log.debug("accepted connection lost: %s", error)
                sock.close()
                continue
            self._on_connection(connection)

    def _failed(self, error: OSError) -> None:
        """Go on after accept() failed; without descriptors only after a while."""
        if error.errno in _OUT_OF_RESOURCES and self._loop is not None:
            _log.error("no connection is accepted for now: %s", error.strerror)
            self._loop.remove_reader(self._sock)
            self._pause = self._loop.call_later(PAUSE, self.start)
