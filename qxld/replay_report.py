"""What `qxld replay` measures, and how it tells it."""

from __future__ import annotations

import asyncio
import os
import resource
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spice_protocol.messages.tables import channel_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qxld.replay_guest import ReplayGuest
    from spice_server.channel.channel import Channel
    from spice_server.display.worker import DisplayWorker

__all__ = ["CpuClock", "report", "traffic"]


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@dataclass(slots=True)
class CpuClock:
    """Processor seconds since :meth:`start`."""

    process: float = field(default_factory=time.process_time)
    worker: float = 0.0
    children: float = field(default_factory=_children_seconds)

    async def start(self, worker: DisplayWorker) -> None:
        """Count from now on."""
        self.process = time.process_time()
        self.worker = await _worker_seconds(worker)


async def _worker_seconds(worker: DisplayWorker) -> float:
    return await asyncio.wrap_future(worker.dispatcher.call(time.thread_time))


async def traffic(
    worker: DisplayWorker, main: Sequence[Channel]
) -> dict[str, dict[str, int]]:
    """Return bytes and messages by the channel's name, ``display:0``."""
    found = {_name(channel): channel.traffic() for channel in main}
    for channel in (worker.display, worker.cursor):
        sent = worker.dispatcher.call(channel.traffic)
        found[_name(channel)] = await asyncio.wrap_future(sent)
    return {
        name: {"bytes": sent.bytes, "messages": sent.messages}
        for name, sent in sorted(found.items())
    }


def _name(channel: Channel) -> str:
    return channel_name(channel.type, channel.id).lower()


async def report(
    guest: ReplayGuest, worker: DisplayWorker, main: Sequence[Channel], since: CpuClock
) -> dict[str, Any]:
    """Return all figures of a replay that has ended.

    ``cpu_seconds`` is what the server took: the process without the thread that reads
    the file and plays the guest, which is ``reader_cpu_seconds``.
    """
    replay = guest.replay
    process = time.process_time() - since.process
    stats = await asyncio.wrap_future(worker.stats())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "commands": replay.commands,
        "released": replay.released,
        "events": replay.events,
        "file_bytes": replay.offset,
        "recorded_seconds": round(replay.clock_ns / 1e9, 6),
        "feed_seconds": round(guest.played_seconds, 6),
        "cpu_seconds": round(max(0.0, process - guest.cpu_seconds), 6),
        "worker_cpu_seconds": round(await _worker_seconds(worker) - since.worker, 6),
        "reader_cpu_seconds": round(guest.cpu_seconds, 6),
        "unpacker_cpu_seconds": round(_children_seconds() - since.children, 6),
        "peak_rss_bytes": peak,
        "rss_bytes": _resident_bytes(),
        "channels": await traffic(worker, main),
        "images": {name: asdict(count) for name, count in stats.images.items()},
        "drawn": {str(kind): count for kind, count in sorted(stats.drawn.items())},
        "unsupported": {
            str(kind): count for kind, count in sorted(stats.unsupported.items())
        },
        "rejected": stats.rejected,
        "batches": stats.batches,
        "problem": None if guest.error is None else str(guest.error),
    }


def _resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
