"""A server's connection whose peer is a socket of the test's."""

from __future__ import annotations

import asyncio
import socket
from typing import Self

from spice_server.channel.connection import Connection
from vd_interfaces.control import SpiceEndpoint

__all__ = ["HERE", "ConnectedPair", "RecordingReceiver"]

HERE = SpiceEndpoint("127.0.0.1", "1", "ipv4")


class RecordingReceiver:
    """A ``Receiver`` that remembers."""

    def __init__(self) -> None:
        self.data = b""
        self.writable_calls = 0
        self.drained = asyncio.Event()
        self.lost: asyncio.Future[Exception | None] = (
            asyncio.get_running_loop().create_future()
        )
        self.came = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.data += data
        self.came.set()

    def writable(self) -> None:
        self.writable_calls += 1
        self.drained.set()

    def connection_lost(self, error: Exception | None) -> None:
        assert not self.lost.done(), "told twice"
        self.lost.set_result(error)

    async def wait_for(self, size: int) -> None:
        while len(self.data) < size:
            self.came.clear()
            await self.came.wait()


class ConnectedPair:
    """A connection and its peer's socket, which does not block."""

    def __init__(self) -> None:
        ours, self.peer = socket.socketpair()
        self.peer.setblocking(False)
        self.connection = Connection(ours, HERE, HERE)
        self.receiver = RecordingReceiver()
        self.loop = asyncio.get_running_loop()

    def attach(self) -> Self:
        self.connection.attach(self.loop, self.receiver)
        return self

    async def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            chunk = await self.loop.sock_recv(self.peer, min(65536, size - len(data)))
            assert chunk, "closed early"
            data += chunk
        return data
