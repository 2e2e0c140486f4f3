"""A connection as slow as a bad line, for the bytes a server sends."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Self

__all__ = ["SlowLink"]

PIECE = 4096
"""Bytes that go at once."""
BUFFER = 65536
"""Bytes the system may hold for each side: little, or the line would seem fast."""


class SlowLink:
    """Forwards connections to a server on this machine; a context manager."""

    def __init__(self, port: int, bytes_per_second: float) -> None:
        """Forward to *port* what clients of ``self.port`` send; answers slowly."""
        self._target = port
        self._rate = bytes_per_second
        self._lock = threading.Lock()
        self._free = 0.0
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._end(self._listener)
        for end in self._ends:
            self._end(end)
        for thread in self._threads:
            thread.join()

    @staticmethod
    def _end(end: socket.socket) -> None:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()

    def _start(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket()
                server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
                server.connect(("127.0.0.1", self._target))
                self._ends += [client, server]
                self._start(self._forward, client, server)
                self._start(self._answer, server, client)

    @staticmethod
    def _forward(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(PIECE):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def _answer(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(PIECE):
                self._wait_turn(len(data))
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def _wait_turn(self, size: int) -> None:
        """Wait until the line, which all connections share, has room."""
        with self._lock:
            begin = max(self._free, time.monotonic())
            self._free = end = begin + size / self._rate
        time.sleep(max(0.0, end - time.monotonic()))
