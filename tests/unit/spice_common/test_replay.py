"""The wrapper of the replay; what it does with files is tested in C."""

from __future__ import annotations

import pytest

from spice_common.command_batch import CommandBatch
from spice_common.errors import LayoutError, RingBrokenError
from spice_common.ipc_ring import Consumer, Ring
from spice_common.memslot import MemslotTable
from spice_common.release_ring import ReleaseRing
from spice_common.replay import FOREVER, Replay, ReplayMemory, ReplayStatus
from spice_protocol.qxl_dev import QXLCommand, QxlIo, QXLRam
from tests.fakes.replay_text import (
    HEADER,
    create_primary,
    fill,
    message,
    replay_file,
    surface,
)

RAM_SIZE = 1 << 16
VRAM_SIZE = 1 << 16


class Device:
    """Rings in RAM, and who empties them."""

    def __init__(self) -> None:
        self.ram = bytearray(RAM_SIZE + 8192)
        self.vram = bytearray(VRAM_SIZE)
        header = memoryview(self.ram)[RAM_SIZE:]
        self.commands = Consumer(
            header[QXLRam.offset("cmd_ring") :],
            num_items=32,
            item_size=QXLCommand.SIZE,
        )
        self.commands.reset()
        Ring(
            header[QXLRam.offset("cursor_ring") :],
            num_items=32,
            item_size=QXLCommand.SIZE,
        ).reset()
        self.releases = ReleaseRing(
            header[QXLRam.offset("release_ring") :], num_items=8, bunch=1
        )
        self.releases.reset()
        self.slots = MemslotTable()
        self.slots.add(1, 0, memoryview(self.ram)[:RAM_SIZE])
        self.slots.add(2, 0, self.vram)
        self.batch = CommandBatch()
        self.notified = False

    def memory(self, **changes: int) -> ReplayMemory:
        sizes = {"ram_size": RAM_SIZE, "ram_slot": 1, "vram_slot": 2, "slot_shift": 56}
        return ReplayMemory(ram=self.ram, vram=self.vram, **{**sizes, **changes})

    def serve(self) -> int:
        """Take all commands and give them back; how many were good."""
        good = 0
        while self.batch.drain(self.commands, self.slots):
            good += self.batch.num_entries
            self.notified |= self.batch.notify
            self.releases.release(self.batch, self.slots)
        return good


@pytest.fixture
def device() -> Device:
    return Device()


@pytest.fixture
def replay(device) -> Replay:
    made = Replay()
    made.attach(device.memory())
    return made


def feed(replay: Replay, data: bytes) -> None:
    replay.room(len(data))[:] = data
    replay.fed(len(data))


def test_commands_are_good_and_come_back(device, replay):
    data = replay_file(*(fill(0, 0, 4, 4, color) for color in range(5)))
    feed(replay, data)
    assert replay.play() is ReplayStatus.MORE
    assert replay.notify
    assert (replay.commands, replay.in_flight, replay.released) == (5, 5, 0)
    assert device.serve() == 5
    assert replay.collect() == 5
    assert (replay.in_flight, replay.released) == (0, 5)
    replay.end_of_file()
    assert replay.play() is ReplayStatus.END
    assert not replay.notify
    assert replay.offset == len(data)
    assert replay.events == 5


def test_a_full_ring(device, replay):
    feed(replay, replay_file(*(fill(0, 0, 4, 4, color) for color in range(40))))
    assert replay.play() is ReplayStatus.RING_FULL
    assert device.serve() == 32
    assert device.notified
    assert replay.play() is ReplayStatus.MORE
    assert device.serve() == 8


def test_ports(device, replay):
    feed(replay, replay_file(surface(5, 4, 4), create_primary(4, 2, 7), message(19)))
    assert replay.play() is ReplayStatus.BUSY
    assert device.serve() == 1
    assert replay.play() is ReplayStatus.PORT
    assert replay.port == QxlIo.CREATE_PRIMARY
    assert b"\7\0\0\0" * 8 in device.vram
    assert replay.play() is ReplayStatus.PORT
    assert replay.port == QxlIo.DESTROY_ALL_SURFACES
    assert replay.play() is ReplayStatus.MORE


def test_time(device, replay):
    replay.set_max_gap(2_000_000_000)
    events = [fill(0, 0, 1, 1, 0, after=seconds) for seconds in (0, 1, 100)]
    feed(replay, replay_file(*events))
    assert replay.play(0) is ReplayStatus.EARLY
    assert (replay.events, replay.next_ns) == (1, 1_000_000_000)
    assert replay.play(1_000_000_000) is ReplayStatus.EARLY
    assert replay.next_ns == 3_000_000_000
    assert replay.play(FOREVER) is ReplayStatus.MORE
    assert replay.clock_ns == 3_000_000_000


def test_damage(replay):
    feed(replay, HEADER + b"event 0 0 1 5\nnonsense\n")
    assert replay.play() is ReplayStatus.BAD
    assert replay.offset == len(HEADER) + len("event 0 0 1 5\n")
    assert replay.problem == "event 0: expected drawable"
    assert replay.play() is ReplayStatus.BAD


def test_memory_that_does_not_fit(device):
    with pytest.raises(LayoutError, match="QXLRam"):
        Replay().attach(device.memory(ram_size=RAM_SIZE + 8000))
    with pytest.raises(LayoutError, match="QXLRam"):
        Replay().attach(device.memory(ram_size=2 * RAM_SIZE))


def test_a_broken_ring(device, replay):
    prod = RAM_SIZE + QXLRam.offset("release_ring") + 4
    device.ram[prod : prod + 4] = b"\xff" * 4
    with pytest.raises(RingBrokenError):
        replay.play()
    with pytest.raises(RingBrokenError):
        replay.collect()


def test_more_than_any_event_has(replay):
    with pytest.raises(MemoryError):
        replay.room(1 << 40)
