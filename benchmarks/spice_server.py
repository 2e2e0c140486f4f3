"""libspice-server under the same load, if its benchmark and its library are here.

The peer's benchmark is a C program that links libspice-server and hands it the same
commands through its public interface; its client, also C, serves both sides.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.stream_figures import Counted, StreamFigures
from tests.peers.programs import free_port

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.stream_figures import Load

__all__ = ["QUOTED", "PeerSink", "SpiceServer", "missing"]

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT.parent / "shared" / "tools" / "peer"
BUILD = ROOT / "build" / "bench"
PATIENCE = 900.0
"""Seconds that end a hang; nothing is expected to take so long."""

QUOTED = {
    ("fill", False): 15.1,
    ("fill", True): 17.8,
    ("copy", False): 16.9,
    ("copy", True): 19.9,
    ("glyph", False): 9.4,
    ("glyph", True): 13.2,
}
"""CPU microseconds per command of libspice-server 0.16.0's worker, without compression,
by kind and whether a client looks on: measured earlier, on a machine of the same kind."""


def missing() -> str | None:
    """Say why the peer cannot be measured here, if so."""
    if not TOOLS.is_dir():
        return "its benchmark program is not on this machine"
    if not shutil.which("gcc"):
        return "gcc is not installed"
    for package in ("spice-server", "glib-2.0", "libcrypto"):
        found = subprocess.run(["pkg-config", "--exists", package], check=False)
        if found.returncode:
            return f"the development files of {package} are not installed"
    return None


def _build(name: str, *packages: str) -> Path:
    source, program = TOOLS / f"{name}.c", BUILD / name
    if program.exists() and program.stat().st_mtime > source.stat().st_mtime:
        return program
    BUILD.mkdir(parents=True, exist_ok=True)
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", *packages],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    subprocess.run(
        ["gcc", "-O2", "-w", "-o", program, source, *flags, "-lpthread"], check=True
    )
    return program


@dataclass(slots=True)
class PeerFigures:
    """What libspice-server made of a load."""

    wall_s: float
    cpu_us: float
    """Of its worker thread, per command."""


class SpiceServer:
    """The peer, built from source when the object is made."""

    def __init__(self) -> None:
        self.version = subprocess.run(
            ["pkg-config", "--modversion", "spice-server"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        self._bench = _build("qxlbench", "spice-server", "glib-2.0")
        self._sink = _build("spsink", "libcrypto")

    def take_in(self, kind: str, count: int, *, client: bool) -> PeerFigures:
        """Feed it *count* commands of *kind*, uncompressed."""
        # It listens also when nobody is to come.
        who = ["--sinkbin", str(self._sink)] if client else ["--no-client"]
        done = subprocess.run(
            [
                self._bench, "--synth", kind, "--count", str(count), "--comp", "off",
                "--port", str(free_port()), *who,
            ],
            cwd=BUILD,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=PATIENCE,
            check=True,
        )  # fmt: skip
        told: dict[str, Any] = json.loads(done.stdout)
        assert not client or told["sink"]["display_msgs"] >= count
        return PeerFigures(told["feed_s"], told["worker_cpu"] * 1e6 / count)

    def replay(self, load: Load) -> StreamFigures:
        """Play a recorded stream into it.

        Raises:
            subprocess.CalledProcessError: it did not come to the end.

        """
        who = ["--sinkbin", str(self._sink), "--sink", load.sink]
        if load.mode is None:
            who = ["--no-client"]
        pace = []
        if load.pace is not None:
            pace = ["--ts", str(_timestamps(load.path)), "--pace", f"{load.pace:g}"]
        done = subprocess.run(
            [
                self._bench, "--file", str(load.path), "--video", "off",
                "--comp", load.mode or "off", "--port", str(free_port()), *pace, *who,
            ],
            cwd=BUILD,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=PATIENCE,
            check=True,
        )  # fmt: skip
        told: dict[str, Any] = json.loads(done.stdout)
        return StreamFigures(
            commands=told["cmds"],
            # Its other threads have nothing to do once the client is linked.
            cpu_s=told["worker_cpu"],
            worker_cpu_s=told["worker_cpu"],
            linked_cpu_s=told["proc_cpu"] - told["feeder_cpu"],
            wall_s=told["feed_s"],
            rss_mib=told["maxrss_mb"],
            counted=Counted.read(told["sink"]) if told["sink"] else None,
        )

    def sink(self, port: int, options: str = "") -> PeerSink:
        """Connect its client to a server of ours."""
        command = [str(self._sink), "--tcp", "127.0.0.1", str(port), *options.split()]
        return PeerSink(command)


def _timestamps(stream: Path) -> Path:
    """Return when each command of *stream* was recorded, as the peer wants it."""
    path = BUILD / f"{stream.name}.times"
    if not path.exists():
        unfinished = path.with_suffix(".part")
        reader = [sys.executable, str(TOOLS / "qxlrec.py"), "ts"]
        subprocess.run([*reader, str(stream), str(unfinished)], check=True)
        unfinished.rename(path)
    return path


class PeerSink:
    """The peer's client beside qxld; it tells its counts once, at its end."""

    name = "the peer's client"

    def __init__(self, command: Sequence[str]) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._told = Path(self._folder.name) / "sink.json"
        self._process = subprocess.Popen([*command, "--out", str(self._told)])

    def finish(self) -> int:
        """Let it wait for the last message; how many there were."""
        return self.count().messages

    def stop(self) -> None:
        """End it; what it got is of no interest."""
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()

    def count(self) -> Counted:
        """Let it wait for the last message; what it got."""
        self._process.send_signal(signal.SIGUSR1)
        assert self._process.wait(PATIENCE) == 0
        told: dict[str, Any] = json.loads(self._told.read_text(encoding="ascii"))
        self._folder.cleanup()
        return Counted.read(told)
