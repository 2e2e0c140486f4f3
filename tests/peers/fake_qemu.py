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
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from spice_protocol.qxl_dev import QxlIo, QXLRam, QXLRect
from tests.fakes.fake_guest import FakeGuest
from tests.fakes.fake_qemu import FakeQemu
from tests.fakes.qmp_server import GREETING
from tests.peers.blocking_client import BlockingClient
from tests.peers.programs import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["PlayedMonitor", "PlayedVm", "QxldServe"]

ROOT = Path(__file__).resolve().parents[2]
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
        self._buffer = b""
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

    def send_event(self, name: str) -> None:
        """Emit an event of QEMU."""
        assert self._client is not None
        stamp = {"seconds": 1, "microseconds": 0}
        self._client.sendall(_line({"event": name, "timestamp": stamp}))

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
            sock.close()
            self._client, self._buffer = None, b""
            return
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in filter(bytes.strip, lines):
            # A client may go before its answer.
            with contextlib.suppress(ConnectionError):
                sock.sendall(_line(self._answer(line)))

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            command = json.loads(line)
            name = command["execute"]
        except (ValueError, TypeError, KeyError):
            error = {"class": "GenericError", "desc": "QMP input is wrong"}
            return {"error": error}
        if name == "input-send-event":
            self.inputs.append(command["arguments"])
        answer: dict[str, Any] = {"return": MICE if name == "query-mice" else {}}
        return answer | ({"id": command["id"]} if "id" in command else {})


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\r\n"


class QxldServe:
    """The process."""

    def __init__(
        self, folder: Path, *options: str, python: Sequence[str] = ("-X", "dev")
    ) -> None:
        self.folder = folder
        self.log = folder / "qxld.log"
        self.port = free_port()
        self.monitor_path = folder / "monitor.sock"
        state = folder / "state.json"
        command = [
            sys.executable, *python, "-m", "qxld", "serve", "--runtime-dir", str(folder),
            "--monitor", str(self.monitor_path), "--qmp", str(folder / "qmp.sock"),
            "--state", str(state), "--port", str(self.port), *options,
        ]  # fmt: skip
        environment = os.environ | {"PYTHONWARNINGS": "error"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
            )
        self.wait("qxld listens", state.exists)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self.process.pid

    def wait(self, what: str, probe: Callable[[], object]) -> None:
        """Look until *probe* returns something true, while the process lives."""
        end = time.monotonic() + PATIENCE
        while not probe():
            if self.process.poll() is not None or time.monotonic() > end:
                tail = self.log.read_text(errors="replace")[-2000:]
                raise AssertionError(f"{what}: never\n{tail}")
            time.sleep(0.01)

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
        text = self.log.read_text(errors="replace")
        words = ("Traceback", " error ", " critical ", "Warning:", "Exception ignored")
        return [line for line in text.splitlines() if any(w in line for w in words)]

    def stop(self) -> int:
        """End it the way an operator would; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=PATIENCE)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
            raise AssertionError("qxld did not end on SIGTERM")
        return self.process.returncode


class PlayedVm:
    """All of it together; a context manager."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        ticketing: bool = False,
        python: Sequence[str] = ("-X", "dev"),
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
        self.qxld = QxldServe(folder, "--multi-client", *options, python=python)
        self.monitor.start()
        self.qxld.wait("qxld's monitor", self.qxld.monitor_path.exists)
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
            self.qxld.stop()
        finally:
            self.qemu.close()
            self.monitor.close()

    def _wait_done(self) -> None:
        """Let the host work while an I/O request is unfinished."""
        if self.qxld.process.poll() is not None:
            raise AssertionError("qxld is gone")
        time.sleep(20e-6)
