"""What an idle server keeps resident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.figures import Figure
from benchmarks.producer import SCREEN

if TYPE_CHECKING:
    from tests.peers.fake_qemu import PlayedVm

__all__ = ["BUDGET_MIB", "idle_memory"]

BUDGET_MIB = 64.0
"""Beyond guest memory, with one 1024 x 768 display and one client."""


def idle_memory(vm: PlayedVm) -> list[Figure]:
    """Look at a server whose only client has its picture; *vm* was just started."""
    vm.guest.setup(*SCREEN)
    with vm.client() as client:
        client.display_link.wait(lambda: client.display.marked)
        rss, anon, file, shared = (
            vm.qxld.status(name) / 1024
            for name in ("VmRSS", "RssAnon", "RssFile", "RssShmem")
        )
    name = "memory of an idle server, one client"
    return [
        Figure(name, "beyond guest memory", rss - shared, "MiB", budget=BUDGET_MIB),
        Figure(name, "of that: anonymous", anon, "MiB"),
        Figure(name, "of that: files", file, "MiB"),
        Figure(name, "guest memory touched", shared, "MiB"),
    ]
