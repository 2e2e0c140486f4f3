"""What a run measured: a table for people, JSON for the archive."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.stream_figures import StreamRow

__all__ = ["Figure", "Run", "percentile"]

ROOT = Path(__file__).resolve().parents[1]
_SCHEDULERS = {
    os.SCHED_OTHER: "SCHED_OTHER",
    os.SCHED_FIFO: "SCHED_FIFO",
    os.SCHED_RR: "SCHED_RR",
}


@dataclass(slots=True)
class Figure:
    """One number."""

    what: str
    statistic: str
    value: float
    unit: str
    budget: float | None = None
    """What it must not exceed (DESIGN's budgets); ``None``: there is none."""

    @property
    def verdict(self) -> str:
        """Say whether the budget is kept."""
        if self.budget is None:
            return ""
        word = "within" if self.value <= self.budget else "EXCEEDS"
        return f"{word} {self.budget:g} {self.unit}"


def percentile(ordered: Sequence[float], percent: int) -> float:
    """Return the value that *percent* of the *ordered* ones do not exceed."""
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def _row(figure: Figure) -> str:
    value = f"{figure.value:,.3f}" if figure.value < 100 else f"{figure.value:,.0f}"
    row = f"{figure.what:<44} {figure.statistic:<22} {value:>12} {figure.unit:<4}"
    return f"{row} {figure.verdict}".rstrip()


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude", "*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def _machine() -> dict[str, str | int | float]:
    """Say what kind of machine this is; nothing that tells which one."""
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text(encoding="ascii").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "cpus": os.cpu_count() or 0,
        "cpu": model,
        "memory_gib": round(pages * size / (1 << 30)),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
        "scheduler": _SCHEDULERS.get(os.sched_getscheduler(0), "unknown"),
    }


@dataclass(slots=True)
class Run:
    """All figures of one run, and why some are missing."""

    quick: bool
    date: str = field(
        default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds")
    )
    commit: str = field(default_factory=_commit)
    machine: dict[str, str | int | float] = field(default_factory=_machine)
    figures: list[Figure] = field(default_factory=list)
    streams: list[StreamRow] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    def add(self, figures: Sequence[Figure]) -> None:
        """Keep *figures* and show them."""
        self.figures += figures
        for figure in figures:
            print(_row(figure), flush=True)

    def skip(self, what: str, why: str) -> None:
        """Note what could not be measured."""
        self.skipped[what] = why
        print(f"{what}: skipped, {why}", flush=True)

    def exceeded(self) -> list[Figure]:
        """Figures that do not keep their budget."""
        return [f for f in self.figures if f.budget and f.value > f.budget]

    def table(self) -> str:
        """Return all figures as text."""
        lines = [_row(figure) for figure in self.figures]
        lines += [f"{what}: skipped, {why}" for what, why in self.skipped.items()]
        return "\n".join(lines)

    def save(self, path: Path) -> None:
        """Write JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(dataclasses.asdict(self), indent=1)
        path.write_text(text + "\n", encoding="utf-8")
