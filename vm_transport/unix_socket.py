"""Messages with descriptors over unix sockets, and who is at the other end."""

from __future__ import annotations

import array
import asyncio
import errno
import os
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

from vm_transport.errors import PeerError

__all__ = [
    "PeerProcess",
    "has_closed",
    "listen",
    "peer_process",
    "receive_with_fds",
    "send_with_fd",
]

_UCRED = struct.Struct("iII")
"""struct ucred of unix(7): pid, uid, gid."""


@dataclass(frozen=True, slots=True)
class PeerProcess:
    """A process; the start time tells it from a later one with the same number."""

    pid: int
    uid: int
    start_time: int
    """Clock ticks since boot (field 22 of proc(5) stat); 0: not to be seen."""


def _start_time(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    # The second field, a name in brackets, may itself hold blanks and brackets.
    return int(stat[stat.rindex(")") + 2 :].split()[19])


def peer_process(connection: socket.socket) -> PeerProcess:
    """Tell which process connected (SO_PEERCRED)."""
    ucred = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    pid, uid, _gid = _UCRED.unpack(ucred)
    return PeerProcess(pid, uid, _start_time(pid))


def has_closed(connection: socket.socket) -> bool:
    """Whether the peer's end of a non-blocking *connection* is closed."""
    try:
        return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True


def listen(path: Path, mode: int = 0o600) -> socket.socket:
    """Listen on *path*, which nobody else listens on; a dead socket is replaced.

    Raises:
        PeerError: another process listens there.
        OSError: the path cannot be used.

    """
    if path.is_socket():
        with socket.socket(socket.AF_UNIX) as probe:
            # Non-blocking: a live listener may have its backlog full.
            probe.setblocking(False)  # noqa: FBT003 - socket's own
            error = probe.connect_ex(str(path))
        if error in {0, errno.EAGAIN}:
            raise PeerError(f"{path}: another process listens there")
        path.unlink()
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.setblocking(False)  # noqa: FBT003 - socket's own
        mask = os.umask(0o777 & ~mode)
        try:
            listener.bind(str(path))
        finally:
            os.umask(mask)
        listener.listen()
    except BaseException:
        listener.close()
        raise
    return listener


async def _wait_writable(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    writable = loop.create_future()

    def on_writable() -> None:
        if not writable.done():
            writable.set_result(None)

    loop.add_writer(connection, on_writable)
    try:
        await writable
    finally:
        loop.remove_writer(connection)


async def send_with_fd(connection: socket.socket, data: bytes, fd: int | None) -> None:
    """Send *data*, with one descriptor on the same message if there is one.

    Raises:
        OSError: the peer is gone.

    """
    ancillary = []
    if fd is not None:
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
    while data:
        try:
            sent = connection.sendmsg([data], ancillary)
        except BlockingIOError:
            await _wait_writable(connection)
        else:
            data = data[sent:]
            ancillary = []


def receive_with_fds(
    connection: socket.socket, size: int, max_fds: int = 1
) -> tuple[bytes, list[int]]:
    """Receive up to *size* bytes and the descriptors that came with them.

    The caller owns the descriptors.  More than *max_fds* are closed by the kernel.

    Raises:
        BlockingIOError: nothing is there.

    """
    fds = array.array("i")
    data, ancillary, _flags, _address = connection.recvmsg(
        size, socket.CMSG_SPACE(max_fds * fds.itemsize), socket.MSG_CMSG_CLOEXEC
    )
    for level, kind, payload in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
    return data, list(fds)
