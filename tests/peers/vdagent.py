"""The real spice-vdagentd and spice-vdagent, without a guest: both run on this host.

vdagentd opens a socket where a guest has its port, and its tablet is a plain file.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import tempfile
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.peers.programs import eventually

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from _typeshed import ReadableBuffer

    from vd_interfaces.port import PortHandler

__all__ = ["PROGRAMS", "SocketPort", "Vdagent"]

PROGRAMS = ("spice-vdagentd", "spice-vdagent", "Xvfb")
READ_SIZE = 1 << 16
HIGH_WATER = 1 << 16


class SocketPort:
    """A ``vd_interfaces.port.GuestPort``: open while somebody is connected."""

    name = "com.redhat.spice.0"

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._listener.setblocking(False)
        self._sock: socket.socket | None = None
        self._handler: PortHandler | None = None
        self._out: deque[bytes] = deque()
        loop.add_reader(self._listener, self._accept)

    @property
    def opened(self) -> bool:
        return self._sock is not None

    def attach(self, handler: PortHandler | None) -> None:
        self._handler = handler

    def write(self, data: ReadableBuffer) -> bool:
        if self._sock is None:
            return True
        self._out.append(bytes(data))
        self._flush()
        return sum(map(len, self._out)) < HIGH_WATER

    def pause(self) -> None:
        if self._sock is not None:
            self._loop.remove_reader(self._sock)

    def resume(self) -> None:
        if self._sock is not None:
            self._loop.add_reader(self._sock, self._read)

    def close(self) -> None:
        """End it."""
        self._hang_up()
        self._loop.remove_reader(self._listener)
        self._listener.close()

    def _accept(self) -> None:
        self._hang_up()
        self._sock, _ = self._listener.accept()
        self._sock.setblocking(False)
        self.resume()
        if self._handler is not None:
            self._handler.port_opened()

    def _read(self) -> None:
        assert self._sock is not None
        data = b""
        with contextlib.suppress(ConnectionError):
            data = self._sock.recv(READ_SIZE)
        if not data:
            self._hang_up()
        elif self._handler is not None:
            self._handler.port_data(data)

    def _flush(self) -> None:
        assert self._sock is not None
        try:
            while self._out:
                sent = self._sock.send(self._out[0])
                self._out[0] = self._out[0][sent:]
                if not self._out[0]:
                    self._out.popleft()
        except BlockingIOError:
            self._loop.add_writer(self._sock, self._writable)
        except ConnectionError:
            self._out.clear()

    def _writable(self) -> None:
        assert self._sock is not None
        self._loop.remove_writer(self._sock)
        self._flush()
        if not self._out and self._handler is not None:
            self._handler.port_writable()

    def _hang_up(self) -> None:
        sock, self._sock = self._sock, None
        self._out.clear()
        if sock is None:
            return
        self._loop.remove_reader(sock)
        self._loop.remove_writer(sock)
        sock.close()
        if self._handler is not None:
            self._handler.port_closed()


class Vdagent:
    """The daemon and the session's agent; a context manager."""

    def __init__(self, port: Path, environment: Mapping[str, str]) -> None:
        """Start both; the daemon opens *port* when the session's agent is there.

        *environment* is that of programs on the session's X server.
        """
        # Its own short folder: paths of sockets are short.
        self._folder = tempfile.TemporaryDirectory(prefix="vdagent")
        folder = Path(self._folder.name)
        self.downloads = folder / "downloads"
        self.downloads.mkdir()
        self._tablet = folder / "uinput"
        self._tablet.touch()
        self._socket = folder / "session"
        self._log = folder / "log"
        self._port = port
        self._environment = environment
        self._agents: list[subprocess.Popen[bytes]] = []
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._folder.cleanup()

    @property
    def log(self) -> str:
        """What the agents said."""
        return self._log.read_text(errors="replace")

    def start(self) -> None:
        """Start the agents."""
        self._agents.append(
            self._start(
                "spice-vdagentd", "-x", "-d", "-d", "-X", "-f", "-u", self._tablet,
                "-s", self._port, "-S", self._socket,
            )
        )  # fmt: skip
        eventually("the daemon's socket is there", self._socket.exists)
        self._agents.append(
            self._start(
                "spice-vdagent", "-x", "-s", self._port, "-S", self._socket,
                "-f", self.downloads, "-o", "0",
            )
        )  # fmt: skip

    def stop(self) -> None:
        """Kill the agents."""
        while self._agents:
            self._end(self._agents.pop())
        self._socket.unlink(missing_ok=True)

    def _start(self, *command: str | Path) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command, env=self._environment, stdout=log, stderr=log
            )

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()
