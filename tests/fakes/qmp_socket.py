"""A QMP socket with a path, as QEMU has one: it comes, serves one client, and goes."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

from tests.fakes.qmp_server import FakeQmpServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["QmpSocket"]

VERSION = {"qemu": {"major": 7, "minor": 2, "micro": 22}, "package": ""}


class QmpSocket:
    """A QEMU that answers what it is told to; to be closed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answers: dict[str, object] = {
            "query-version": VERSION,
            "query-chardev": [],
            "query-mice": [],
            "qom-list": [],
        }
        self.after: dict[str, Callable[[], None]] = {}
        """What happens when a command has come, by its name."""
        self.commands: list[dict[str, Any]] = []
        self.server: FakeQmpServer | None = None
        self.greets = True
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.setblocking(False)
        self._listener.bind(str(path))
        self._listener.listen()
        asyncio.get_running_loop().add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        self._drop()
        server = FakeQmpServer()
        server.socket.close()
        server.client.close()
        server.socket = connection
        connection.setblocking(False)
        server.answer = self._answer
        self.server = server
        if self.greets:
            server.serve(asyncio.get_running_loop())

    def _answer(self, command: dict[str, Any]) -> object:
        name = command["execute"]
        self.commands.append(command)
        if name in self.after:
            asyncio.get_running_loop().call_soon(self.after[name])
        return self.answers.get(name, {})

    def names(self) -> list[str]:
        """Names of the commands that came, without those that come in masses."""
        boring = {"query-mice", "qmp_capabilities", "getfd", "netdev_add", "netdev_del"}
        return [c["execute"] for c in self.commands if c["execute"] not in boring]

    def arguments(self, name: str) -> list[dict[str, Any]]:
        """Arguments of the commands *name*, in order."""
        return [c["arguments"] for c in self.commands if c["execute"] == name]

    def event(self, name: str, **data: object) -> None:
        """Emit an event."""
        assert self.server is not None
        stamp = {"seconds": 1, "microseconds": 2}
        self.server.send({"timestamp": stamp, "event": name, "data": data})

    def _drop(self) -> None:
        if self.server is not None:
            self.server.close()
            self.server = None

    def close(self) -> None:
        """End, as a QEMU that exits."""
        self._drop()
        if self._listener.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self.path.unlink(missing_ok=True)
