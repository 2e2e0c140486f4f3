from __future__ import annotations

import pytest

from qxl_device.errors import GuestBug, GuestError
from qxl_device.memslot import Memslots
from tests.fakes.qxl_bench import physical
from vm_transport.in_process import InProcessTransport


@pytest.fixture
def transport():
    transport = InProcessTransport(ram_size=1 << 16, vram_size=1 << 16)
    yield transport
    transport.close()


@pytest.fixture
def slots(transport):
    return Memslots(transport.memory)


def test_addresses_count_from_the_slots_start(slots, transport):
    ram = transport.memory.ram
    slots.add(1, ram.address + 0x1000, ram.address + 0x3000)
    ram.view[0x1004:0x1008] = b"here"
    assert bytes(slots.resolve(physical(1, 4), 4)) == b"here"
    assert slots.active == [1]
    assert len(slots.resolve(physical(1, 0), 0x2000)) == 0x2000


@pytest.mark.parametrize(
    ("address", "size"),
    [
        (physical(1, 0x2000), 1),
        (physical(1, 0), 0x2001),
        (physical(1, 0xFFFFFFFFFFFF), 2),
        (physical(2, 0), 1),
        (physical(255, 0), 1),
        (physical(1, 0) | 1 << 48, 1),
        (0, 1),
    ],
)
def test_bad_addresses(slots, transport, address, size):
    slots.add(1, transport.memory.ram.address, transport.memory.ram.address + 0x2000)
    with pytest.raises(GuestError):
        slots.resolve(address, size)


def test_illegal_slots(slots, transport):
    ram, vram = transport.memory.ram, transport.memory.vram
    for slot_id, start, end in (
        (8, ram.address, ram.end),
        (0xFFFFFFFF, ram.address, ram.end),
        (1, ram.address - 1, ram.end),
        (1, ram.address, vram.address + 1),
        (1, ram.end, ram.address),
        (1, ram.address, ram.address),
        (1, ram.address + 2, ram.end),
        (1, 0, 0xFFFFFFFFFFFFFFFF),
    ):
        with pytest.raises(GuestBug):
            slots.add(slot_id, start, end)
    assert slots.active == []


def test_a_slot_is_deleted_before_it_is_added_again(slots, transport):
    ram, vram = transport.memory.ram, transport.memory.vram
    slots.add(7, ram.address, ram.end)
    with pytest.raises(GuestBug):
        slots.add(7, vram.address, vram.end)
    slots.delete(7)
    slots.delete(7)
    slots.add(7, vram.address, vram.end)
    vram.view[:2] = b"vr"
    assert bytes(slots.resolve(physical(7, 0), 2)) == b"vr"
    with pytest.raises(GuestBug):
        slots.delete(8)
    slots.reset()
    assert slots.active == []


def test_windows_adds_slot_0_with_stale_addresses(slots):
    with pytest.raises(GuestError) as caught:
        slots.add(0, 1, 2)
    assert not isinstance(caught.value, GuestBug)
