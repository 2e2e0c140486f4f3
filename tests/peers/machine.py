"""A guest with qxld beside it, as an operator would start them, for tests."""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from tests.peers.programs import Picture

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "guest_drivers" / "images" / "build_image.py"
READY = b"QXLD-GUEST-READY"
PATIENCE = 300.0
"""Seconds that end a hang; a guest is up long before, also on a slow machine."""


def missing() -> str | None:
    """Why no guest can be started here, if so."""
    if not shutil.which("qemu-system-x86_64"):
        return "qemu-system-x86_64 is not installed"
    return None


def image(guest: str, *options: str) -> dict[str, Any]:
    """Return the recipe of a guest's image, built if need be.

    What only root can install or build is not a fault of ours.
    """
    done = subprocess.run(
        [sys.executable, str(IMAGES), guest, "--json", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and os.geteuid() != 0:
        pytest.skip(done.stderr.strip().rpartition("\n")[2])
    assert done.returncode == 0, done.stderr
    recipe: dict[str, Any] = json.loads(done.stdout)
    return recipe


class Monitor:
    """A plain QMP client."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(path))
        self.stream = self.socket.makefile("rwb")
        self.events: list[dict[str, Any]] = []
        self.greeting = json.loads(self.stream.readline())
        while "QMP" not in self.greeting:  # QEMU's own may be overtaken by RESUME
            self.events.append(self.greeting)
            self.greeting = json.loads(self.stream.readline())
        self.execute("qmp_capabilities")

    def execute(self, name: str, **arguments: object) -> Any:
        """Run a command; its result, or its error as a dict with ``class``."""
        command: dict[str, object] = {"execute": name}
        if arguments:
            command["arguments"] = arguments
        self.stream.write(json.dumps(command).encode() + b"\n")
        self.stream.flush()
        while True:
            answer = json.loads(self.stream.readline())
            if "event" in answer:
                self.events.append(answer)
            else:
                return answer.get("return", answer.get("error"))

    def close(self) -> None:
        """Hang up."""
        self.stream.close()
        self.socket.close()


class SerialShell:
    """A root shell on the guest's serial line."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.count = 0

    def run(self, command: str, patience: float = PATIENCE) -> str:
        """Run *command* in the guest; what it printed. It must succeed."""
        self.count += 1
        # The markers are put together by the shell, so the echo is not one of them.
        start, end = f"<<{self.count}", f"{self.count}>>"
        line = f"echo '<''<{self.count}'; {command}; echo \"$? {self.count}\"'>''>'\n"
        self.socket.sendall(line.encode())
        text = ""
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        limit = time.monotonic() + patience
        pattern = re.compile(
            rf"{re.escape(start)}\r*\n(.*?)(\d+) {re.escape(end)}", re.DOTALL
        )
        while not (found := pattern.search(text)):
            if not select.select([self.socket], [], [], limit - time.monotonic())[0]:
                raise AssertionError(f"no answer from the guest: {text[-500:]!r}")
            data = self.socket.recv(65536)
            assert data, "the guest's serial line is closed"
            text += decode(data)  # which may end in the middle of a character
        output = found[1].replace("\r", "")
        assert found[2] == "0", f"{command!r} failed in the guest: {output}"
        return output

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


def guest_picture(scratch: Path, shell: SerialShell) -> Picture:
    """Let the guest write its screen to its *scratch* disk, and read it there."""
    told = re.search(r"QXLD-FBDUMP (\d+) (\d+) (\d+) (\w+)", shell.run("fbdump"))
    assert told
    data = scratch.read_bytes()[: int(told[3])]
    assert hashlib.sha256(data).hexdigest() == told[4]
    return Picture.from_ppm(data)


class Machine:
    """`qxld run` with a guest; a context manager."""

    program: Sequence[str] = ("-m", "qxld")
    """What Python is to run."""

    def __init__(
        self,
        folder: Path,
        recipe: dict[str, Any],
        *options: str,
        qemu: Sequence[str] = (),
    ) -> None:
        """Start it; *options* are qxld's, *qemu* adds to the recipe's QEMU options."""
        self.folder = folder
        self.serial_log = folder / "serial.log"
        self.log = folder / "qxld.log"
        self.monitor_path = folder / "monitor.sock"
        self.serial_log.touch()
        self.scratch = folder / "scratch.img"
        with self.scratch.open("wb") as file:
            file.truncate(recipe["scratch_size"])
        scratch = [arg.format(file=self.scratch) for arg in recipe["scratch_args"]]
        serial = (
            f"socket,id=serial0,path={folder}/serial.sock,server=on,wait=off,"
            f"logfile={self.serial_log}"
        )
        command = [
            sys.executable, "-X", "dev", *self.program, "run", "--runtime-dir", str(folder),
            "--monitor", str(self.monitor_path), "--state", str(folder / "state.json"),
            *options, "--", "qemu-system-x86_64", "-accel", "tcg", *recipe["qemu_args"], *scratch, *qemu,
            "-chardev", serial, "-serial", "chardev:serial0",
        ]  # fmt: skip
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | {"PYTHONWARNINGS": "error"},
            )
        self.state: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait_listening(self) -> None:
        """Wait until clients can connect."""
        path = self.folder / "state.json"
        self._wait("qxld listens", path.exists)
        self.state = json.loads(path.read_text())

    def wait_ready(self) -> None:
        """Wait until the guest says that its screen is up."""
        self.wait_listening()
        self._wait("the guest is up", lambda: READY in self.serial_log.read_bytes())

    def _wait(self, what: str, probe: Any) -> None:
        end = time.monotonic() + PATIENCE
        while not probe():
            if self.process.poll() is not None or time.monotonic() > end:
                tail = self.log.read_text(errors="replace")[-2000:]
                raise AssertionError(f"{what}: never\n{tail}")
            time.sleep(0.05)

    def guest_picture(self, shell: SerialShell) -> Picture:
        """Return the screen as the guest itself holds it."""
        return guest_picture(self.scratch, shell)

    def shell(self) -> SerialShell:
        """Open the guest's serial shell."""
        return SerialShell(self.folder / "serial.sock")

    def monitor(self) -> Monitor:
        """Open a QMP session with qxld's monitor."""
        return Monitor(self.monitor_path)

    def errors(self) -> list[str]:
        """Lines of qxld's log that tell of a fault of ours."""
        text = self.log.read_text(errors="replace")
        return [
            line
            for line in text.splitlines()
            if "Traceback" in line or " error " in line or "Warning:" in line
        ]

    def stop(self) -> int:
        """End it the way an operator would; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=60)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
            raise AssertionError("qxld did not end on SIGTERM")
        return self.process.returncode
