"""Drive the real spice-gtk client library from a test."""

from __future__ import annotations

import contextlib
import json
import queue
import shutil
import subprocess
import threading
from pathlib import Path
from typing import IO, Any, Self

SCRIPT = Path(__file__).with_name("gtk_client_script.py")
PYTHON = "/usr/bin/python3"
PATIENCE = 120.0
"""Seconds that end a hang; nothing is expected to take so long."""


def missing() -> str | None:
    """Why the library cannot be used here, if it cannot."""
    if not shutil.which(PYTHON):
        return f"{PYTHON} is not there"
    probe = "import gi; gi.require_version('SpiceClientGLib', '2.0')"
    done = subprocess.run([PYTHON, "-c", probe], capture_output=True, check=False)
    return "gir1.2-spiceclientglib-2.0 is not installed" if done.returncode else None


class GtkClient:
    """One spice-gtk session in a process of its own."""

    script = SCRIPT

    def __init__(self, *, stderr: IO[str] | None = None, **options: object) -> None:
        """Connect; *options* are SpiceSession properties (host, port, password ...).

        What the library complains of goes to *stderr*.
        """
        plain = {key.replace("_", "-"): value for key, value in options.items()}
        self.process = subprocess.Popen(
            [PYTHON, str(self.script), json.dumps(plain)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr or subprocess.DEVNULL,
            text=True,
        )
        self.events: list[dict[str, Any]] = []
        self._queue: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.send("connect")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._queue.put(json.loads(line))
        self._queue.put(None)

    def send(self, *command: object) -> None:
        """Give a command and wait until it is done."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        self.wait("done", command=command[0])

    def wait(self, name: str, **details: object) -> dict[str, Any]:
        """Return the next event *name* that has *details*."""
        while True:
            event = self._queue.get(timeout=PATIENCE)
            if event is None:
                raise AssertionError(f"the client ended while {name} was awaited")
            self.events.append(event)
            if event["ev"] == name and all(
                event.get(key) == value for key, value in details.items()
            ):
                return event

    def seen(self, name: str, **details: object) -> bool:
        """Whether such an event came already, or comes first of all now."""
        with contextlib.suppress(queue.Empty):
            while event := self._queue.get_nowait():
                self.events.append(event)
        return any(
            event["ev"] == name
            and all(event.get(key) == value for key, value in details.items())
            for event in self.events
        )

    def wait_seen(self, name: str, **details: object) -> None:
        """Wait until such an event came, now or before: channels keep no order."""
        if not self.seen(name, **details):
            self.wait(name, **details)

    def wait_state(self, name: str, **details: object) -> None:
        """Wait until the last event *name* has *details*, as it may already."""
        self.seen(name)
        last = next((e for e in reversed(self.events) if e["ev"] == name), {})
        if not details.items() <= last.items():
            self.wait(name, **details)

    def wait_agent(self) -> None:
        """Wait until the guest's agent is there and has told what it can do."""
        while not self._announced():
            self.wait("agent", connected=True)

    def _announced(self) -> bool:
        """Whether the last agent is one of a guest's, and has announced itself.

        The library tells of an agent twice: when it connects, with what the one before
        it could do, and when it has announced itself.  A server that answers in place
        of an agent moves no pointer (VD_AGENT_CAP_MOUSE_STATE).
        """
        self.seen("agent")
        told = [event for event in self.events if event["ev"] == "agent"]
        connected = [event["connected"] for event in told[-2:]]
        return connected == [True, True] and bool(told[-1]["caps"] & 1)

    def wait_inputs(self) -> None:
        """Wait until keys and pointer are taken: before, spice-gtk drops them."""
        opened = {"channel": "inputs:0", "event": "opened"}
        if not self.seen("channel", **opened):
            self.wait("channel", **opened)

    def wait_picture(self) -> None:
        """Wait until display 0 is there and marked, unless it is already."""
        for name in ("primary", "mark"):
            if not self.seen(name, id=0):
                self.wait(name, id=0)

    def picture(self, folder: Path, number: int = 0) -> tuple[int, int, bytes]:
        """Width, height and BGRX pixels of a display; no surface: it is 0 x 0."""
        path = folder / "gtk-picture.raw"
        assert self.process.stdin
        self.process.stdin.write(json.dumps(["picture", str(path), number]) + "\n")
        self.process.stdin.flush()
        told = self.wait("picture")
        self.wait("done", command="picture")
        return told["width"], told["height"], path.read_bytes()

    def close(self) -> None:
        """End the session and the process."""
        assert self.process.stdin
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        if self.process.poll() is None:
            try:
                self.process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join()
        assert self.process.stdout
        self.process.stdout.close()


class GtkPortsClient(GtkClient):
    """A session with ports, USB devices and smart cards."""

    script = SCRIPT.with_name("gtk_ports_script.py")
