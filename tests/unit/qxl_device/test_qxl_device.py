from __future__ import annotations

from pathlib import Path

import pytest

from qxl_device.device import QXLDevice
from qxl_device.errors import WindowError
from qxl_device.mode import Mode
from qxl_device.rom import RomParameters
from spice_protocol.qxl_dev import QXLHead, QxlInterrupt, QxlIo, QXLRom
from tests.fakes.qxl_bench import QxlBench
from tests.fakes.recording_worker import RecordingWorker
from vd_interfaces.qxl import Head, MonitorsConfig
from vm_transport.in_process import InProcessTransport

VECTORS = Path(__file__).parents[2] / "vectors/qxl_device"
MIB = 1 << 20


def test_a_new_device_is_qemus():
    with QxlBench(RomParameters(), ram_size=64 * MIB, vram_size=4096) as bench:
        assert bench.memory.rom.view[:8192] == (VECTORS / "rom.bin").read_bytes()
        expected = bytearray((VECTORS / "ram-header.bin").read_bytes())
        header = bench.memory.ram.view[64 * MIB - 8192 :]
        assert int.from_bytes(expected[4:8], "little") == QxlInterrupt.CLIENT
        bench.device.set_client_capabilities(present=False, capabilities=b"")
        assert header == expected


def test_number_and_windows():
    transport = InProcessTransport(ram_size=4096 * 3, vram_size=4096)
    with pytest.raises(WindowError):
        QXLDevice(transport, 3)
    transport.close()
    with QxlBench(3) as bench:
        assert bench.device.id == 3
        assert bench.mode is Mode.UNDEFINED


def test_machine_reset():
    with QxlBench() as bench:
        rom = bytes(bench.memory.rom.view)
        ram = bytes(bench.header)
        bench.add_slots()
        bench.create_primary()
        bench.io(QxlIo.ATTACH_PRIMARY)
        assert bench.device.guest_bug
        bench.transport.guest_reset()
        assert bench.memory.rom.view == rom
        assert bench.header == ram
        assert bench.mode is Mode.UNDEFINED
        assert not bench.device.guest_bug
        assert bench.worker.names()[-1] == "destroy_surfaces"


def test_another_worker_is_told_what_there_is():
    with QxlBench() as bench:
        bench.add_slots()
        bench.create_primary()
        bench.put_monitors([QXLHead(0, 0, 64, 64, 0, 0, 0)])
        bench.io(QxlIo.MONITORS_CONFIG_ASYNC)
        bench.device.detach()
        bench.transport.guest_notify()
        with pytest.raises(ConnectionError):
            bench.io(QxlIo.UPDATE_IRQ)
        worker = RecordingWorker()
        bench.device.attach(worker, bench.loop)
        assert worker.names() == ["create_primary_surface", "monitors_config"]
        assert bench.mode is Mode.NATIVE


LAYOUT = MonitorsConfig([Head(0, 0, 1234, 700, 0, 0)], 1)


@pytest.mark.parametrize(
    ("mask", "able"), [(0, False), (0x1F, False), (0xFFFFFFFF, False), (0x27, True)]
)
def test_layout_for_a_driver_that_can_and_others(mask, able):
    with QxlBench() as bench:
        bench.put("int_mask", "I", mask)
        assert bench.device.client_monitors_config(None) == able
        assert bench.take_pending() == 0
        rom = bytes(bench.memory.rom.view[:8192])
        assert bench.device.client_monitors_config(LAYOUT) == able
        if able:
            assert bench.take_pending() == QxlInterrupt.CLIENT_MONITORS_CONFIG
            assert bench.interrupts == 1
        assert (bench.memory.rom.view[:8192] == rom) != able


def test_a_layout_is_asked_for_once():
    with QxlBench() as bench:
        bench.put("int_mask", "I", QxlInterrupt.CLIENT_MONITORS_CONFIG)
        for _ in range(2):
            assert bench.device.client_monitors_config(LAYOUT)
        assert bench.interrupts == 1
        bench.device.io_write(QxlIo.RESET, 0)  # another driver has yet to be asked
        bench.put("int_mask", "I", QxlInterrupt.CLIENT_MONITORS_CONFIG)
        bench.take_pending()
        assert bench.device.client_monitors_config(LAYOUT)
        assert bench.take_pending() == QxlInterrupt.CLIENT_MONITORS_CONFIG


def test_heads_beyond_those_there_can_be():
    heads = [Head(n, 0, 10, 10, 10 * n, 0) for n in range(5)]
    with QxlBench(heads=2) as bench:
        bench.add_slots()
        bench.put("int_mask", "I", QxlInterrupt.CLIENT_MONITORS_CONFIG)
        assert bench.device.client_monitors_config(MonitorsConfig(heads, 64))
        offset = QXLRom.offset("client_monitors_config")
        assert bench.memory.rom.view[offset] == 2
        before = bytes(bench.memory.rom.view)
        assert bench.device.client_monitors_config(MonitorsConfig(heads[2:], 64))
        assert bench.memory.rom.view == before
        bench.put_monitors([QXLHead(h.id, 0, 10, 10, h.x, 0, 0) for h in heads])
        assert bench.io(QxlIo.MONITORS_CONFIG_ASYNC)
        ((_, told),) = bench.worker.take()
        assert list(told.heads) == heads[:2]


def test_client_capabilities():
    with QxlBench() as bench:
        bench.device.set_client_capabilities(present=True, capabilities=b"\xff" * 58)
        assert bench.memory.rom.view[69:128] == b"\x01" + b"\xff" * 58
        assert bench.take_pending() == QxlInterrupt.CLIENT
