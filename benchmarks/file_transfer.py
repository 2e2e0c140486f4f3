"""``python -m benchmarks.file_transfer``: files dropped into a guest, in MB/s.

The same Debian guest with Debian's own agent, the same client library, one machine after
the other: qxld with each carrier of the agent, and QEMU's own SPICE server.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure, Run
from tests.peers import agent_guest, gtk_client, machine

CARRIERS = {
    "virtio": "qxld, virtio-serial port",
    "ivshmem": "qxld, VDI port in shared memory",
    "stock": "QEMU with libspice-server",
}


class TransferError(Exception):
    """A file did not arrive as it was."""


def _drop(guest: agent_guest.AgentGuest, path: Path, digest: str) -> float:
    """Drop a file, check it, remove it; the seconds it took."""
    with guest.client() as client:
        client.wait_agent()
        started = time.perf_counter()
        client.send("file-copy", str(path))
        told = client.wait("file-copied")
        seconds = time.perf_counter() - started
    if told["error"] or guest.downloads() != {path.name: digest}:
        raise TransferError(told["error"] or "another file arrived")
    guest.clear()
    return seconds


def measure(run: Run, carriers: list[str], mebibytes: int, times: int) -> None:
    """Measure each of *carriers*; a guest boots for each.

    Raises:
        TransferError: a file did not arrive as it was.

    """
    data = random.Random(1).randbytes(mebibytes << 20)
    digest = hashlib.sha256(data).hexdigest()
    for carrier in carriers:
        with tempfile.TemporaryDirectory(prefix="qxld-bench-") as folder:
            path = Path(folder) / "dropped.bin"
            path.write_bytes(data)
            home = Path(folder) / "guest"
            home.mkdir()
            with agent_guest.running(carrier, home) as guest:
                taken = sorted(_drop(guest, path, digest) for _ in range(times))
        what = f"file of {mebibytes} MiB, {CARRIERS[carrier]}"
        rates = [len(data) / 1e6 / seconds for seconds in taken]
        run.add([
            Figure(what, "median", rates[len(rates) // 2], "MB/s"),
            Figure(what, "best", rates[0], "MB/s"),
            Figure(what, "worst", rates[-1], "MB/s"),
        ])  # fmt: skip


def main() -> int:
    """Run the command line; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.file_transfer", description=__doc__
    )
    parser.add_argument("--mebibytes", type=int, default=50, metavar="N")
    parser.add_argument("--times", type=int, default=5, metavar="N")
    parser.add_argument(
        "--carriers", nargs="+", choices=CARRIERS, default=list(CARRIERS)
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures")
    options = parser.parse_args()
    for reason in (machine.missing(), gtk_client.missing()):
        if reason:
            print(reason, file=sys.stderr)
            return 1
    run = Run(quick=False)
    measure(run, options.carriers, options.mebibytes, options.times)
    if options.json:
        run.save(options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
