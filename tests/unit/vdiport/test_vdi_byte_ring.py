from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from spice_protocol.vdi_dev import VDI_PORT_RING_SIZE, VDIPortRing
from vdiport.byte_ring import ByteConsumer, ByteProducer, reset_ring
from vdiport.errors import RingBrokenError

NUM_ITEMS, PROD, NOTIFY_ON_PROD, CONS, NOTIFY_ON_CONS = range(5)


class Ends:
    """Both ends of a ring in plain memory."""

    def __init__(self) -> None:
        self.memory = memoryview(bytearray(VDIPortRing.SIZE))
        self.words = self.memory[:20].cast("I")
        reset_ring(self.memory)
        self.producer = ByteProducer(self.memory)
        self.consumer = ByteConsumer(self.memory)

    def start_at(self, index: int) -> None:
        """Let the indexes stand at *index*, in an empty ring."""
        self.words[PROD] = self.words[CONS] = index
        self.producer._prod = self.consumer._cons = index


def test_an_empty_ring_asks_for_the_first_byte() -> None:
    ends = Ends()
    assert list(ends.words) == [VDI_PORT_RING_SIZE, 0, 1, 0, 0]
    assert ends.consumer.take() == (b"", False)
    assert ends.producer.write(b"ab") == (2, True)
    assert ends.producer.write(b"c") == (1, False)
    assert ends.consumer.take(2) == (b"ab", False)
    assert ends.consumer.take() == (b"c", False)


def test_whoever_waits_for_bytes_is_told_once() -> None:
    ends = Ends()
    assert ends.producer.write(b"x").notify
    assert not ends.consumer.wait()  # there is one
    assert ends.consumer.take().data == b"x"
    assert ends.consumer.wait()
    assert [ends.producer.write(b"y").notify for _ in range(3)] == [True, False, False]


def test_a_full_ring_tells_when_half_is_free() -> None:
    ends = Ends()
    half = VDI_PORT_RING_SIZE // 2
    assert ends.producer.write(bytes(VDI_PORT_RING_SIZE + 5)).size == VDI_PORT_RING_SIZE
    assert ends.producer.write(b"x") == (0, False)
    assert ends.producer.wait()
    assert not ends.consumer.take(half - 1).notify
    assert ends.producer.wait()  # there is room, but not yet half
    assert ends.consumer.take(1).notify
    assert not ends.consumer.take(1).notify
    assert not ends.producer.wait()


@pytest.mark.parametrize("distance", [VDI_PORT_RING_SIZE + 1, 1 << 31, 0xFFFFFFFF])
def test_indexes_that_make_no_sense(distance: int) -> None:
    ends = Ends()
    ends.words[PROD] = distance
    with pytest.raises(RingBrokenError, match=f"{distance} bytes in a ring"):
        ends.consumer.take()
    ends.words[CONS] = -distance & 0xFFFFFFFF
    with pytest.raises(RingBrokenError):
        ends.producer.write(b"x")
    with pytest.raises(RingBrokenError):
        ends.producer.wait()


def test_our_own_index_is_not_read_back() -> None:
    ends = Ends()
    ends.producer.write(b"abc")
    ends.words[CONS] = 77
    assert ends.consumer.take(2).data == b"ab"
    assert ends.words[CONS] == 2
    ends.words[PROD] = 99
    ends.producer.write(b"d")
    assert ends.words[PROD] == 4


@given(
    start=st.sampled_from([0, 5, VDI_PORT_RING_SIZE - 3, 0xFFFFFFF0, 0xFFFFFFFF]),
    steps=st.lists(
        st.tuples(st.booleans(), st.integers(1, VDI_PORT_RING_SIZE + 9)), max_size=30
    ),
)
def test_any_sequence_gives_the_same_bytes_and_wakes_whoever_sleeps(
    start: int, steps: list[tuple[bool, int]]
) -> None:
    ends = Ends()
    ends.start_at(start)
    sent, got = bytearray(), bytearray()
    reader_sleeps, writer_sleeps = ends.consumer.wait(), False
    for writes, size in steps:
        if writes and not writer_sleeps:
            data = bytes((len(sent) + k) % 251 for k in range(size))
            done, notify = ends.producer.write(data)
            sent += data[:done]
            assert notify or not (reader_sleeps and done)
            reader_sleeps = reader_sleeps and not notify
            writer_sleeps = done < size and ends.producer.wait()
        elif not writes and not reader_sleeps:
            data, notify = ends.consumer.take(size)
            got += data
            free = VDI_PORT_RING_SIZE - (len(sent) - len(got))
            assert not writer_sleeps or notify == (2 * free >= VDI_PORT_RING_SIZE)
            writer_sleeps = writer_sleeps and not notify
            reader_sleeps = not data and ends.consumer.wait()
    got += ends.consumer.take().data
    assert got == sent
