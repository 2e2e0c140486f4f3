"""A monitor client that is not ours: lines out, lines in, nothing interpreted."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["QmpClient"]


class QmpClient:
    """One connection to a monitor socket."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.greeting = b""
        sock.setblocking(False)
        self.buffer = bytearray()

    @classmethod
    async def connect(
        cls, path: Path | str, *, negotiate: bool = True, oob: bool = False
    ) -> QmpClient:
        client = cls(socket.socket(socket.AF_UNIX))
        await asyncio.get_running_loop().sock_connect(client.socket, str(path))
        client.greeting = await client.line()
        assert client.greeting.startswith(b'{"QMP": ')
        if negotiate:
            enable = {"arguments": {"enable": ["oob"]}} if oob else {}
            command = {"execute": "qmp_capabilities", **enable}
            assert await client.ask(command) == {"return": {}}
        return client

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def line(self) -> bytes:
        """Receive a line with its end; empty: the monitor closed."""
        searched = 0
        while (newline := self.buffer.find(b"\n", searched)) < 0:
            searched = len(self.buffer)
            loop = asyncio.get_running_loop()
            try:
                data = await loop.sock_recv(self.socket, 1 << 20)
            except ConnectionResetError:
                data = b""
            if not data:
                return b""
            self.buffer += data
        line = bytes(self.buffer[: newline + 1])
        del self.buffer[: newline + 1]
        return line

    async def reply(self) -> bytes:
        """Receive a line that is not an event."""
        while (line := await self.line()).startswith(b'{"timestamp"'):
            pass
        return line

    async def ask(self, command: object) -> dict[str, Any]:
        await self.send(json.dumps(command).encode() + b"\r\n")
        answer: dict[str, Any] = json.loads(await self.line())
        return answer

    def close(self) -> None:
        self.socket.close()
