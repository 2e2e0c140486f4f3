"""Every port in every mode."""

from __future__ import annotations

import pytest

from qxl_device.io_port import ASYNC_PORTS
from qxl_device.mode import PORT_TABLE, Mode, Verdict
from spice_protocol.qxl_dev import QxlInterrupt, QxlIo
from tests.fakes.qxl_bench import VRAM_SLOT, QxlBench, physical

FREE_SLOT = 3


@pytest.fixture
def bench():
    with QxlBench(ram_size=8 << 20) as bench:
        yield bench


def enter(bench: QxlBench, mode: Mode) -> None:
    """Bring the device into *mode* with all arguments in place."""
    if mode is Mode.COMPAT:
        assert bench.io(QxlIo.SET_MODE, 0)
    bench.add_slots()
    if mode is Mode.NATIVE:
        bench.create_primary()
    if mode is Mode.VGA:
        # No transport of ours carries the VGA half of the device; the table has it.
        bench.device._ports.mode = Mode.VGA
    bench.put_primary(mem=physical(VRAM_SLOT, 0))
    bench.put("update_area", "4i", 0, 0, 10, 10)
    ram = bench.memory.ram
    bench.put("mem_slot", "QQ", ram.address, ram.address + 4096)
    bench.memory.ram.view[:4] = b"\x01\0\0\0"
    bench.put("monitors_config", "Q", physical(1, 0))
    assert bench.mode is mode
    bench.worker.take()
    bench.take_pending()


def value_for(port: QxlIo) -> int:
    return FREE_SLOT if port.name.startswith("MEMSLOT") else 0


def test_the_table_is_complete():
    assert set(PORT_TABLE) == {(mode, port) for mode in Mode for port in QxlIo}


@pytest.mark.parametrize("port", list(QxlIo), ids=lambda port: port.name)
@pytest.mark.parametrize("mode", list(Mode), ids=lambda mode: mode.value)
def test_port_in_mode(bench, mode, port):
    enter(bench, mode)
    cell = PORT_TABLE[mode, port]
    done = bench.io(port, value_for(port))
    pending = bench.take_pending()
    assert done == (isinstance(cell, Mode) or cell is Verdict.NOTHING_TO_DO)
    assert bench.mode is (cell if isinstance(cell, Mode) else mode)
    assert bench.device.guest_bug == (cell is Verdict.GUEST_BUG)
    assert (QxlInterrupt.ERROR in pending) == (cell is Verdict.GUEST_BUG)
    assert (QxlInterrupt.IO_CMD in pending) == (port in ASYNC_PORTS)
    if not isinstance(cell, Mode):
        assert bench.worker.calls == []


@pytest.mark.parametrize("port", list(QxlIo), ids=lambda port: port.name)
def test_only_reset_is_served_after_a_guest_bug(bench, port):
    enter(bench, Mode.NATIVE)
    bench.io(QxlIo.ATTACH_PRIMARY)
    assert bench.take_pending() == QxlInterrupt.ERROR
    assert bench.io(port, value_for(port)) == (port is QxlIo.RESET)
    assert bench.device.guest_bug == (port is not QxlIo.RESET)
    expected = QxlInterrupt.IO_CMD if port in ASYNC_PORTS else QxlInterrupt(0)
    assert bench.take_pending() == expected
    if port is not QxlIo.RESET:
        assert bench.worker.calls == []


@pytest.mark.parametrize("port", [25, 31, 255, 0xFFFFFFFF])
def test_ports_that_do_not_exist(bench, port):
    assert not bench.io(port, 0)
    assert bench.device.guest_bug
    assert not bench.io(port, 0)
    assert bench.device.parts.faults.counts["QXL_IO out of range"] == 1
