"""Command, cursor and release rings, driven by a polite guest and a rude one."""

from __future__ import annotations

import logging

import pytest

from spice_protocol.enums import SpiceCursorType
from spice_protocol.qxl_dev import (
    QXLBlackness,
    QXLClip,
    QXLCmdType,
    QXLCommand,
    QXLCompatDrawable,
    QxlCursorCmdType,
    QxlDrawType,
    QxlInterrupt,
    QxlIo,
    QXLPoint,
    QXLQMask,
    QXLRect,
    QXLReleaseInfo,
)
from tests.fakes.fake_guest import FakeGuest
from tests.fakes.guest_port import InProcessPort
from tests.fakes.qxl_bench import QxlBench, physical


@pytest.fixture
def bench():
    with QxlBench(ram_size=8 << 20) as bench:
        yield bench


@pytest.fixture
def guest(bench):
    guest = FakeGuest(InProcessPort(bench.transport))
    guest.setup(64, 64)
    bench.take_pending()
    bench.worker.take()
    return guest


AREA = QXLRect(0, 0, 8, 8)


def test_first_push_rings_and_an_empty_ring_asks_for_the_next(bench, guest):
    guest.draw_fill(AREA, 1)
    assert bench.worker.take() == [("wakeup",)]
    guest.draw_fill(AREA, 2)
    assert bench.worker.take() == []
    assert bench.device.get_commands(bench.batch) == 2
    assert bench.batch.num_draws == 2
    bench.device.release_commands(bench.batch)
    assert bench.device.get_commands(bench.batch) == 0
    guest.draw_fill(AREA, 3)
    assert bench.worker.take() == [("wakeup",)]


def test_a_full_ring_is_told_of_room(bench, guest):
    for color in range(32):
        guest.draw_fill(AREA, color)
    assert guest.cmd_ring.wait()
    bench.take_pending()
    assert bench.device.get_commands(bench.batch) == 32
    assert bench.take_pending() == QxlInterrupt.DISPLAY


def test_every_resource_comes_back_once_in_order(bench, guest):
    drawn = []
    for _ in range(10):
        drawn += [guest.draw_fill(AREA, n).offset for n in range(20)]
        assert bench.device.get_commands(bench.batch) == 20
        bench.device.release_commands(bench.batch)
        guest.collect()
    assert bench.device.get_commands(bench.batch) == 0
    held_back = 200 % 32
    assert guest.released == drawn[: 200 - held_back]
    assert bench.device.flush_resources() == held_back
    assert bench.device.flush_resources() == 0
    guest.collect()
    assert guest.released == drawn
    assert guest.heap.used == {}


def test_releases_come_in_bunches_with_one_interrupt(bench, guest):
    assert guest.release_ring.wait()
    before = bench.interrupts
    for _ in range(3):
        for color in range(16):
            guest.draw_fill(AREA, color)
        bench.device.get_commands(bench.batch)
        bench.device.release_commands(bench.batch)
    assert bench.interrupts - before == 1
    assert bench.take_pending() == QxlInterrupt.DISPLAY
    assert len(guest.collect()) == 32
    assert bench.device.parts.releases.queue.pending == 16


def test_flush_release_and_oom(bench, guest):
    for port in (QxlIo.FLUSH_RELEASE, QxlIo.NOTIFY_OOM):
        guest.draw_fill(AREA, 1)
        bench.device.get_commands(bench.batch)
        bench.device.release_commands(bench.batch)
        assert guest.collect() == []
        bench.worker.take()
        assert guest.outb(port)
        asked = [("oom",)] if port is QxlIo.NOTIFY_OOM else []
        assert bench.worker.take() == asked
        assert len(guest.collect()) == 1


def test_oom_does_nothing_while_the_guest_has_releases_to_take(bench, guest):
    guest.draw_fill(AREA, 1)
    bench.device.get_commands(bench.batch)
    bench.device.release_commands(bench.batch)
    bench.device.flush_resources()
    bench.worker.take()
    assert guest.outb(QxlIo.NOTIFY_OOM)
    assert bench.worker.take() == []


def test_a_full_release_ring_makes_the_chain_longer(bench, guest):
    drawn = []
    for _ in range(12):
        drawn.append(guest.draw_fill(AREA, 1).offset)
        bench.device.get_commands(bench.batch)
        bench.device.release_commands(bench.batch)
        bench.device.flush_resources()
    assert bench.device.parts.releases.queue.pending == 5
    assert guest.collect() == drawn[:7]
    assert bench.device.flush_resources() == 5
    assert guest.collect() == drawn[7:]


def test_what_was_taken_before_a_reset_is_not_released_after_it(bench, guest):
    guest.draw_fill(AREA, 1)
    bench.device.get_commands(bench.batch)
    guest.bind()
    guest.add_memslots()
    bench.device.release_commands(bench.batch)
    bench.device.flush_resources()
    assert guest.collect() == []
    assert bench.device.parts.releases.queue.lost == 1


def test_bad_commands_are_dropped_counted_and_released(bench, guest):
    block = guest.draw_fill(QXLRect(5, 5, 5, 5), 1)
    guest.push(QXLCmdType.DRAW, physical(5, 0))
    guest.push(99, guest.physical(block.offset))
    assert bench.device.get_commands(bench.batch) == 3
    assert bench.batch.num_entries == 0
    bench.device.release_commands(bench.batch)
    assert bench.device.parts.faults.counts["bad command"] == 3
    assert not bench.device.guest_bug
    assert bench.device.parts.commands.taken == 3


def test_a_message_is_logged(bench, guest, caplog):
    block = guest.heap.alloc(32)
    guest.write(block.offset, b"\x08" + bytes(7) + b"hello host\n\0")
    guest.push(QXLCmdType.MESSAGE, guest.physical(block.offset))
    with caplog.at_level(logging.INFO):
        bench.device.get_commands(bench.batch)
    assert any("QXL_CMD_MESSAGE: hello host" in line for line in caplog.messages)


def test_cursor_commands(bench, guest):
    pixels = bytes(range(256)) * 4
    guest.set_cursor(pixels, 16, 16, hot_spot=(3, 4), position=(5, 6), unique=9)
    guest.move_cursor(-7, 8)
    guest.hide_cursor()
    command = bench.device.get_cursor_command()
    assert command is not None
    assert command.shape is not None
    assert (command.type, command.x, command.y) == (QxlCursorCmdType.SET, 5, 6)
    assert (command.visible, command.shape.unique) == (True, 9)
    assert (command.shape.width, command.shape.height) == (16, 16)
    assert (command.shape.hot_spot_x, command.shape.hot_spot_y) == (3, 4)
    assert command.shape.type == SpiceCursorType.ALPHA
    assert command.shape.data == pixels
    command = bench.device.get_cursor_command()
    assert command is not None
    assert (command.type, command.x, command.y) == (QxlCursorCmdType.MOVE, -7, 8)
    assert command.shape is None
    command = bench.device.get_cursor_command()
    assert command is not None
    assert command.type == QxlCursorCmdType.HIDE
    assert bench.device.get_cursor_command() is None
    bench.device.flush_resources()
    assert len(guest.collect()) == 3
    guest.hide_cursor()
    assert bench.worker.take()[-1] == ("wakeup",)


def test_cursor_ring_tells_of_room_and_of_releases(bench, guest):
    for _ in range(32):
        guest.hide_cursor()
    assert guest.cursor_ring.wait()
    assert guest.release_ring.wait()
    bench.take_pending()
    assert bench.device.get_cursor_command() is not None
    assert bench.take_pending() == QxlInterrupt.CURSOR
    while bench.device.get_cursor_command() is not None:
        pass
    assert bench.take_pending() == QxlInterrupt.DISPLAY
    assert len(guest.collect()) == 32


def test_bad_cursors_are_counted(bench, guest):
    guest.push(QXLCmdType.CURSOR, physical(6, 0))
    assert bench.device.get_cursor_command() is None
    assert bench.device.parts.faults.counts["bad cursor"] == 1


@pytest.mark.parametrize("ring", ["cmd_ring", "cursor_ring", "release_ring"])
@pytest.mark.parametrize("distance", [33, 0x80000000, 0xFFFFFFFF])
def test_a_broken_ring_is_a_guest_bug_until_reset(bench, ring, distance):
    bench.add_slots()
    bench.push("cmd_ring", QXLCommand(physical(1, 4096), QXLCmdType.DRAW))
    bench.memory.ram.view[4096] = 1  # a release id
    bench.put(f"{ring}.prod", "I", distance)
    for _ in range(3):
        bench.device.get_commands(bench.batch)
        bench.device.release_commands(bench.batch)
        bench.device.flush_resources()
        assert bench.device.get_cursor_command() is None
    assert bench.device.guest_bug
    assert bench.device.parts.faults.counts[ring] == 1
    assert QxlInterrupt.ERROR in bench.take_pending()
    assert bench.device.get_commands(bench.batch) == 0
    assert not bench.io(QxlIo.NOTIFY_OOM)
    assert bench.io(QxlIo.RESET)
    assert not bench.device.guest_bug
    assert bench.device.get_commands(bench.batch) == 0


def test_a_ring_that_breaks_under_a_full_bunch(bench, guest):
    for color in range(32):
        guest.draw_fill(AREA, color)
    bench.device.get_commands(bench.batch)
    bench.put("release_ring.prod", "I", 1000)
    bench.device.release_commands(bench.batch)
    assert bench.device.guest_bug
    assert bench.device.flush_resources() == 0
    assert bench.device.parts.faults.counts["release_ring"] == 1


def test_a_broken_release_ring_is_noticed_at_oom(bench):
    bench.put("release_ring.prod", "I", 1000)
    assert bench.io(QxlIo.NOTIFY_OOM)
    assert bench.device.guest_bug
    assert bench.worker.names()[-1:] != ["oom"]


def test_nothing_is_taken_in_vga_mode(bench, guest):
    guest.draw_fill(AREA, 1)
    guest.hide_cursor()
    bench.device._ports.mode = type(bench.mode).VGA
    assert bench.device.get_commands(bench.batch) == 0
    assert bench.device.get_cursor_command() is None


def test_commands_of_a_first_generation_driver(bench, guest):
    assert guest.outb(QxlIo.SET_MODE, 0)
    guest.add_memslots()
    body = QXLBlackness(QXLQMask(0, QXLPoint(0, 0), 0)).pack()
    drawable = QXLCompatDrawable(
        QXLReleaseInfo(0), 1, QxlDrawType.DRAW_BLACKNESS, 0,
        AREA, AREA, QXLClip(0, 0), 0, body,
    )  # fmt: skip
    block = guest.heap.alloc(QXLCompatDrawable.SIZE)
    guest.submit(QXLCmdType.DRAW, block, drawable)
    assert bench.device.get_commands(bench.batch) == 1
    assert bench.batch.num_draws == 1
