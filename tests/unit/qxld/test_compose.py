"""The parts together, with a played QEMU."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from qmp_bridge.errors import MonitorSocketError, QemuGone
from qxld.compose import Daemon
from qxld.config import (
    DeviceConfig,
    MonitorConfig,
    PortsConfig,
    QxldConfig,
    SpiceConfig,
)
from spice_server.errors import ListenError
from tests.fakes.fake_qemu import FakeQemu
from tests.fakes.qmp_client import QmpClient
from tests.fakes.qmp_socket import QmpSocket
from vm_transport.errors import PeerError
from vm_transport.ivshmem.header import Feature, QxlIvshmemHeader

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.asyncio


def config(folder: Path, **device: int) -> QxldConfig:
    small = {"ram_mib": 16, "vram_mib": 4} | device
    return QxldConfig(
        device=DeviceConfig(**small),
        spice=SpiceConfig(port=0, unix=folder / "spice"),
    )


@pytest_asyncio.fixture
async def daemon(tmp_path):
    made = Daemon(config(tmp_path), tmp_path)
    await made.prepare()
    await made.listen()
    yield made
    await made.stop()
    assert not [path for path in tmp_path.iterdir() if path.is_socket()]


async def connected(path: Path) -> None:
    """Connect to the SPICE server once and leave it."""
    _reader, writer = await asyncio.open_unix_connection(path)
    writer.close()
    await writer.wait_closed()


async def spice_events(monitor: QmpClient, last: str) -> list[str]:
    """Return the SPICE events up to the first one named *last*."""
    names = []
    while not names or names[-1] != last:
        line = (await monitor.line()).decode()
        if '"event": "SPICE_' in line:
            names.append(line.partition('"event": "')[2].partition('"')[0])
    return names


async def test_qemus_come_and_go_and_events_stay_single(daemon, tmp_path):
    for _ in range(3):
        qemu = QmpSocket(daemon.qemu_monitor)
        await daemon.connect(patient=True)
        monitor = await QmpClient.connect(daemon.monitor_path)
        assert await monitor.ask({"execute": "query-name"}) == {"return": {}}
        await connected(tmp_path / "spice")
        assert await spice_events(monitor, "SPICE_DISCONNECTED") == [
            "SPICE_CONNECTED",
            "SPICE_DISCONNECTED",
        ]
        qemu.close()
        await daemon.qemu_gone.wait()
        assert await monitor.line() == b""
        monitor.close()
        assert not daemon.monitor_path.exists()
        await daemon.disconnect()


async def test_waits_for_a_qemu_that_comes_later(daemon):
    waiting = asyncio.ensure_future(daemon.connect(patient=True))
    await asyncio.sleep(0)
    qemu = QmpSocket(daemon.qemu_monitor)
    await waiting
    assert daemon.own_monitor is not None
    qemu.close()
    await daemon.qemu_gone.wait()


async def test_does_not_wait_when_it_must_be_there(daemon):
    with pytest.raises(QemuGone, match="No such file"):
        await daemon.connect(patient=False)


async def test_waiting_for_a_greeting_can_be_ended(daemon):
    qemu = QmpSocket(daemon.qemu_monitor)
    qemu.greets = False
    waiting = asyncio.ensure_future(daemon.connect(patient=True))
    while qemu.server is None:  # noqa: ASYNC110 - a fake has no event
        await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    qemu.close()


async def test_machine_reset_resets_the_device(daemon, tmp_path):
    qemu = QmpSocket(daemon.qemu_monitor)
    await daemon.connect(patient=True)
    done = asyncio.Event()

    async def reset() -> None:
        done.set()

    daemon.transport.machine_reset = reset
    qemu.event("STOP")
    qemu.event("RESET", guest=False, reason="host-qmp-system-reset")
    await done.wait()
    qemu.close()
    await daemon.qemu_gone.wait()


async def test_background_failure_is_told(daemon, caplog):
    qemu = QmpSocket(daemon.qemu_monitor)
    await daemon.connect(patient=True)

    async def reset() -> None:
        raise RuntimeError("why")

    daemon.transport.machine_reset = reset
    qemu.event("RESET")
    while not caplog.records:  # noqa: ASYNC110 - a log has no event
        await asyncio.sleep(0)
    (record,) = (r for r in caplog.records if r.levelno >= logging.ERROR)
    assert record.getMessage() == "machine reset failed"
    assert "RuntimeError: why" in caplog.text
    qemu.close()
    await daemon.qemu_gone.wait()


async def test_device_is_served(daemon):
    qemu = FakeQemu(daemon.attach_options.path)
    await asyncio.to_thread(qemu.realize)
    assert qemu.bar2 is not None
    assert len(qemu.bar2) == daemon.transport.layout.size
    qemu.bar2.close()
    qemu.close()
    await daemon.transport.wait_detached()


async def test_every_display_is_a_channel(tmp_path):
    daemon = Daemon(config(tmp_path, displays=3), tmp_path)
    await daemon.prepare()
    assert len(daemon.workers) == 3
    await daemon.stop()


async def test_end_before_the_beginning(tmp_path):
    await Daemon(config(tmp_path), tmp_path).stop()


class TestTakenPlaces:
    async def test_ivshmem_socket(self, daemon, tmp_path):
        second = Daemon(config(tmp_path / "elsewhere"), tmp_path)
        with pytest.raises(PeerError, match=r"ivshmem\.sock: another process listens"):
            await second.prepare()
        await second.stop()
        assert daemon.attach_options.path.exists()

    async def test_spice_socket(self, daemon, tmp_path):
        other = tmp_path / "other"
        other.mkdir()
        second = Daemon(config(tmp_path), other)
        await second.prepare()
        with pytest.raises(ListenError, match="another server does"):
            await second.listen()
        await second.stop()
        await connected(tmp_path / "spice")

    @pytest.mark.parametrize(
        ("name", "complaint"),
        [
            ("none/m", "No such file or directory"),
            ("x" * 120, "too long for a unix socket"),
            ("file", "exists and is not a socket"),
        ],
    )
    async def test_monitor_socket_is_tried_at_once(self, tmp_path, name, complaint):
        (tmp_path / "file").touch()
        wanted = MonitorConfig(listen=tmp_path / name)
        daemon = Daemon(QxldConfig(monitor=wanted), tmp_path)
        with pytest.raises(MonitorSocketError, match=complaint):
            await daemon.prepare()
        await daemon.stop()
        assert (tmp_path / "file").exists()


@pytest.mark.parametrize(
    ("way", "offered"), [("auto", True), ("ivshmem", True), ("virtio", False)]
)
async def test_guests_are_offered_a_vdi_port_that_the_agent_may_use(
    tmp_path, way, offered
):
    settings = dataclasses.replace(config(tmp_path), ports=PortsConfig(agent=way))
    daemon = Daemon(settings, tmp_path)
    await daemon.prepare()
    header = QxlIvshmemHeader.unpack_from(daemon.transport.memory.view)
    assert bool(header.features & Feature.VDI_PORT) is offered
    await daemon.stop()
