"""Whatever a guest leaves in an I/O ring, serving it is bounded and never raises."""

from __future__ import annotations

from hypothesis import example, given, strategies as st

from spice_common.atomics import AtomicU32
from vm_transport.guest_memory import MemoryRegion
from vm_transport.ivshmem.header import IO_ENTRIES, QxlIvshmemIoRing
from vm_transport.ivshmem.io_ring import IoRing

u32 = st.integers(0, 0xFFFFFFFF)
near_limit = st.sampled_from([0, 1, 63, 64, 65, 66, 2**31, 2**32 - 1])


@given(
    garbage=st.binary(max_size=256),
    at=st.integers(0, QxlIvshmemIoRing.SIZE - 256),
    jumps=st.lists(st.one_of(u32, near_limit), min_size=1, max_size=20),
)
@example(garbage=b"\xff" * 256, at=0, jumps=[0])
def test_any_memory_and_any_counter(garbage: bytes, at: int, jumps: list[int]) -> None:
    memory = bytearray(4096)
    memory[at : at + len(garbage)] = garbage
    ring = IoRing(MemoryRegion(memoryview(memory), 0))
    prod = AtomicU32(memory, QxlIvshmemIoRing.offset("prod"))
    done = AtomicU32(memory, QxlIvshmemIoRing.offset("done"))
    for jump in jumps:
        executed = 0

        def execute(port: int, value: int) -> bool:
            nonlocal executed
            executed += 1
            assert 0 <= port <= 0xFFFFFFFF
            assert 0 <= value <= 0xFFFFFFFF
            return port % 2 == 0

        before = ring.times_broken
        prod.store(jump)
        while ring.serve(execute):
            pass
        assert executed <= IO_ENTRIES
        assert executed == 0 or ring.times_broken == before
        # Nobody waits for ever: everything the guest asked for counts as done.
        assert done.load() == jump


@given(writes=st.lists(st.tuples(st.integers(0, 4092), u32), max_size=64))
def test_a_guest_that_writes_while_it_is_served(writes: list[tuple[int, int]]) -> None:
    memory = bytearray(4096)
    ring = IoRing(MemoryRegion(memoryview(memory), 0))
    prod = AtomicU32(memory, QxlIvshmemIoRing.offset("prod"))
    pending = list(writes)

    def execute(_port: int, _value: int) -> bool:
        if pending:
            offset, value = pending.pop()
            memory[offset : offset + 4] = value.to_bytes(4, "little")
        return True

    prod.store(IO_ENTRIES)
    # Each turn does a bounded amount; more turns only come if the guest asks for them.
    for _ in range(len(writes) + 2):
        ring.serve(execute)
    assert ring.times_broken <= len(writes) + 2
