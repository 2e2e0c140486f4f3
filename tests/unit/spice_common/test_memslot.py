from __future__ import annotations

import mmap

import pytest

from spice_common.errors import BadAddressError, LayoutError
from spice_common.memslot import MemslotTable
from tests.fakes.command_memory import physical


@pytest.fixture
def table() -> MemslotTable:
    table = MemslotTable()
    table.add(1, 3, bytearray(range(64)))
    return table


def test_view_is_the_guests_memory() -> None:
    memory = bytearray(64)
    table = MemslotTable()
    table.add(2, 0, memoryview(memory)[16:])
    table.view(physical(2, 0, 8), 4)[:] = b"abcd"
    assert memory[24:28] == b"abcd"


@pytest.mark.parametrize(
    ("address", "size", "reason"),
    [
        (physical(1, 3, 60), 5, "outside"),
        (physical(1, 3, 65), 0, "outside"),
        (physical(1, 3, (1 << 48) - 1), 2, "outside"),
        (physical(1, 3, 0), (1 << 64) - 1, "outside"),
        (physical(1, 2, 0), 1, "generation"),
        (physical(2, 3, 0), 1, "no such memory slot"),
        (physical(255, 255, 0), 1, "no such memory slot"),
        (0, 1, "no such memory slot"),
    ],
)
def test_bad_addresses(
    table: MemslotTable, address: int, size: int, reason: str
) -> None:
    with pytest.raises(BadAddressError, match=reason):
        table.view(address, size)


def test_the_last_byte_is_inside(table: MemslotTable) -> None:
    assert table.view(physical(1, 3, 63), 1)[0] == 63
    assert len(table.view(physical(1, 3, 64), 0)) == 0


@pytest.mark.parametrize(("slot_id", "generation"), [(16, 0), (1, 256)])
def test_slot_that_does_not_fit(
    table: MemslotTable, slot_id: int, generation: int
) -> None:
    with pytest.raises(LayoutError):
        table.add(slot_id, generation, bytearray(8))
    assert slot_id == 1 or slot_id not in table
    assert bytes(table.view(physical(1, 3, 0), 2)) == b"\0\1"


def test_delete_and_reset(table: MemslotTable) -> None:
    assert 1 in table
    table.delete(1)
    assert 1 not in table
    with pytest.raises(BadAddressError):
        table.view(physical(1, 3, 0), 1)
    with pytest.raises(LayoutError):
        table.delete(1)
    table.add(1, 4, bytearray(8))
    table.reset()
    assert 1 not in table
    assert not table.buffers


def test_other_widths() -> None:
    table = MemslotTable(id_bits=1, generation_bits=0)
    table.add(1, 0, bytearray(b"xyz"))
    assert bytes(table.view((1 << 63) | 1, 2)) == b"yz"
    with pytest.raises(LayoutError):
        table.add(2, 0, bytearray(1))
    with pytest.raises(LayoutError):
        MemslotTable(id_bits=0)


def test_memory_stays_mapped_while_somebody_holds_the_buffers() -> None:
    memory = mmap.mmap(-1, 4096)
    table = MemslotTable()
    table.add(1, 0, memory)
    held = table.buffers
    table.delete(1)
    with pytest.raises(BufferError):
        memory.close()
    del held
    memory.close()
