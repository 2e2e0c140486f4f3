from __future__ import annotations

import struct

import pytest

from spice_common.command_batch import CommandBatch
from spice_common.errors import RingBrokenError
from spice_common.ipc_ring import Consumer, Producer
from spice_common.release_ring import ReleaseRing
from spice_protocol.qxl_dev import QXLCmdType, QXLMessage, QXLReleaseInfo
from tests.fakes.command_memory import GENERATION, SLOT, CommandMemory


@pytest.fixture
def guest() -> CommandMemory:
    return CommandMemory()


def run(guest: CommandMemory, count: int) -> tuple[list[int], list[bool]]:
    """Push, drain and release *count* commands one by one; ids and interrupts."""
    batch = CommandBatch()
    ids, interrupts = [], []
    for _ in range(count):
        offset = guest.used
        message = QXLMessage(QXLReleaseInfo(offset)).pack() + b"\0"
        guest.push(QXLCmdType.MESSAGE, guest.put(message))
        assert batch.drain(guest.commands, guest.slots) == 1
        interrupts.append(guest.releases.release(batch, guest.slots))
        ids.append(offset)
    return ids, interrupts


def test_a_bunch_is_pushed_in_one_item_with_one_interrupt(
    guest: CommandMemory,
) -> None:
    ids, interrupts = run(guest, 40)
    assert interrupts == [False] * 31 + [True] + [False] * 8
    assert guest.releases.pending == 8
    assert guest.collect() == ids[:32]
    assert not guest.releases.flush()  # the guest did not ask to be told
    assert guest.collect() == ids[32:]
    assert guest.releases.pending == 0


def test_a_full_ring_makes_the_chain_longer(guest: CommandMemory) -> None:
    guest.releases.bunch = 1
    ids, _ = run(guest, 20)
    assert guest.releases.pending == 13
    assert guest.guest_releases.length() == 7
    assert guest.collect() == ids[:7]
    guest.releases.flush()
    assert guest.collect() == ids[7:]


def test_resources_of_a_deleted_slot_are_lost_not_written(
    guest: CommandMemory,
) -> None:
    run(guest, 2)
    batch = CommandBatch()
    message = QXLMessage(QXLReleaseInfo(guest.used)).pack() + b"\0"
    guest.push(QXLCmdType.MESSAGE, guest.put(message))
    batch.drain(guest.commands, guest.slots)
    guest.slots.delete(SLOT)
    before = bytes(guest.memory)
    guest.releases.release(batch, guest.slots)
    assert guest.memory == before
    assert (guest.releases.pending, guest.releases.lost) == (2, 1)
    guest.slots.add(SLOT, GENERATION, guest.memory)
    guest.releases.flush()
    assert len(guest.collect()) == 2


def test_reset_forgets_the_chain(guest: CommandMemory) -> None:
    run(guest, 3)
    guest.releases.reset()
    assert guest.releases.pending == 0
    assert not guest.releases.flush()
    assert guest.collect() == []


def test_a_broken_ring_is_reported_and_keeps_the_chain() -> None:
    memory = bytearray(Producer.size_of(8, 8))
    guest_side = Consumer(memory, num_items=8, item_size=8)
    guest_side.reset()
    guest = CommandMemory()
    guest.releases = ReleaseRing(memory)
    guest.guest_releases = guest_side
    ids, _ = run(guest, 3)
    struct.pack_into("<I", memory, 12, 5)
    with pytest.raises(RingBrokenError):
        guest.releases.flush()
    assert guest.releases.pending == 3
    struct.pack_into("<I", memory, 12, 0)
    assert guest.releases.flush()
    assert guest.collect() == ids


def test_a_successor_hands_over_what_it_finds() -> None:
    memory = bytearray(Producer.size_of(8, 8))
    guest = CommandMemory()
    guest.guest_releases = Consumer(memory, num_items=8, item_size=8)
    guest.guest_releases.reset()
    guest.releases = ReleaseRing(memory)
    old, _ = run(guest, 3)
    guest.releases = ReleaseRing(memory)
    assert guest.releases.pending == 1
    new, _ = run(guest, 2)
    guest.releases.flush()
    assert guest.collect() == old + new
