"""The fake guest itself, against the real device."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from qxl_device.device import QXLDevice
from qxl_device.rom import RomParameters
from spice_common.command_batch import CommandBatch
from spice_protocol.qxl_dev import QxlInterrupt, QxlIo, QXLRect
from tests.fakes.fake_guest import FakeGuest, RingFullError
from tests.fakes.fake_qemu import FakeQemu
from tests.fakes.guest_port import InProcessPort
from tests.fakes.recording_worker import RecordingWorker
from vm_transport.in_process import InProcessTransport
from vm_transport.ivshmem.layout import Layout
from vm_transport.ivshmem.server import IvshmemServer

if TYPE_CHECKING:
    from pathlib import Path


class Machine:
    """A fake guest and its device, both in this thread."""

    def __init__(self) -> None:
        self.transport = InProcessTransport()
        self.loop = asyncio.new_event_loop()
        self.device = QXLDevice(self.transport, 0)
        self.worker = RecordingWorker()
        self.device.attach(self.worker, self.loop)
        self.guest = FakeGuest(InProcessPort(self.transport))
        self.batch = CommandBatch()

    def serve(self) -> int:
        taken = self.device.get_commands(self.batch)
        self.device.release_commands(self.batch)
        return taken

    def close(self) -> None:
        self.device.detach()
        self.loop.close()
        self.transport.close()


@pytest.fixture
def machine():
    machine = Machine()
    machine.guest.setup(64, 48)
    machine.worker.take()
    yield machine
    machine.close()


def test_setup_gives_the_worker_a_primary_surface() -> None:
    machine = Machine()
    machine.guest.setup(320, 200)
    (call,) = [c for c in machine.worker.calls if c[0] == "create_primary_surface"]
    assert (call[1].width, call[1].height, call[1].stride) == (320, 200, 1280)
    assert machine.transport.driver_bound
    machine.guest.unbind()
    assert not machine.transport.driver_bound
    machine.close()


def test_commands_are_taken_and_come_back(machine: Machine) -> None:
    guest = machine.guest
    area = QXLRect(0, 0, 4, 8)
    blocks = [
        guest.draw_copy(bytes(4 * 8 * 4), area, clip=[QXLRect(0, 0, 2, 2)]),
        guest.draw_fill(area, 0x123456),
        guest.copy_bits(QXLRect(8, 8, 12, 16), 0, 0),
        guest.create_surface(1, 16, 16),
        guest.destroy_surface(1),
    ]
    assert machine.serve() == 5
    assert not machine.batch.take_errors()
    machine.device.flush_resources()
    assert guest.collect() == [block.offset for block in blocks]
    assert guest.heap.used == {}


def test_a_cursor_reaches_the_device(machine: Machine) -> None:
    guest = machine.guest
    guest.set_cursor(b"\xff\x00\x00\x80" * 16, 4, 4, hot_spot=(1, 2), position=(5, 6))
    guest.move_cursor(-3, 9)
    guest.hide_cursor()
    first = machine.device.get_cursor_command()
    assert first is not None
    assert first.shape is not None
    assert (first.x, first.y, first.shape.hot_spot_y) == (5, 6, 2)
    assert first.shape.data == b"\xff\x00\x00\x80" * 16
    second = machine.device.get_cursor_command()
    assert second is not None
    assert (second.x, second.y) == (-3, 9)
    assert machine.device.get_cursor_command() is not None
    assert machine.device.get_cursor_command() is None


def test_a_full_ring_is_said_and_costs_nothing(machine: Machine) -> None:
    guest = machine.guest
    for _ in range(32):
        guest.draw_fill(QXLRect(0, 0, 1, 1), 0)
    used = dict(guest.heap.used)
    with pytest.raises(RingFullError):
        guest.draw_fill(QXLRect(0, 0, 1, 1), 0)
    assert guest.heap.used == used


def test_an_async_port_interrupts(machine: Machine) -> None:
    guest = machine.guest
    guest.take_interrupts()
    assert guest.outb(QxlIo.FLUSH_SURFACES_ASYNC)
    assert guest.take_interrupts() & QxlInterrupt.IO_CMD
    guest.outb(QxlIo.FLUSH_SURFACES_ASYNC)
    guest.wait_interrupt(QxlInterrupt.IO_CMD)


@pytest.mark.asyncio
async def test_the_same_guest_over_ivshmem(tmp_path: Path) -> None:
    """All of the way: doorbells, I/O ring and interrupts; the device in a thread."""
    layout = Layout.plan(ram_size=8 << 20, vram_size=1 << 20)
    server = IvshmemServer(tmp_path / "ivshmem", layout)
    (display,) = server.displays
    device = QXLDevice(display, RomParameters.for_ram(0, layout.displays[0].ram.size))
    batch = CommandBatch()
    loop = asyncio.new_event_loop()
    started = threading.Event()
    taken = 0

    class Worker(RecordingWorker):
        def wakeup(self) -> None:
            nonlocal taken
            while count := device.get_commands(batch):
                taken += count
                device.release_commands(batch)
            device.flush_resources()

    def run() -> None:
        device.attach(Worker(), loop)
        loop.call_soon(started.set)
        loop.run_forever()
        device.detach()
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    started.wait()
    await server.start()

    def drive() -> int:
        qemu = FakeQemu(server.path, server.vectors).realize().read_vectors(5)
        port = qemu.port(lambda: qemu.wait_msix(0, 0.001) and None)
        guest = FakeGuest(port)
        guest.setup(64, 48)
        drawn = []
        for number in range(300):
            area = QXLRect(0, 0, 1 + number % 48, 64)
            while True:
                try:
                    drawn.append(guest.draw_fill(area, number).offset)
                    break
                except RingFullError:
                    guest.collect()
        while len(guest.released) < len(drawn):
            # The device keeps a short chain to itself until it is asked.
            guest.outb(QxlIo.FLUSH_RELEASE)
            guest.collect()
        assert guest.outb(QxlIo.FLUSH_SURFACES_ASYNC)
        guest.wait_interrupt(QxlInterrupt.IO_CMD)
        assert guest.released == drawn
        assert guest.heap.used == {}
        guest.unbind()
        qemu.close()
        return len(drawn)

    assert await asyncio.to_thread(drive) == 300
    await server.wait_detached()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    assert taken == 300
    await server.close()
