"""What a display worker alone costs per command, with and without a client.

The guest and the device are real, joined by the in-process transport; the guest's own
work is not counted.  CPU time is that of the worker's thread, which draws, marshals and
writes to the socket.  ``python -m benchmarks.drain [--json FILE] [COMMANDS]``
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.socket_sink import start_sink
from spice_protocol.messages.display import DisplayMsgc, SpiceMsgcDisplayInit
from spice_protocol.qxl_dev import QXLCmdType, QXLCommand, QXLRect
from tests.fakes.display_bench import DisplayBench

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from tests.fakes.fake_guest import Block, FakeGuest

__all__ = ["Result", "main", "run"]

WIDTH: Final = 1024
HEIGHT: Final = 768
BATCH: Final = 32
"""Commands the guest pushes at a time: all its ring holds, and one release chain."""
MAX_WAITING: Final = 1 << 20
"""Bytes waiting for the client above which the guest pauses: none shall be dropped."""


@dataclass(slots=True)
class Result:
    """One stream, one number of clients."""

    stream: str
    clients: int
    commands: int
    cpu_us: float
    """Worker CPU per command, microseconds."""
    commands_per_cpu_second: float
    commands_per_second: float
    """By the clock, while guest, worker and client take turns on this machine."""
    bytes_per_command: float
    """Of display messages."""
    fell_behind: int
    """How often the client was too slow; the figures then mean less."""


def fill(guest: FakeGuest, index: int) -> Block:
    """Draw 16 x 16 pixels of one color."""
    x, y = index * 16 % WIDTH, index * 7 % (HEIGHT - 16)
    return guest.draw_fill(QXLRect(y, x, y + 16, x + 16), index)


def copy(guest: FakeGuest, index: int) -> Block:
    """Draw 16 x 16 pixels of an image."""
    x, y = index * 16 % WIDTH, index * 7 % (HEIGHT - 16)
    pixels = struct.pack("<I", index) * 256
    return guest.draw_copy(pixels, QXLRect(y, x, y + 16, x + 16))


def padded(guest: FakeGuest, index: int) -> Block:
    """Draw a console's cell whose rows are as long as the framebuffer's."""
    x, y = index * 8 % WIDTH, index * 16 % (HEIGHT - 16)
    area = QXLRect(y, x, y + 16, x + 8)
    return guest.draw_copy(bytes(16 * 4 * WIDTH), area, stride=4 * WIDTH)


def screen(guest: FakeGuest, index: int) -> Block:
    """Draw the whole screen."""
    pixels = struct.pack("<I", index) * (WIDTH * HEIGHT)
    return guest.draw_copy(pixels, QXLRect(0, 0, HEIGHT, WIDTH))


def scroll(guest: FakeGuest, index: int) -> Block:
    """Move all of the screen up by a line of text."""
    return guest.copy_bits(QXLRect(0, 0, HEIGHT - 16, WIDTH), index % 2, 16)


STREAMS: Final[dict[str, tuple[Callable[[FakeGuest, int], Block], int]]] = {
    "fill 16 x 16": (fill, 1),
    "copy 16 x 16": (copy, 1),
    "copy 8 x 16, padded rows": (padded, 1),
    "scroll by COPY_BITS": (scroll, 16),
    "copy 1024 x 768": (screen, 64),
}
"""By name: how to draw, and by what the number of commands is divided."""


class Drain:
    """Draws one stream in the worker's thread and measures that thread."""

    def __init__(self, bench: DisplayBench) -> None:
        self._bench = bench
        self._guest_time = 0.0
        self._addresses: list[int] = []
        self._ids: list[int] = []

    def prepare(self, draw: Callable[[FakeGuest, int], Block], commands: int) -> None:
        """Write *commands* drawables into guest memory; none is drawn yet."""
        guest = self._bench.guest
        for index in range(commands):
            block = draw(guest, index)
            self._ids.append(block.offset)
            self._addresses.append(guest.physical(block.offset))
            if index % BATCH == BATCH - 1:
                self._bench.flush()
                guest.release_ring.pop(8)

    def _push(self) -> None:
        """Let the guest fill its ring once more with the same drawables."""
        start = time.thread_time()
        guest = self._bench.guest
        guest.release_ring.pop(8)
        for offset in self._ids:
            guest.write(offset, struct.pack("<Q", offset))
        commands = [QXLCommand(a, QXLCmdType.DRAW).pack() for a in self._addresses]
        guest.cmd_ring.push(commands)
        self._guest_time += time.thread_time() - start

    async def measure(self, rounds: int) -> tuple[float, float]:
        """Draw the batch *rounds* times; CPU and wall seconds of the worker."""
        worker = self._bench.worker
        self._guest_time = 0.0
        wall, cpu = time.perf_counter(), time.thread_time()
        for _ in range(rounds):
            self._push()
            worker.flush_surfaces()
            await self._sent(MAX_WAITING)
        await self._sent(0)
        wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
        return cpu - self._guest_time, wall - self._guest_time

    async def _sent(self, most: int) -> None:
        """Wait until at most *most* bytes wait for the client."""
        while self._waiting() > most:  # noqa: ASYNC110 - a pipe tells nobody
            await asyncio.sleep(0.0005)

    def _waiting(self) -> int:
        clients = self._bench.worker.display.clients.values()
        return max((c.pipe.size + c.connection.pending for c in clients), default=0)


def connect_sink(bench: DisplayBench) -> Any:  # noqa: ANN401 - a stub of another process
    """Link a display client that lives in another process."""
    client = bench.connect(bench.worker.display)
    client.send(DisplayMsgc.INIT, SpiceMsgcDisplayInit(1, 0, 1, 0).pack())
    duplicate: socket.socket = client.sock.dup()
    duplicate.settimeout(None)
    process = start_sink(duplicate)
    while not bench.stats().clients:
        time.sleep(0.01)
    return process


def run_stream(name: str, commands: int, *, clients: int) -> Result:
    """Measure one stream."""
    draw, divisor = STREAMS[name]
    batch = 1 if divisor == 64 else BATCH
    rounds = max(1, commands // divisor // batch)
    with DisplayBench(WIDTH, HEIGHT, ram_size=64 << 20) as bench:
        drain = Drain(bench)
        drain.prepare(draw, batch)
        sinks = [connect_sink(bench) for _ in range(clients)]
        loop = bench.worker.loop()
        asyncio.run_coroutine_threadsafe(drain.measure(1), loop).result()
        before = bench.stats()
        future = asyncio.run_coroutine_threadsafe(drain.measure(rounds), loop)
        cpu, wall = future.result()
        stats = bench.stats()
    for sink in sinks:
        sink.communicate()
    taken = stats.commands - before.commands
    return Result(
        stream=name,
        clients=clients,
        commands=taken,
        cpu_us=round(cpu / taken * 1e6, 2),
        commands_per_cpu_second=round(taken / cpu),
        commands_per_second=round(taken / wall),
        bytes_per_command=round(
            (stats.message_bytes - before.message_bytes) / taken, 1
        ),
        fell_behind=stats.fell_behind,
    )


def run(commands: int = 200_000) -> list[Result]:
    """Measure every stream without and with a client."""
    return [
        run_stream(name, commands, clients=clients)
        for name in STREAMS
        for clients in (0, 1)
    ]


def main(arguments: list[str] | None = None) -> int:
    """Print a table, write JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commands", type=int, nargs="?", default=200_000)
    parser.add_argument("--json", type=Path, help="write the results there")
    options = parser.parse_args(arguments)
    results = run(options.commands)
    print(f"{'stream':26} clients  us/command  commands/s (CPU)  commands/s  bytes")
    for r in results:
        print(
            f"{r.stream:26} {r.clients:7} {r.cpu_us:11.2f} {r.commands_per_cpu_second:17,}"
            f" {r.commands_per_second:11,} {r.bytes_per_command:6,.0f}"
        )
    if options.json:
        rows = [dataclasses.asdict(result) for result in results]
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
