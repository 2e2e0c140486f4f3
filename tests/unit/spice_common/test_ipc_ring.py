from __future__ import annotations

import mmap
import struct

import pytest

from spice_common.errors import LayoutError, RingBrokenError
from spice_common.ipc_ring import Consumer, Popped, Producer, Pushed, Ring

SIZE = Ring.size_of(4, 8)


def items(*values: int) -> list[bytes]:
    return [struct.pack("<Q", value) for value in values]


@pytest.fixture
def memory() -> bytearray:
    return bytearray(SIZE)


@pytest.fixture
def producer(memory: bytearray) -> Producer:
    return Producer(memory, num_items=4, item_size=8).reset()


@pytest.fixture
def consumer(memory: bytearray, producer: Producer) -> Consumer:
    return Consumer(memory, num_items=4, item_size=8)


def test_reset_writes_what_spice_ring_init_does(
    memory: bytearray, producer: Producer
) -> None:
    assert struct.unpack_from("<5I", memory) == (4, 0, 1, 0, 0)


def test_items_come_out_in_order(producer: Producer, consumer: Consumer) -> None:
    assert producer.push(items(1, 2, 3)) == Pushed(3, notify=True)
    assert consumer.length() == 3
    assert consumer.pop(2) == Popped(items(1, 2), notify=False)
    assert producer.push(items(4, 5, 6)) == Pushed(3, notify=False)
    assert consumer.pop(100) == Popped(items(3, 4, 5, 6), notify=False)
    assert consumer.pop(100) == Popped([], notify=False)


def test_consumer_that_waits_is_notified(
    producer: Producer, consumer: Consumer
) -> None:
    producer.push(items(1))
    assert not consumer.wait()
    consumer.pop(1)
    assert consumer.wait()
    assert producer.push(items(2)).notify
    assert not producer.push(items(3)).notify


def test_producer_that_waits_is_notified(
    producer: Producer, consumer: Consumer
) -> None:
    assert not producer.wait()
    assert producer.push(items(*range(9))).pushed == 4
    assert producer.wait()
    assert consumer.pop(2).notify
    assert not consumer.pop(2).notify


def test_item_of_another_size_is_refused(producer: Producer) -> None:
    with pytest.raises(LayoutError, match="8 bytes"):
        producer.push([b"short"])


@pytest.mark.parametrize("num_items", [0, 3, 8, 1 << 30])
def test_layout_that_does_not_fit(memory: bytearray, num_items: int) -> None:
    with pytest.raises(LayoutError, match="no ring"):
        Ring(memory, num_items=num_items, item_size=8)


def test_read_only_memory_is_refused() -> None:
    with pytest.raises(BufferError):
        Ring(bytes(SIZE), num_items=4, item_size=8)


@pytest.mark.parametrize("prod", [5, 1 << 31, (1 << 32) - 1])
def test_broken_indexes_are_an_error(
    memory: bytearray, producer: Producer, consumer: Consumer, prod: int
) -> None:
    struct.pack_into("<I", memory, 4, prod)
    before = bytes(memory)
    for call in (
        consumer.length,
        consumer.wait,
        producer.wait,
        lambda: consumer.pop(4),
        lambda: producer.push(items(1)),
    ):
        with pytest.raises(RingBrokenError):
            call()
    assert memory == before


def test_num_items_of_the_guest_is_not_read(
    memory: bytearray, producer: Producer, consumer: Consumer
) -> None:
    struct.pack_into("<I", memory, 0, 1 << 20)
    assert producer.push(items(*range(9))).pushed == 4
    assert len(consumer.pop(1 << 20).items) == 4


def test_memory_stays_mapped_as_long_as_the_ring() -> None:
    memory = mmap.mmap(-1, 4096)
    ring = Ring(memory, num_items=4, item_size=8).reset()
    with pytest.raises(BufferError):
        memory.close()
    del ring
    memory.close()
