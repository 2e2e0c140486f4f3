from __future__ import annotations

import struct
import threading

import pytest

from spice_common.atomics import AtomicU32


def test_every_access_is_a_little_endian_word() -> None:
    memory = bytearray(12)
    word = AtomicU32(memory, 4)
    word.store(0x01020304)
    assert memory == struct.pack("<III", 0, 0x01020304, 0)
    assert word.load() == 0x01020304
    assert word.fetch_or(0x80000000) == 0x01020304
    assert word.exchange(7) == 0x81020304
    assert word.load() == 7


@pytest.mark.parametrize("offset", [-4, 9, 12, 2])
def test_a_word_outside_the_memory_or_unaligned_is_refused(offset: int) -> None:
    with pytest.raises(ValueError, match="word at"):
        AtomicU32(bytearray(12), offset)


def test_bits_set_by_several_threads_are_all_there() -> None:
    memory = bytearray(4)
    seen: list[int] = []

    def set_bits(first: int) -> None:
        word = AtomicU32(memory)
        seen.extend(word.fetch_or(1 << bit) for bit in range(first, 32, 4))

    threads = [threading.Thread(target=set_bits, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert AtomicU32(memory).load() == 0xFFFFFFFF
    assert len(seen) == len(set(seen)) == 32
