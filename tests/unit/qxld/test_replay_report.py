"""The figures of a replay."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace

import pytest
import pytest_asyncio

from qxl_device.device import QXLDevice
from qxld.replay_report import CpuClock, report, traffic
from spice_common.replay import Replay
from spice_server.display.compression import Compression
from spice_server.display.worker import DisplayWorker
from tests.fakes.spice_channels import running_server
from vm_transport.in_process import InProcessTransport

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def worker():
    transport = InProcessTransport(ram_size=16 << 20)
    worker = DisplayWorker(QXLDevice(transport, 0), Compression())
    worker.start()
    yield worker
    await asyncio.to_thread(worker.stop)
    transport.close()


def guest(**changes):
    """Return what is looked at of a guest that has ended."""
    values = {"replay": Replay(), "cpu_seconds": 0.25, "played_seconds": 1.5}
    return SimpleNamespace(**(values | {"error": None} | changes))


def burn(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


async def test_all_figures(worker):
    async with running_server(worker.display, worker.cursor) as server:
        clock = CpuClock()
        await clock.start(worker)
        figures = await report(guest(), worker, [server.main, server.inputs], clock)
    assert figures["feed_seconds"] == 1.5
    assert figures["reader_cpu_seconds"] == 0.25
    assert figures["problem"] is None
    assert figures["commands"] == figures["released"] == figures["file_bytes"] == 0
    assert min(figures["peak_rss_bytes"], figures["rss_bytes"]) > 1 << 20
    assert set(figures["channels"]) == {"main:0", "inputs:0", "display:0", "cursor:0"}
    assert figures["rejected"] == 0
    assert figures["unpacker_cpu_seconds"] >= 0


async def test_what_went_wrong_is_told(worker):
    figures = await report(guest(error=ValueError("cut off")), worker, [], CpuClock())
    assert figures["problem"] == "cut off"


async def test_time_counts_from_the_start_and_without_the_reader(worker):
    clock = CpuClock()
    burn(0.1)
    await clock.start(worker)
    before = await report(guest(cpu_seconds=0.0), worker, [], clock)
    await asyncio.wrap_future(worker.dispatcher.call(burn, 0.1))
    after = await report(guest(cpu_seconds=0.0), worker, [], clock)
    assert after["worker_cpu_seconds"] - before["worker_cpu_seconds"] >= 0.1
    assert after["cpu_seconds"] - before["cpu_seconds"] >= 0.1
    reader = await report(guest(cpu_seconds=1e9), worker, [], clock)
    assert reader["cpu_seconds"] == 0.0, "never below nothing"


async def test_traffic_is_told_by_the_channels_names(worker):
    async with running_server(worker.display, worker.cursor) as server:
        found = await traffic(worker, [server.main])
    assert list(found) == ["cursor:0", "display:0", "main:0"]
    assert found["main:0"] == {"bytes": 0, "messages": 0}
