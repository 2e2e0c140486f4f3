"""Rings against a list: any order of calls, from any index, by either side."""

from __future__ import annotations

import struct

from hypothesis import given, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from spice_common.errors import RingBrokenError
from spice_common.ipc_ring import Consumer, Producer

WORD = 1 << 32
MAX_ITEMS = 8


class RingMachine(RuleBasedStateMachine):
    """One producer, one consumer and the wishes to be notified that are open."""

    @initialize(
        start=st.sampled_from([0, 1, WORD - 1, WORD - 5, WORD // 2 - 2]),
        shift=st.integers(0, 3),
        item_size=st.sampled_from([1, 8, 16]),
    )
    def begin(self, start: int, shift: int, item_size: int) -> None:
        self.num_items = 1 << shift
        self.item_size = item_size
        self.memory = bytearray(Producer.size_of(self.num_items, item_size))
        shape = {"num_items": self.num_items, "item_size": item_size}
        self.producer = Producer(self.memory, **shape).reset()
        self.consumer = Consumer(self.memory, **shape)
        struct.pack_into("<4I", self.memory, 4, start, (start + 1) % WORD, start, start)
        self.model: list[bytes] = []
        self.produced = self.consumed = 0
        self.wake_consumer_at: int | None = 1
        self.wake_producer_at: int | None = None
        self.next_value = 0

    @rule(count=st.integers(0, MAX_ITEMS + 2))
    def push(self, count: int) -> None:
        items = []
        for _ in range(count):
            self.next_value += 1
            items.append((self.next_value % 251).to_bytes(1, "little") * self.item_size)
        fit = min(count, self.num_items - len(self.model))
        pushed = self.producer.push(items)
        assert pushed.pushed == fit
        self.model += items[:fit]
        before, self.produced = self.produced, self.produced + fit
        expected = (
            self.wake_consumer_at is not None
            and before < self.wake_consumer_at <= self.produced
        )
        assert pushed.notify == expected

    @rule(count=st.integers(0, MAX_ITEMS + 2))
    def pop(self, count: int) -> None:
        popped = self.consumer.pop(count)
        assert popped.items == self.model[:count]
        self.model = self.model[count:]
        before, self.consumed = self.consumed, self.consumed + len(popped.items)
        expected = (
            self.wake_producer_at is not None
            and before < self.wake_producer_at <= self.consumed
        )
        assert popped.notify == expected

    @rule()
    def consumer_waits(self) -> None:
        empty = not self.model
        assert self.consumer.wait() == empty
        if empty:
            self.wake_consumer_at = self.produced + 1

    @rule()
    def producer_waits(self) -> None:
        full = len(self.model) == self.num_items
        assert self.producer.wait() == full
        if full:
            self.wake_producer_at = self.consumed + 1

    @precondition(lambda self: hasattr(self, "model"))
    @invariant()
    def length_is_the_models(self) -> None:
        assert self.consumer.length() == len(self.model)


RingMachine.TestCase.settings = settings(max_examples=60, deadline=None)
TestRing = RingMachine.TestCase


@given(
    words=st.tuples(*[st.integers(0, WORD - 1)] * 5),
    shift=st.integers(0, 4),
    calls=st.lists(st.sampled_from(["push", "pop", "cwait", "pwait", "length"])),
)
@settings(deadline=None)
def test_any_words_are_an_error_or_a_ring(
    words: tuple[int, ...], shift: int, calls: list[str]
) -> None:
    """Whatever the five words hold, calls end, and stay inside the ring."""
    num_items = 1 << shift
    size = Producer.size_of(num_items, 8)
    memory = bytearray(size + 64)
    memory[size:] = b"\xa5" * 64
    struct.pack_into("<5I", memory, 0, *words)
    window = memoryview(memory)[:size]
    producer = Producer(window, num_items=num_items, item_size=8)
    consumer = Consumer(window, num_items=num_items, item_size=8)
    broken = (words[1] - words[3]) % WORD > num_items
    for call in calls:
        try:
            match call:
                case "push":
                    producer.push([b"abcdefgh"] * 3)
                case "pop":
                    assert len(consumer.pop(99).items) <= num_items
                case "cwait":
                    consumer.wait()
                case "pwait":
                    producer.wait()
                case _:
                    assert consumer.length() <= num_items
        except RingBrokenError:
            assert broken
        else:
            assert not broken
    assert memory[size:] == b"\xa5" * 64
