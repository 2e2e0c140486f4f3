"""How many small commands the device takes in, and what each costs."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from benchmarks.figures import Figure
from benchmarks.producer import PLURAL, SCREEN, CommandFlood
from spice_protocol.qxl_dev import QXLRom

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.peers.fake_qemu import PlayedVm

__all__ = ["PACE", "CountingClient", "Taken", "take_in"]

PACE = 50_000.0
"""Commands per second at which a client is sent every single message; as fast as they
are taken in, no client keeps up, and is sent the picture now and then instead."""
SETTLE = 0.5
"""Seconds for what a new client causes: its first picture, keys for the next ones."""


@dataclass(slots=True)
class Taken:
    """What taking in commands came to."""

    kind: str
    client: str
    """Which client looked on; empty: none."""
    wall_s: float
    cpu_us: float
    """Of all threads, per command, until the client had everything."""
    messages: float
    """That the client was sent per command; below 1 it had fallen behind and was sent
    the picture instead."""
    count: int
    rate: float

    def figures(self) -> list[Figure]:
        """Return what goes into the table."""
        beside = f"with {self.client}" if self.client else "without a client"
        pace = "" if self.rate == math.inf else f", at {self.rate:,.0f}/s"
        name = f"taking in {PLURAL[self.kind]} {beside}{pace}"
        figures = [Figure(name, "CPU per command", self.cpu_us, "us")]
        if self.rate == math.inf:
            speed = self.count / self.wall_s
            figures.append(Figure(name, "commands per second", speed, "1/s"))
        if self.client:
            figures.append(Figure(name, "messages per command", self.messages, ""))
        return figures


class CountingClient(Protocol):
    """A client in another process; a context manager."""

    name: str

    def finish(self) -> int:
        """Wait until nothing comes any more; how many messages came."""


def take_in(
    vm: PlayedVm,
    kind: str,
    count: int,
    progress: Callable[[int], None],
    client: Callable[[int], CountingClient] | None = None,
    rate: float = math.inf,
) -> Taken:
    """Have *count* commands of *kind* drawn, as fast as they are taken or at *rate*.

    *client* connects one to a port; *vm* was just started.
    """
    vm.guest.setup(*SCREEN)
    flood = CommandFlood(vm.guest, kind)
    sink = client(vm.qxld.port) if client else None
    if sink:
        vm.qxld.until("a client", lambda: _client_present(vm))
        time.sleep(SETTLE)
    cpu_ns, begin = vm.qxld.cpu_ns(), time.perf_counter()
    flood.run(count, progress, rate)
    wall_s = time.perf_counter() - begin
    messages = sink.finish() if sink else 0
    cpu_us = (vm.qxld.cpu_ns() - cpu_ns) / 1000 / count
    name = sink.name if sink else ""
    return Taken(kind, name, wall_s, cpu_us, messages / count, count, rate)


def _client_present(vm: PlayedVm) -> int:
    """Look at what the device tells its guest once a display client is served."""
    return vm.guest.port.rom.view[QXLRom.offset("client_present")]
