"""`qxld replay`, started as its user would start it, for clients to look at."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.peers.programs import free_port
from tests.peers.qxld_process import ENVIRONMENT, PLAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["QxldReplay"]

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 900.0
"""Seconds that end a hang; nothing is expected to take so long."""


class QxldReplay:
    """A `qxld replay`; a context manager."""

    def __init__(
        self,
        stream: Path,
        mode: str,
        *arguments: object,
        clients: int = 1,
        program: Sequence[str] = PLAIN,
    ) -> None:
        """Start it; it plays *stream* once *clients* are there."""
        self.port = free_port()
        words = [
            *program, "replay", stream, "--port", self.port, "--json", "--multi-client",
            "--image-compression", mode, "--wait-clients", clients, *arguments,
        ]  # fmt: skip
        self.process = subprocess.Popen(
            list(map(str, words)),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | ENVIRONMENT,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate()

    def wait_up(self) -> None:
        """Wait until clients can connect."""
        assert self.process.stdout
        if not self.process.stdout.readline().startswith("SPICE: "):
            raise AssertionError(self.process.communicate()[1][-3000:])

    def finish(self) -> dict[str, Any]:
        """Wait for its end; what it told about itself."""
        out, err = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0, f"{out[-1000:]}{err[-3000:]}"
        told: dict[str, Any] = json.loads(out.splitlines()[-1])
        return told
