"""The socket that monitor clients connect to."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

from qmp_bridge.errors import MonitorSocketError

__all__ = ["listening_socket"]


def listening_socket(listen: Path | str | socket.socket, backlog: int) -> socket.socket:
    """Make a socket at a path, mode 0600, or take a listening one over.

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
        sock.listen(backlog)
    except OSError as error:
        sock.close()
        reason = error.strerror or error
        raise MonitorSocketError(f"cannot listen at {path}: {reason}") from error
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
            reason = error.strerror or error
            raise MonitorSocketError(f"cannot use {path}: {reason}") from error
    raise MonitorSocketError(f"somebody else serves {path}")
