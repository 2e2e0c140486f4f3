"""libspice-server playing a recorded stream: a program of ours on its public interface.

It is compiled when it is first wanted.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import IO, Self

from tests.peers.programs import free_port

__all__ = ["SpiceServerReplay", "missing", "open_stream"]

ROOT = Path(__file__).resolve().parents[2]
SOURCE = Path(__file__).with_suffix(".c")
PROGRAM = ROOT / "build" / "peers" / "spice_server_replay"
PACKAGES = ("spice-server", "glib-2.0")


def missing() -> str | None:
    """Why libspice-server cannot be the judge here, if so."""
    for program in ("gcc", "pkg-config", "zstd"):
        if not shutil.which(program):
            return f"{program} is not installed"
    for package in PACKAGES:
        found = subprocess.run(["pkg-config", "--exists", package], check=False)
        if found.returncode:
            return f"the development files of {package} are not installed"
    return None


def build() -> Path:
    """Compile the program, unless it is there."""
    if PROGRAM.exists() and PROGRAM.stat().st_mtime > SOURCE.stat().st_mtime:
        return PROGRAM
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", *PACKAGES],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    # Several tests may want it at once.
    unfinished = PROGRAM.with_suffix(f".{free_port()}")
    warnings = ["-Wall", "-Wextra", "-Werror"]
    subprocess.run(
        ["gcc", "-O2", *warnings, "-o", unfinished, SOURCE, *flags], check=True
    )
    return unfinished.rename(PROGRAM)


def open_stream(path: Path) -> tuple[IO[bytes], subprocess.Popen[bytes] | None]:
    """Open a recorded stream, which may be gigabytes once it is decompressed."""
    if path.suffix != ".zst":
        return path.open("rb"), None
    reader = subprocess.Popen(
        ["zstd", "-dcq", "--long=31", path], stdout=subprocess.PIPE
    )
    assert reader.stdout
    return reader.stdout, reader


class SpiceServerReplay:
    """The program at work; a context manager."""

    def __init__(self, stream: Path, mode: str, clients: int = 1) -> None:
        """Start it; it plays *stream* once *clients* are there.

        Clients may be several at once, which libspice-server only allows for tests.
        """
        self.port = free_port()
        source, self._reader = open_stream(stream)
        with source:
            self.process = subprocess.Popen(
                [build(), "-", str(self.port), mode, str(clients)],
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=os.environ | {"SPICE_DEBUG_ALLOW_MC": "1"},
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self.process, self._reader):
            if process is not None:
                process.kill()
                process.wait()
        assert self.process.stdout
        self.process.stdout.close()

    def _line(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline().strip()
        assert line, "libspice-server ended"
        return line

    def wait_up(self) -> None:
        """Wait until clients can connect."""
        assert self._line() == "ready"

    def wait_played(self) -> int:
        """Wait until the last command is taken; how many there were."""
        said, count = self._line().split()
        assert said == "played"
        return int(count)
