"""qxld under a recorded stream."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from benchmarks.stream_figures import StreamFigures
from tests.peers.qxld_replay import QxldReplay

if TYPE_CHECKING:
    from benchmarks.spice_server import SpiceServer
    from benchmarks.stream_figures import Load

__all__ = ["replay"]

PROGRAM = (sys.executable, "-m", "qxld")
MAX_GAP = 1
"""Recorded seconds that no pause is longer than: the peer's benchmark has it so."""


def replay(load: Load, peer: SpiceServer) -> StreamFigures:
    """Play *load* into a `qxld replay`, with the client of *peer*.

    Raises:
        AssertionError: it did not come to the end; the text says what it said.

    """
    pace = "max" if load.pace is None else f"{load.pace:g}"
    clients = 0 if load.mode is None else 1
    options = ("--pace", pace, "--max-gap", MAX_GAP)
    with QxldReplay(
        load.path, load.mode or "off", *options, clients=clients, program=PROGRAM
    ) as ours:
        ours.wait_up()
        sink = peer.sink(ours.port, load.sink) if clients else None
        try:
            told: dict[str, Any] = ours.finish()
        except BaseException:
            if sink:
                sink.stop()
            raise
        counted = sink.count() if sink else None
    return StreamFigures(
        commands=told["commands"],
        cpu_s=told["cpu_seconds"],
        worker_cpu_s=told["worker_cpu_seconds"],
        wall_s=told["wall_seconds"],
        rss_mib=told["peak_rss_bytes"] / (1 << 20),
        counted=counted,
    )
