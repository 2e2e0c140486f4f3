"""The streams' figures as tables: for a terminal, and for docs/performance.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from benchmarks.stream_figures import BUDGETS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.stream_figures import Budget, StreamFigures, StreamRow

__all__ = ["markdown", "table"]

_FIGURES: tuple[tuple[str, Callable[[StreamFigures], float | None], str], ...] = (
    ("CPU s", lambda figures: figures.cpu_s, ".2f"),
    ("worker CPU s", lambda figures: figures.worker_cpu_s, ".2f"),
    ("wall s", lambda figures: figures.wall_s, ".2f"),
    ("peak MiB", lambda figures: figures.rss_mib, ".0f"),
    ("MB sent", lambda f: f.counted.bytes / 1e6 if f.counted else None, ".2f"),
    ("messages", lambda f: f.counted.messages if f.counted else None, ",.0f"),
)
HEADER = (
    "stream",
    "compression",
    *(name for name, _, _ in _FIGURES),
    "CPU ratio",
    "bytes ratio",
    "memory ratio",
    "budgets",
)


def _pair(
    row: StreamRow, of: Callable[[StreamFigures], float | None], form: str
) -> str:
    """Return one figure of both sides: "ours / theirs"."""

    def show(figures: StreamFigures | None) -> str:
        value = of(figures) if figures else None
        return "-" if value is None else format(value, form)

    sides = [show(row.ours), show(row.theirs)]
    return "-" if sides == ["-", "-"] else " / ".join(sides)


def _ratio(row: StreamRow, budget: Budget) -> str:
    ratio = row.ratio(budget)
    if ratio is None:
        return "-"
    goal = budget.goal(row.stream, row.mode)
    return f"{ratio:.2f}" + (" *" if goal is not None and ratio <= goal else "")


def _mode(row: StreamRow) -> str:
    mode = row.mode or "no client"
    return mode if row.pace is None else f"{mode}, pace {row.pace:g}"


def _verdict(row: StreamRow) -> str:
    if row.fault:
        return row.fault
    if row.ours is None or row.theirs is None:
        return "-"
    return "missed: " + ", ".join(row.missed) if row.missed else "met"


def cells(row: StreamRow) -> list[str]:
    """Return a row's text, in the order of ``HEADER``."""
    figures = [_pair(row, of, form) for _, of, form in _FIGURES]
    ratios = [_ratio(row, budget) for budget in BUDGETS]
    return [row.stream, _mode(row), *figures, *ratios, _verdict(row)]


def table(rows: Sequence[StreamRow]) -> Table:
    """Return what a terminal shows."""
    result = Table(
        title="qxld / libspice-server", caption="*: the goal is reached, too"
    )
    for number, name in enumerate(HEADER):
        result.add_column(name, justify="left" if number < 2 else "right")
    for row in rows:
        style = "red" if row.fault or row.missed else None
        result.add_row(*cells(row), style=style)
    return result


def markdown(rows: Sequence[StreamRow]) -> str:
    """Return the same as Markdown."""
    lines = ["| " + " | ".join(HEADER) + " |", "|---" * len(HEADER) + "|"]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"
