"""QEMU's end of a QMP connection, without QEMU.

Reads JSON with Python's own decoder, so that the code under test is not its own judge.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import json
import os
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["GREETING", "GREETING_11", "FakeQmpServer"]

GREETING = (
    b'{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, '
    b'"package": "Debian 1:7.2+dfsg-7+deb12u18+b3"}, "capabilities": ["oob"]}}\r\n'
)
GREETING_11 = GREETING.replace(b"22, ", b"3, ").replace(b'minor": 2', b'minor": 1')
GREETING_11 = GREETING_11.replace(b'major": 7', b'major": 11')


class FakeQmpServer:
    """Greets, then answers every command through ``answer``; call ``serve`` on a loop."""

    def __init__(self, *, greeting: bytes = GREETING) -> None:
        self.socket, self.client = socket.socketpair()
        self.socket.setblocking(False)
        self.greeting = greeting
        self.commands: list[dict[str, Any]] = []
        self.fds: list[int] = []
        self.held = False
        """Whether commands are taken and not answered."""
        self.answer: Callable[[dict[str, Any]], object] = lambda _command: {}
        self._waiting: list[dict[str, Any]] = []
        self._buffer = ""
        self._out = b""
        self._arrived = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def serve(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        loop.add_reader(self.socket, self._readable)
        self._out += self.greeting
        self._flush()

    async def taken(self, count: int) -> None:
        """Wait until *count* commands came, the negotiation included."""
        while len(self.commands) < count:
            self._arrived.clear()
            await self._arrived.wait()

    def close(self) -> None:
        if self._loop is not None:
            self._loop.remove_reader(self.socket)
            self._loop.remove_writer(self.socket)
        self._loop = None
        self.socket.close()
        for fd in self.fds:
            os.close(fd)
        self.fds.clear()

    def send(self, message: object) -> None:
        line = message if isinstance(message, bytes) else json.dumps(message).encode()
        self._out += line + b"\r\n"
        self._flush()

    def release(self) -> None:
        """Answer what was held back, and go on answering."""
        self.held = False
        waiting, self._waiting = self._waiting, []
        for command in waiting:
            self.reply(command)

    def reply(self, command: dict[str, Any]) -> None:
        value = self.answer(command)
        identity = {"id": command["id"]} if "id" in command else {}
        key = "error" if isinstance(value, dict) and "class" in value else "return"
        self.send({key: value, **identity})

    def _flush(self) -> None:
        assert self._loop is not None
        with contextlib.suppress(BlockingIOError):
            self._out = self._out[self.socket.send(self._out) :]
        if self._out:
            self._loop.add_writer(self.socket, self._flush)
        else:
            self._loop.remove_writer(self.socket)

    def _readable(self) -> None:
        data, control, _flags, _address = self.socket.recvmsg(1 << 20, 4096)
        for _level, _type, rights in control:
            fds = array.array("i")
            fds.frombytes(rights)
            self.fds += fds
        self._buffer += data.decode()
        while self._buffer.strip():
            try:
                text = self._buffer.lstrip()
                command, end = json.JSONDecoder().raw_decode(text)
            except ValueError:
                return
            self._buffer = text[end:]
            self._take(command)

    def _take(self, command: dict[str, Any]) -> None:
        self.commands.append(command)
        self._arrived.set()
        oob = "exec-oob" in command
        if self.held and not oob:
            self._waiting.append(command)
        else:
            self.reply(command)
