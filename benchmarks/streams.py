"""``python -m benchmarks.streams``: recorded desktops, qxld beside libspice-server.

Every stream is played to either server with the same client, one after the other.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from benchmarks import qxld_replay, spice_server
from benchmarks.figures import ROOT, Run
from benchmarks.stream_figures import Load, StreamFigures, StreamRow
from benchmarks.stream_table import markdown, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["MODES", "add_options", "loads", "measure", "missed", "missing"]

CORPUS = ROOT.parent / "shared" / "corpus" / "qxl"
MODES = ("off", "quic", "lz", "glz", "lz4", "auto_lz", "auto_glz")
NOBODY = "none"
"""As a mode: no client looks on."""
QUICK = ("image-ums", "desk-ums")


def missing() -> str | None:
    """Say why no stream can be played here, if so."""
    if not CORPUS.is_dir():
        return "the recorded streams are not on this machine"
    return spice_server.missing()


def _streams() -> list[Path]:
    """Return the recorded streams, small ones first."""
    return sorted(CORPUS.glob("*.qxlrec.zst"), key=lambda path: path.stat().st_size)


def loads(options: argparse.Namespace) -> Iterator[Load]:
    """Yield what *options* ask for."""
    wanted = options.streams
    for path in _streams():
        name = path.name.partition(".")[0]
        if wanted and name not in wanted:
            continue
        if options.quick and not wanted and name not in QUICK:
            continue
        for pace in options.pace:
            for mode in options.modes:
                chosen = None if mode == NOBODY else mode
                yield Load(path, chosen, pace, options.sink)


def _median(
    play: Callable[[Load], StreamFigures], load: Load, runs: int
) -> StreamFigures:
    """Play a load *runs* times; return the run whose CPU time is in the middle."""
    done = sorted((play(load) for _ in range(runs)), key=lambda figures: figures.cpu_s)
    return done[len(done) // 2]


def _play(
    load: Load, peer: spice_server.SpiceServer, runs: int, sides: str
) -> StreamRow:
    row = StreamRow(load.stream, load.mode, load.pace)
    try:
        if sides != "ours":
            row.theirs = _median(peer.replay, load, runs)
        if sides != "theirs":
            row.ours = _median(lambda load: qxld_replay.replay(load, peer), load, runs)
    except (AssertionError, subprocess.SubprocessError) as error:
        row.fault = str(error).strip().rpartition("\n")[2] or repr(error)
    row.judge()
    return row


def measure(run: Run, options: argparse.Namespace) -> None:
    """Play what *options* ask for and keep it in *run*."""
    reason = missing()
    if reason:
        run.skip("recorded streams", reason)
        return
    peer = spice_server.SpiceServer()
    console = Console(width=None if sys.stdout.isatty() else 200)
    for load in loads(options):
        with console.status(f"{load.stream}, {load.mode or 'no client'}"):
            row = _play(load, peer, options.runs, options.sides)
        run.streams.append(row)
        sides = f"{_said(row.ours)} / {_said(row.theirs)}"
        console.print(f"{load.stream:<14}{load.mode or NOBODY:<10}{sides}  {row.fault}")
    console.print(table(run.streams))


def _said(figures: StreamFigures | None) -> str:
    if figures is None:
        return "-"
    sent = f", {figures.counted.bytes / 1e6:.2f} MB" if figures.counted else ""
    return f"{figures.cpu_s:.2f} s{sent}"


def missed(run: Run) -> bool:
    """Whether a stream failed, or cost more than it may."""
    return any(row.missed or row.fault for row in run.streams)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Let *parser* know which streams there are and how they can be played."""
    names = [path.name.partition(".")[0] for path in _streams()]
    group = parser.add_argument_group("recorded streams")
    group.add_argument("--streams", nargs="+", choices=names, help="only these")
    group.add_argument(
        "--modes",
        nargs="+",
        choices=(*MODES, NOBODY),
        default=(*MODES, NOBODY),
        help="only with these image compressions; none: without a client",
    )
    group.add_argument(
        "--pace",
        nargs="+",
        type=lambda text: None if text == "max" else float(text),
        default=(None,),
        metavar="N|max",
        help="how many times faster than recorded (max: as fast as it is taken)",
    )
    group.add_argument(
        "--sink", default="", help="options of the client, as '--mbps 8 --rtt-ms 40'"
    )
    group.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write the table to this, too"
    )
    group.add_argument("--runs", type=int, default=1, help="the median of so many runs")
    group.add_argument(
        "--sides", choices=("both", "ours", "theirs"), default="both", help="whom"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.streams",
        description="Play recorded desktops to qxld and to libspice-server.",
        epilog="Exit codes: 0 every budget is kept, 1 some are not.",
    )
    parser.add_argument("--quick", action="store_true", help="small streams only")
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="where to keep the figures (benchmarks/results/DATE-streams.json)",
    )
    add_options(parser)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code."""
    options = _parser().parse_args(arguments)
    run = Run(quick=options.quick)
    measure(run, options)
    path = options.json
    if path is None and not options.quick:
        path = ROOT / "benchmarks" / "results" / f"{run.date[:10]}-streams.json"
    if path is not None:
        run.save(path)
        print(f"kept in {path}")
    if options.markdown is not None:
        options.markdown.write_text(markdown(run.streams), encoding="utf-8")
    return 1 if missed(run) else 0


if __name__ == "__main__":
    sys.exit(main())
