"""The `qxld` program, started as its user would start it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0
"""Seconds that end a hang; nothing is expected to take so long."""
QXLD = (sys.executable, "-X", "dev", "-m", "qxld")
"""For those that serve; on a slow host asyncio's debug mode says so in the log."""
PLAIN = (sys.executable, "-m", "qxld")
ENVIRONMENT = {"PYTHONWARNINGS": "error"}

NO_RIGHTS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
"""Before a command: root that may no more than others, except that files are its own."""


def qxld(
    *arguments: object, prefix: Sequence[str] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself; its output is what there is in order."""
    return subprocess.run(
        [*prefix, *PLAIN, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
        env=os.environ | ENVIRONMENT | environment,
    )


class Qxld:
    """A `qxld run`, `serve` or `attach`; a context manager."""

    def __init__(
        self,
        folder: Path,
        command: str,
        *arguments: object,
        new_session: bool = False,
        program: Sequence[str] = QXLD,
    ) -> None:
        """Start it with *folder* as the place of its log and its state file."""
        self.state_path = folder / "qxld-state.json"
        self.log_path = folder / "qxld.log"
        words = [*program, command, "--state", self.state_path, *arguments]
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                list(map(str, words)),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | ENVIRONMENT,
                start_new_session=new_session,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=30)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def log(self) -> str:
        """What it said so far."""
        return self.log_path.read_text(errors="replace")

    def descriptors(self) -> int:
        """Count open file descriptors."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def until(self, what: str, probe: Any) -> None:
        """Wait until *probe* gives something true; it must live so long."""
        end = time.monotonic() + PATIENCE
        while not probe():
            ended = self.process.poll() is not None
            if ended or time.monotonic() > end:
                raise AssertionError(f"never: {what}\n{self.log[-3000:]}")
            time.sleep(0.02)

    def wait_up(self) -> dict[str, Any]:
        """Wait until clients can connect; its state file."""
        told: dict[str, Any] = {}

        def is_up() -> bool:
            with contextlib.suppress(FileNotFoundError):
                told.update(json.loads(self.state_path.read_text()))
            return told.get("pid") == self.process.pid

        self.until("qxld is up", is_up)
        return told

    def wait_said(self, text: str, times: int = 1) -> None:
        """Wait until it has said *text* so often."""
        self.until(f"{text!r} is said", lambda: self.log.count(text) >= times)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for its end; its exit code."""
        return self.process.wait(timeout=PATIENCE)

    def stop(self) -> int:
        """End it the way an operator would; its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()
