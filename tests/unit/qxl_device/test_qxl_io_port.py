"""What each port does; where it may be used is test_qxl_mode.py's."""

from __future__ import annotations

import logging

import pytest

from qxl_device.mode import Mode
from spice_protocol.qxl_dev import QXLHead, QxlInterrupt, QxlIo
from tests.fakes.qxl_bench import QxlBench, physical
from vd_interfaces.qxl import Head, Rect


@pytest.fixture
def bench():
    with QxlBench(ram_size=8 << 20) as bench:
        bench.add_slots()
        bench.create_primary()
        bench.worker.take()
        yield bench


def faults(bench: QxlBench) -> dict[str, int]:
    return dict(bench.device.parts.faults.counts)


@pytest.mark.parametrize("port", [QxlIo.UPDATE_AREA, QxlIo.UPDATE_AREA_ASYNC])
def test_update_area(bench, port):
    bench.put("update_area", "4i", 1, 2, 30, 40)
    bench.put("update_surface", "I", 7)
    assert bench.io(port)
    assert bench.worker.take() == [("update_area", 7, Rect(1, 2, 30, 40))]


@pytest.mark.parametrize(
    ("area", "surface", "bug"),
    [
        ((0, 0, 0, 10), 0, False),
        ((0, 5, 10, 5), 0, False),
        ((0, 10, 10, 0), 0, True),
        ((-1, 0, 10, 10), 0, True),
        ((0, -5, 10, 10), 0, True),
        ((0, 0, 10, 10), 1024, True),
        ((0, 0, 10, 10), 0xFFFFFFFF, True),
    ],
)
def test_update_of_an_impossible_area(bench, area, surface, bug):
    bench.put("update_area", "4i", *area)
    bench.put("update_surface", "I", surface)
    assert not bench.io(QxlIo.UPDATE_AREA_ASYNC)
    assert bench.worker.take() == []
    assert bench.device.guest_bug == bug
    assert faults(bench) == {"QXL_IO_UPDATE_AREA_ASYNC": 1}
    error = QxlInterrupt.ERROR if bug else QxlInterrupt(0)
    assert bench.take_pending() == QxlInterrupt.IO_CMD | error


@pytest.mark.parametrize("port", [QxlIo.NOTIFY_CMD, QxlIo.NOTIFY_CURSOR])
def test_notify(bench, port):
    assert bench.io(port)
    bench.transport.guest_notify()
    assert bench.worker.take() == [("wakeup",)] * 2


def test_update_irq(bench):
    bench.put("int_pending", "I", QxlInterrupt.DISPLAY)
    bench.put("int_mask", "I", QxlInterrupt.CURSOR)
    assert bench.io(QxlIo.UPDATE_IRQ)
    assert bench.interrupts == 0
    bench.put("int_mask", "I", 0x3F)
    assert bench.io(QxlIo.UPDATE_IRQ)
    assert bench.interrupts == 1


def test_reset_leaves_nothing(bench):
    bench.put_monitors([QXLHead(0, 0, 64, 64, 0, 0, 0)])
    bench.io(QxlIo.MONITORS_CONFIG_ASYNC)
    bench.put("int_mask", "I", 0x3F)
    bench.worker.take()
    assert bench.io(QxlIo.RESET)
    assert bench.worker.names() == [
        "reset_cursor", "reset_image_cache", "destroy_surfaces",
    ]  # fmt: skip
    parts = bench.device.parts
    assert parts.memslots.active == []
    assert parts.primary is None
    assert parts.monitors is None
    assert bench.mode is Mode.UNDEFINED
    assert bench.get("int_mask") == 0
    assert bench.interrupts == 0


def test_set_mode(bench):
    mode = bench.device.parts.rom.modes[5]
    assert bench.io(QxlIo.SET_MODE, 5)
    assert bench.mode is Mode.COMPAT
    assert bench.device.parts.memslots.active == []
    call = bench.worker.take()[-1]
    assert call[0] == "create_primary_surface"
    assert (call[1].width, call[1].height) == (mode.x_res, mode.y_res)
    assert int.from_bytes(bench.memory.rom.view[20:24], "little") == 5


@pytest.mark.parametrize("number", [1000, 0xFFFFFFFF])
def test_set_mode_out_of_range(bench, number):
    assert not bench.io(QxlIo.SET_MODE, number)
    assert bench.device.guest_bug
    assert bench.mode is Mode.NATIVE
    assert bench.worker.take() == []


def test_log(bench, caplog):
    offset = bench.device.parts.ram.header
    offset[12:22] = b"I am here\0"
    with caplog.at_level(logging.INFO):
        assert bench.io(QxlIo.LOG)
    assert caplog.messages == ["qxl-0: QXL_IO_LOG: I am here"]


def test_memslots(bench):
    vram = bench.memory.vram
    assert bench.io(QxlIo.MEMSLOT_DEL, 2)
    assert bench.add_slot(3, vram.address, vram.end, wait=False)
    assert bench.device.parts.memslots.active == [1, 3]
    assert bench.take_pending() == QxlInterrupt.IO_CMD
    assert not bench.add_slot(1, vram.address, vram.end)
    assert bench.device.guest_bug


def test_memslot_of_a_wild_number(bench):
    assert not bench.io(QxlIo.MEMSLOT_DEL, 200)
    assert faults(bench) == {"QXL_IO_MEMSLOT_DEL": 1}


def test_slot_0_after_a_windows_reset(bench):
    bench.io(QxlIo.RESET)
    assert not bench.add_slot(0, 1, 2)
    assert not bench.device.guest_bug


@pytest.mark.parametrize("port", [QxlIo.DESTROY_PRIMARY, QxlIo.DESTROY_PRIMARY_ASYNC])
def test_destroy_primary(bench, port):
    assert bench.io(port)
    assert bench.worker.take() == [("destroy_primary_surface",)]
    assert bench.device.parts.primary is None
    assert bench.io(port)
    assert bench.worker.take() == []


@pytest.mark.parametrize("port", [QxlIo.CREATE_PRIMARY, QxlIo.DESTROY_PRIMARY_ASYNC])
def test_there_is_only_one_primary(bench, port):
    if port is QxlIo.CREATE_PRIMARY:
        bench.io(QxlIo.DESTROY_PRIMARY)
    assert not bench.io(port, 1)
    assert bench.device.guest_bug


def test_create_primary_fails_without_leaving_undefined_mode(bench):
    bench.io(QxlIo.DESTROY_PRIMARY)
    bench.put_primary(mem=physical(7, 0))
    assert not bench.io(QxlIo.CREATE_PRIMARY_ASYNC)
    assert bench.mode is Mode.UNDEFINED
    assert not bench.device.guest_bug
    assert bench.take_pending() == QxlInterrupt.IO_CMD


@pytest.mark.parametrize(
    "port", [QxlIo.DESTROY_SURFACE_WAIT, QxlIo.DESTROY_SURFACE_ASYNC]
)
def test_destroy_surface(bench, port):
    assert bench.io(port, 1023)
    assert bench.io(port, 0)
    assert bench.worker.take() == [("destroy_surface", 1023), ("flush_surfaces",)]
    assert not bench.io(port, 1024)
    assert bench.device.guest_bug


def test_destroy_all_and_flush(bench):
    assert bench.io(QxlIo.FLUSH_SURFACES_ASYNC)
    assert bench.io(QxlIo.DESTROY_ALL_SURFACES_ASYNC)
    assert bench.worker.take() == [("flush_surfaces",), ("destroy_surfaces",)]
    assert bench.device.parts.primary is None
    assert bench.mode is Mode.UNDEFINED


def test_monitors_config(bench):
    bench.put_monitors([QXLHead(0, 0, 64, 64, 1, 2, 3)])
    assert bench.io(QxlIo.MONITORS_CONFIG_ASYNC)
    ((name, config),) = bench.worker.take()
    assert name == "monitors_config"
    assert list(config.heads) == [Head(0, 0, 64, 64, 1, 2, 3)]
    bench.put("monitors_config", "Q", 0)
    assert not bench.io(QxlIo.MONITORS_CONFIG_ASYNC)
    assert not bench.device.guest_bug


def test_async_inside_async_is_a_guest_bug(bench):
    """Only a worker that runs the guest from within could do that."""
    answers = []

    def update_area(surface_id: int, area: Rect) -> None:
        answers.append(bench.io(QxlIo.FLUSH_SURFACES_ASYNC))
        assert bench.take_pending() == QxlInterrupt.ERROR

    bench.worker.update_area = update_area
    bench.put("update_area", "4i", 0, 0, 1, 1)
    assert bench.io(QxlIo.UPDATE_AREA_ASYNC)
    assert answers == [False]
    assert bench.device.guest_bug
    assert bench.take_pending() == QxlInterrupt.IO_CMD


def test_a_fault_of_ours_does_not_reach_the_guest(bench, caplog):
    def fail() -> None:
        raise RuntimeError("ours")

    bench.worker.flush_surfaces = fail
    assert not bench.io(QxlIo.FLUSH_SURFACES_ASYNC)
    assert bench.take_pending() == QxlInterrupt.IO_CMD
    assert "QXL_IO_FLUSH_SURFACES_ASYNC with value 0x0 failed" in caplog.text
    assert bench.io(QxlIo.UPDATE_IRQ)
