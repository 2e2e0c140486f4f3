"""lz4_block: there and back, bounds, damage."""

from __future__ import annotations

import contextlib
import random

import pytest
from hypothesis import given, strategies as st

from spice_common.lz4_block import pack, unpack


@given(st.binary(max_size=5000).map(lambda data: data * 3))
def test_there_and_back(data):
    block = pack(data, len(data) + 100)
    assert unpack(block, len(data)) == data


def test_no_more_than_asked_for():
    noise = random.Random(1).randbytes(2000)
    assert pack(noise, 1999) is None
    block = pack(bytes(100_000), 1000)
    assert len(block) < 1000


def test_a_block_of_the_reference_program():
    # lz4 1.9: token 0x14 (1 literal, match 4 + 4), then 5 last literals.
    assert unpack(b"\x14a\x01\x00\x50aaaaa", 14) == b"a" * 14


@pytest.mark.parametrize("size", [0, 99_999, 100_001, 4_000_000])
def test_another_size_is_damage(size):
    with pytest.raises(ValueError, match=f"of {size} bytes"):
        unpack(pack(bytes(100_000), 1000), size)


@given(st.binary(max_size=300), st.integers(0, 5000))
def test_any_bytes(block, size):
    with contextlib.suppress(ValueError):
        assert len(unpack(block, size)) == size


def test_damaged_blocks():
    good = pack(b"some text, and again: some text" * 50, 2000)
    rng = random.Random(2)
    for _ in range(5000):
        bad = bytearray(good)
        for _ in range(rng.randint(1, 4)):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        try:
            unpack(bytes(bad), 1550)
        except ValueError:
            continue
