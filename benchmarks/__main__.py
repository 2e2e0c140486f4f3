"""``python -m benchmarks``: measure everything, print a table, keep JSON."""

from __future__ import annotations

import argparse
import contextlib
import math
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from benchmarks import codecs, spice_server, streams
from benchmarks.figures import ROOT, Figure, Run
from benchmarks.latency import control, doorbell_to_socket, key_to_monitor
from benchmarks.memory import idle_memory
from benchmarks.producer import KINDS, PLURAL
from benchmarks.sink import Sink
from benchmarks.stream_table import markdown
from benchmarks.throughput import PACE, take_in
from tests.peers.fake_qemu import PlayedVm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

QXLD = (sys.executable, "-m", "qxld")
LATENCIES = ("fill", "copy")


class Progress:
    """A line on a terminal that says how far a measurement is."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = 0.0

    def on(self, what: str, total: int) -> Callable[[int], None]:
        """Return what is to be told how much of *total* is done."""

        def show(done: int) -> None:
            now = time.monotonic()
            if self._stream.isatty() and now - self._shown > 0.2:
                self._shown = now
                self._stream.write(f"\r\x1b[K{what}: {done:,} of {total:,}")
                if done >= total:
                    self._stream.write("\r\x1b[K")
                self._stream.flush()

        return show


@contextlib.contextmanager
def _vm() -> Iterator[PlayedVm]:
    """Start qxld as an operator would, with a QEMU and a guest that are played."""
    with (
        tempfile.TemporaryDirectory(prefix="qxld-bench-") as folder,
        PlayedVm(Path(folder), program=QXLD) as vm,
    ):
        yield vm
        faults = vm.qxld.faults()
        assert not faults, faults


def measure(run: Run, samples: int, count: int, progress: Progress) -> None:
    """Measure qxld alone."""
    with _vm() as vm:
        run.add(idle_memory(vm))
    run.add(control(samples, progress.on("control", samples)))
    with _vm() as vm:
        for kind in LATENCIES:
            told = progress.on(f"latency of a {kind}", samples)
            run.add(doorbell_to_socket(vm, kind, samples, told))
        run.add(key_to_monitor(vm, samples, progress.on("latency of a key", samples)))
    for client, rate in ((None, math.inf), (Sink, math.inf), (Sink, PACE)):
        for kind in KINDS:
            with _vm() as vm:
                told = progress.on(f"taking in {PLURAL[kind]}", count)
                run.add(take_in(vm, kind, count, told, client, rate).figures())


def compare(run: Run, count: int, progress: Progress) -> None:
    """Measure qxld and libspice-server side by side, with the same client."""
    what = "side by side with libspice-server"
    reason = spice_server.missing()
    if reason:
        run.skip(what, reason)
        return
    peer = spice_server.SpiceServer()
    for kind in KINDS:
        for client in (None, peer.sink):
            theirs = peer.take_in(kind, count, client=client is not None)
            told = progress.on(f"{PLURAL[kind]} to qxld", count)
            # The peer holds its guest up for a client, qxld does not: with one, ours
            # draws as fast as the peer let its guest draw, and all messages are sent.
            with _vm() as vm:
                rate = count / theirs.wall_s if client else math.inf
                ours = take_in(vm, kind, count, told, client, rate)
            beside = "with a client" if client else "without a client"
            name = f"{PLURAL[kind]} {beside}, side by side"
            quoted = spice_server.QUOTED[kind, client is not None]
            run.add([
                Figure(name, "qxld CPU", ours.cpu_us, "us"),
                Figure(name, f"libspice {peer.version} CPU", theirs.cpu_us, "us"),
                Figure(name, "libspice / qxld CPU", theirs.cpu_us / ours.cpu_us, "x"),
                Figure(name, "libspice 0.16.0, quoted", quoted, "us"),
            ])  # fmt: skip
            if client:
                rate_figure = Figure(name, "commands per second, both", rate, "1/s")
                messages = Figure(name, "qxld messages per command", ours.messages, "")
                run.add([rate_figure, messages])


def measure_codecs(run: Run, seconds: float) -> None:
    """Measure the image codecs, each figure for *seconds*."""
    for pixels in codecs.images([]):
        for name, make in codecs.CODECS.items():
            codec = make(pixels)
            size, what = len(pixels.data), f"{name}, {pixels.name}"
            encode = size / 1e6 / codecs.fastest(codec.encode, seconds)
            decode = size / 1e6 / codecs.fastest(codec.decode, seconds)
            run.add([
                Figure(what, "ratio", size / codec.size, "x"),
                Figure(what, "encode", encode, "MB/s"),
                Figure(what, "decode", decode, "MB/s"),
            ])  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure latency, throughput and memory of qxld; no QEMU is needed, "
        "its part and the guest's are played.",
        epilog="Exit codes: 0 every budget is kept, 1 some are not.",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the samples, nothing is kept"
    )
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="where to keep the figures (benchmarks/results/DATE.json)",
    )
    parser.add_argument(
        "--no-peer", action="store_true", help="do not measure libspice-server"
    )
    parser.add_argument(
        "--no-streams", action="store_true", help="do not play recorded streams"
    )
    streams.add_options(parser)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code."""
    options = _parser().parse_args(arguments)
    run = Run(quick=options.quick)
    scale = 10 if options.quick else 1
    progress = Progress(sys.stderr)
    measure(run, 5_000 // scale, 300_000 // scale, progress)
    measure_codecs(run, 0.5 / scale)
    if not options.no_peer:
        compare(run, 200_000 // scale, progress)
    if not options.no_streams:
        streams.measure(run, options)
    path = options.json
    if path is None and not options.quick:
        path = ROOT / "benchmarks" / "results" / f"{run.date[:10]}.json"
    if path is not None:
        run.save(path)
        print(f"kept in {path}")
    if options.markdown is not None:
        options.markdown.write_text(markdown(run.streams), encoding="utf-8")
    for figure in run.exceeded():
        print(f"{figure.what}, {figure.statistic}: {figure.verdict}", file=sys.stderr)
    return 1 if run.exceeded() or streams.missed(run) else 0


if __name__ == "__main__":
    sys.exit(main())
