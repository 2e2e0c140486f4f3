"""From the guest's doorbell to the last byte of its drawing at a client.

One small command at a time on an idle server; guest, worker and client share this
process, device and client are joined by memory and a socket pair.
``python -m benchmarks.latency [--json FILE] [COMMANDS]``
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from spice_protocol.messages.display import DisplayMsg
from spice_protocol.qxl_dev import QXLRect
from tests.fakes.display_bench import DisplayBench, RawClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fakes.fake_guest import FakeGuest

__all__ = ["Result", "main", "run"]

WARM_UP: Final = 200


@dataclass(slots=True)
class Result:
    """One kind of command; all times in milliseconds."""

    command: str
    count: int
    p50_ms: float
    p99_ms: float
    max_ms: float


def fill(guest: FakeGuest, index: int) -> None:
    """Draw 16 x 16 pixels of one color."""
    guest.draw_fill(QXLRect(0, 0, 16, 16), index)


def copy(guest: FakeGuest, index: int) -> None:
    """Draw 64 x 64 pixels of an image."""
    pixels = struct.pack("<I", index) * (64 * 64)
    guest.draw_copy(pixels, QXLRect(0, 0, 64, 64))


COMMANDS: Final[dict[str, tuple[Callable[[FakeGuest, int], None], DisplayMsg]]] = {
    "fill 16 x 16": (fill, DisplayMsg.DRAW_FILL),
    "copy 64 x 64": (copy, DisplayMsg.DRAW_COPY),
}


def measure(name: str, count: int) -> Result:
    """Draw *count* commands, each after the one before has arrived."""
    draw, message = COMMANDS[name]
    times: list[float] = []
    with DisplayBench(1024, 768) as bench:
        client: RawClient = bench.display_client()
        client.receive_until(DisplayMsg.MARK)
        doorbell = 0.0
        ring = bench.guest.port.notify

        def notify() -> None:
            nonlocal doorbell
            doorbell = time.perf_counter()
            ring()

        bench.guest.port.notify = notify  # type: ignore[method-assign]
        for index in range(WARM_UP + count):
            draw(bench.guest, index)
            client.receive_until(message)
            times.append(time.perf_counter() - doorbell)
            bench.flush()
            bench.guest.collect()
    times = sorted(times[WARM_UP:])
    cuts = statistics.quantiles(times, n=100)
    return Result(
        command=name,
        count=count,
        p50_ms=round(cuts[49] * 1e3, 3),
        p99_ms=round(cuts[98] * 1e3, 3),
        max_ms=round(times[-1] * 1e3, 3),
    )


def run(count: int = 3000) -> list[Result]:
    """Measure every kind of command."""
    return [measure(name, count) for name in COMMANDS]


def main(arguments: list[str] | None = None) -> int:
    """Print a table, write JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=3000)
    parser.add_argument("--json", type=Path, help="write the results there")
    options = parser.parse_args(arguments)
    results = run(options.count)
    print(f"{'doorbell to last byte':24} p50 ms  p99 ms  max ms")
    for r in results:
        print(f"{r.command:24} {r.p50_ms:6.3f}  {r.p99_ms:6.3f}  {r.max_ms:6.3f}")
    if options.json:
        rows = [dataclasses.asdict(result) for result in results]
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
