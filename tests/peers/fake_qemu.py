"""A real `qxld serve` process; the QEMU and the guest it serves are played here.

What QEMU does is little: it connects to the ivshmem socket, takes the shared memory and
the doorbells, and has a monitor.  The guest is a driver in Python in that memory, so
its time and its mistakes are the caller's to choose.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from qmp_bridge.message import Message, MessageReader
from spice_protocol.qxl_dev import QxlIo, QXLRam, QXLRect
from tests.fakes.fake_guest import FakeGuest
from tests.fakes.fake_qemu import FakeQemu
from tests.fakes.qmp_server import GREETING
from tests.peers.blocking_client import BlockingClient
from tests.peers.programs import free_port
from tests.peers.qxld_process import QXLD, Qxld

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qmp_bridge.errors import JsonError

__all__ = ["PlayedMonitor", "PlayedVm", "QxldServe"]

PATIENCE = 120.0
"""Seconds that end a hang."""
DISPLAY_VECTORS = 5
"""Of one display: two doorbells and the VDI port's, and an interrupt of each."""
MICE = [{"name": "played", "index": 0, "current": True, "absolute": True}]


class PlayedMonitor:
    """QEMU's monitor: it answers every command, and keeps the input events.

    A thread serves it between ``start`` and ``pause``; else ``receive`` does, in the
    caller's own, where nothing but the socket stands between two clocks.
    """

    def __init__(self, path: Path) -> None:
        self.inputs: list[dict[str, Any]] = []
        """Arguments of every input-send-event."""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._client: socket.socket | None = None
        self._reader = MessageReader()
        self._wake, self._waker = os.pipe()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Serve in a thread."""
        self._thread = threading.Thread(target=self._run, name="QEMU's monitor")
        self._thread.start()

    def pause(self) -> None:
        """End the thread."""
        if self._thread is not None:
            os.write(self._waker, b"x")
            self._thread.join()
            os.read(self._wake, 1)
            self._thread = None

    def receive(self) -> None:
        """Wait for something and answer it; the thread is paused."""
        sockets = [self._listener] if self._client is None else [self._client]
        ready, _, _ = select.select(sockets, [], [], PATIENCE)
        assert ready, "nothing comes from qxld"
        self._serve(sockets[0])

    def send_event(self, name: str, data: dict[str, Any] | None = None) -> None:
        """Emit an event as QEMU writes it, with the data of RESET if there is none."""
        assert self._client is not None
        stamp = {"seconds": 1, "microseconds": 0}
        data = data or {"guest": True, "reason": "guest-reset"}
        self._client.sendall(_line({"timestamp": stamp, "event": name, "data": data}))

    def hang_up(self) -> None:
        """Close the connection; the next one is welcome."""
        self.pause()
        self._forget_client()
        self.start()

    def close(self) -> None:
        """End, as with QEMU."""
        self.pause()
        for sock in (self._client, self._listener):
            if sock is not None:
                sock.close()
        os.close(self._wake)
        os.close(self._waker)

    def _run(self) -> None:
        while True:
            sock = self._listener if self._client is None else self._client
            ready, _, _ = select.select([self._wake, sock.fileno()], [], [])
            if self._wake in ready:
                return
            self._serve(sock)

    def _serve(self, sock: socket.socket) -> None:
        if sock is self._listener:
            self._client, _address = sock.accept()
            self._client.sendall(GREETING)
            return
        data = b""
        with contextlib.suppress(ConnectionError):
            data = sock.recv(1 << 20)
        if not data:
            self._forget_client()
            return
        for message in self._reader.feed(data):
            # A client may go before its answer.
            with contextlib.suppress(ConnectionError):
                sock.sendall(_line(self._answer(message)))

    def _forget_client(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client, self._reader = None, MessageReader()

    def _answer(self, message: Message | JsonError) -> dict[str, Any]:
        command = message.value if isinstance(message, Message) else None
        if not isinstance(command, dict) or not isinstance(command.get("execute"), str):
            error = {"class": "GenericError", "desc": "QMP input is wrong"}
            return {"error": error}
        name = command["execute"]
        if name == "input-send-event":
            arguments = command["arguments"]
            assert isinstance(arguments, dict)
            self.inputs.append(arguments)
        answer: dict[str, Any] = {"return": MICE if name == "query-mice" else {}}
        return answer | ({"id": command["id"]} if "id" in command else {})


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\r\n"


class QxldServe(Qxld):
    """The process."""

    def __init__(
        self, folder: Path, *options: object, program: Sequence[str] = QXLD
    ) -> None:
        """Start it and wait until it listens."""
        self.port = free_port()
        self.monitor_path = folder / "monitor.sock"
        super().__init__(
            folder, "serve", "--runtime-dir", folder, "--monitor", self.monitor_path,
            "--qmp", folder / "qmp.sock", "--port", self.port, *options,
            program=program,
        )  # fmt: skip
        self.wait_up()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self.process.pid

    def status(self, name: str) -> int:
        """Return a figure of /proc/PID/status: KiB, or a count."""
        text = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        line = next(line for line in text.splitlines() if line.startswith(f"{name}:"))
        return int(line.split()[1])

    def descriptors(self) -> int:
        """Count open file descriptors."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def cpu_ns(self) -> int:
        """Nanoseconds of CPU time of all threads."""
        # clock_getcpuclockid(3): the clock of a process is made from its id.
        return time.clock_gettime_ns(~self.pid << 3 | 2)

    def faults(self) -> list[str]:
        """Lines of the log that tell of a fault of ours."""
        words = ("Traceback", " error ", " critical ", "Warning:", "Exception ignored")
        return [line for line in self.log.splitlines() if any(w in line for w in words)]


class PlayedVm:
    """All of it together; a context manager."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        ticketing: bool = False,
        program: Sequence[str] = QXLD,
    ) -> None:
        """Start qxld with *options* and let a QEMU come; the guest is not set up."""
        self.password = "ticket" if ticketing else ""
        if ticketing:
            ticket = folder / "ticket"
            ticket.write_text(self.password)
            options = ("--password-file", str(ticket), *options)
        else:
            options = ("--disable-ticketing", *options)
        self.monitor = PlayedMonitor(folder / "qmp.sock")
        # Pictures that tests' own painter can read.
        options = ("--multi-client", "--image-compression", "off", *options)
        self.qxld = QxldServe(folder, *options, program=program)
        self.monitor.start()
        self.qxld.until("qxld's monitor", self.qxld.monitor_path.exists)
        self.qemu = FakeQemu(folder / "ivshmem.sock").realize()
        self.qemu.read_vectors(DISPLAY_VECTORS)
        self.port = self.qemu.port(self._wait_done)
        self.guest = FakeGuest(self.port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def flush(self) -> None:
        """Wait until everything is drawn (QXL_IO_UPDATE_AREA)."""
        start = QXLRam.offset("update_area")
        area = QXLRect(0, 0, 1, 1).pack()
        self.guest.ram_header[start : start + len(area)] = area
        assert self.guest.outb(QxlIo.UPDATE_AREA)

    def client(self) -> BlockingClient:
        """Connect a client."""
        return BlockingClient(self.qxld.port, self.password)

    def close(self) -> None:
        """End all; qxld first."""
        try:
            if self.qxld.process.poll() is None:
                self.qxld.stop()
        finally:
            self.qxld.__exit__()
            self.qemu.close()
            self.monitor.close()

    def _wait_done(self) -> None:
        """Let the host work while an I/O request is unfinished."""
        if self.qxld.process.poll() is not None:
            raise AssertionError("qxld is gone")
        time.sleep(20e-6)
