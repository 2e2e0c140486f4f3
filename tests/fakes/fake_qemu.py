"""QEMU's ivshmem-doorbell device as the ivshmem server sees it (hw/misc/ivshmem.c).

It reads messages as that device does, keeps what it is given and has the doorbell and
MSI-X vectors that a guest would use.  Blocking: run it in a thread of its own, or after
the server had its turn.
"""

from __future__ import annotations

import mmap
import os
import select
import socket
from typing import TYPE_CHECKING, Self

from tests.fakes.guest_port import IvshmemPort
from vm_transport.ivshmem.messages import MESSAGE_SIZE, decode
from vm_transport.unix_socket import receive_with_fds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["FakeQemu", "RefusedError"]


class RefusedError(Exception):
    """The server sent a version that QEMU does not know."""


class FakeQemu:
    """One device: its vectors by peer, its own id, its mapped BAR2."""

    def __init__(self, path: Path, vectors: int = 32) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.vectors = vectors
        self.id = -1
        self.peers: dict[int, list[int]] = {}
        self.bar2: mmap.mmap | None = None
        self._fds: list[int] = []

    def realize(self) -> Self:
        """Read up to the shared memory, as ``device_add`` does."""
        version, fds = self.receive()
        assert not fds
        if version != 0:
            raise RefusedError(version)
        self.id, fds = self.receive()
        assert not fds
        assert 0 <= self.id <= 0xFFFF
        number, (memory,) = self.receive()
        assert number == -1
        size = os.fstat(memory).st_size
        assert size & (size - 1) == 0, "QEMU aborts"
        self.bar2 = mmap.mmap(memory, size)
        return self

    def receive(self) -> tuple[int, list[int]]:
        """Read one message, blocking."""
        data, fds = receive_with_fds(self.socket, MESSAGE_SIZE)
        self._fds += fds
        if not data:
            raise ConnectionError("the server closed the connection")
        assert len(data) == MESSAGE_SIZE
        return decode(data), fds

    def read_vectors(self, count: int) -> Self:
        """Read *count* messages that give vectors, blocking."""
        for _ in range(count):
            peer, (vector,) = self.receive()
            fds = self.peers.setdefault(peer, [])
            assert len(fds) < self.vectors, "Too many eventfd received"
            fds.append(vector)
        return self

    def doorbell(self, value: int) -> None:
        """Write the Doorbell register: ``peer << 16 | vector``."""
        fds = self.peers.get(value >> 16, [])
        vector = value & 0xFFFF
        if vector < len(fds):
            os.eventfd_write(fds[vector], 1)

    def wait_msix(self, vector: int, timeout: float) -> bool:
        """Wait for MSI-X *vector* up to *timeout* seconds and take it."""
        fd = self.peers[self.id][vector]
        if not select.select([fd], [], [], timeout)[0]:
            return False
        os.eventfd_read(fd)
        return True

    def port(self, wait_done: Callable[[], None], *, display: int = 0) -> IvshmemPort:
        """Return what a guest driver uses; *wait_done* is called while it waits."""
        assert self.bar2 is not None
        return IvshmemPort(
            memoryview(self.bar2),
            display=display,
            ring=self.doorbell,
            wait=self.wait_msix,
            wait_done=wait_done,
        )

    def close(self) -> None:
        """End, as a killed QEMU does."""
        self.socket.close()
        for fd in self._fds:
            os.close(fd)
        self._fds.clear()
        self.peers.clear()
