from __future__ import annotations

import gc
import os

import pytest

from vm_transport.errors import MemoryRangeError
from vm_transport.guest_memory import GuestMemory, MemoryRegion

PAGE = 4096


def test_memory_is_shared_zeroed_and_cannot_shrink() -> None:
    with GuestMemory.create(4 * PAGE) as memory:
        assert memory.size == 4 * PAGE
        assert not any(memory.view)
        memory.view[5:8] = b"abc"
        assert os.pread(memory.fileno(), 3, 5) == b"abc"
        for size in (PAGE, 8 * PAGE):
            with pytest.raises(PermissionError):
                os.ftruncate(memory.fileno(), size)
        assert not os.get_inheritable(memory.fileno())


def test_a_second_mapping_of_the_same_descriptor_sees_the_same_bytes() -> None:
    with (
        GuestMemory.create(PAGE) as first,
        GuestMemory(os.dup(first.fileno())) as second,
    ):
        first.view[0] = 7
        assert second.view[0] == 7


def test_discarded_pages_read_as_zero_for_everybody() -> None:
    with GuestMemory.create(3 * PAGE) as memory:
        memory.view[:] = b"x" * (3 * PAGE)
        memory.discard(PAGE, PAGE)
        assert bytes(memory.view) == b"x" * PAGE + bytes(PAGE) + b"x" * PAGE


def test_regions_are_windows_not_copies() -> None:
    with GuestMemory.create(PAGE) as memory:
        region = memory.region(16, 32)
        assert (region.address, region.size, region.end) == (16, 32, 48)
        inner = region.sub(8, 4)
        assert inner.address == 24
        inner.view[:] = b"wxyz"
        assert bytes(memory.view[24:28]) == b"wxyz"
        assert region.sub(32, 0).size == 0


@pytest.mark.parametrize(
    ("offset", "size"), [(-1, 1), (0, -1), (0, 33), (33, 0), (1, 32), (2**64, 1)]
)
def test_a_range_outside_a_region_is_refused(offset: int, size: int) -> None:
    region = MemoryRegion(memoryview(bytearray(32)), 100)
    with pytest.raises(MemoryRangeError):
        region.sub(offset, size)


def test_find_takes_guest_addresses() -> None:
    region = MemoryRegion(memoryview(bytearray(range(32))), 100)
    found = region.find(110, 112)
    assert found is not None
    assert bytes(found.view) == b"\x0a\x0b"
    assert region.find(100, 132) is not None
    for start, end in ((99, 110), (110, 133), (110, 110), (112, 110), (0, 2**64)):
        assert region.find(start, end) is None


def test_closing_does_not_pull_memory_from_under_a_region() -> None:
    memory = GuestMemory.create(PAGE)
    region = memory.region(0, 8)
    fd = memory.fileno()
    memory.close()
    memory.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
    region.view[0] = 1
    assert region.view[0] == 1
    del region
    gc.collect()
