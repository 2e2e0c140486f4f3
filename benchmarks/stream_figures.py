"""What playing a recorded stream costs a server, and what it may cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BUDGETS", "Budget", "Counted", "Load", "StreamFigures", "StreamRow"]


@dataclass(slots=True)
class Load:
    """A stream, how fast it is played, and who looks on."""

    path: Path
    mode: str | None
    """Image compression, as ``--image-compression`` names it; ``None``: no client."""
    pace: float | None = None
    """How many times faster than recorded; ``None``: as fast as it is taken."""
    sink: str = ""
    """Options of the client."""

    @property
    def stream(self) -> str:
        """The stream's name."""
        return self.path.name.partition(".")[0]


@dataclass(slots=True)
class Counted:
    """What a client got on its display channel."""

    bytes: int
    messages: int
    images: dict[str, int]
    """How many, by ``SPICE_IMAGE_TYPE_*``."""

    @classmethod
    def read(cls, told: dict[str, Any]) -> Counted:
        """Read what the peer's client wrote."""
        images = {name: figures[0] for name, figures in told["images"].items()}
        return cls(told["display_bytes"], told["display_msgs"], images)


@dataclass(slots=True)
class StreamFigures:
    """What one server made of a load."""

    commands: int
    cpu_s: float
    """Of all threads but the file's reader, from the first command on."""
    worker_cpu_s: float
    """Of that: of the display's worker thread."""
    wall_s: float
    """Until the last command was taken."""
    rss_mib: float
    """The most that was ever resident, memory that is the guest's included."""
    linked_cpu_s: float | None = None
    """As ``cpu_s``, but from the process's start on, links included."""
    counted: Counted | None = None
    """What the client got; ``None``: there was none."""


@dataclass(slots=True)
class StreamRow:
    """A load, and what it came to on either side."""

    stream: str
    mode: str | None
    pace: float | None
    ours: StreamFigures | None = None
    theirs: StreamFigures | None = None
    fault: str = ""
    """Why a side is missing, if it should not be."""
    missed: list[str] = field(default_factory=list)
    """Budgets that are not kept."""

    def ratio(self, budget: Budget) -> float | None:
        """Return ours divided by theirs; ``None``: there is nothing to divide."""
        if self.ours is None or self.theirs is None:
            return None
        ours, theirs = budget.of(self.ours), budget.of(self.theirs)
        return ours / theirs if ours is not None and theirs else None

    def judge(self) -> None:
        """Note which budgets are not kept."""
        self.missed = [b.name for b in BUDGETS if (self.ratio(b) or 0) > b.limit]


@dataclass(frozen=True, slots=True)
class Budget:
    """How a figure of ours must compare with theirs."""

    name: str
    limit: float
    """The most that ours may be, as a multiple of theirs."""

    def of(self, figures: StreamFigures) -> float | None:
        """Return the figure this is about."""
        if self.name == "CPU":
            return figures.cpu_s
        if self.name == "memory":
            return figures.rss_mib
        return figures.counted.bytes if figures.counted else None

    def goal(self, stream: str, mode: str | None) -> float | None:
        """Return what the ratio should come to, where that is less than the limit."""
        if self.name == "CPU":
            return 0.5
        return GOALS.get(stream) if (self.name, mode) == ("bytes", "auto_glz") else None


CPU = Budget("CPU", 1.0)
BYTES = Budget("bytes", 1.02)
MEMORY = Budget("memory", 1.5)
BUDGETS = (CPU, BYTES, MEMORY)
GOALS = {
    "desk-ums": 0.8,
    "desk-umsrich": 0.8,
    "image-ums": 0.8,
    "desk-mset": 0.25,
    "console-kms": 0.25,
}
"""Of bytes, in ``auto_glz``, as multiples of libspice-server's."""
