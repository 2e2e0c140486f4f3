from __future__ import annotations

import logging
import struct

import pytest

from spice_common.atomics import AtomicU32
from vm_transport.guest_memory import MemoryRegion
from vm_transport.ivshmem.header import IO_ENTRIES, QxlIvshmemIoRing
from vm_transport.ivshmem.io_ring import TURN_TIME, IoRing

ENTRIES = QxlIvshmemIoRing.offset("entries")


class Guest:
    """The guest's end of a ring in plain memory."""

    def __init__(self) -> None:
        self.memory = bytearray(4096)
        self.region = MemoryRegion(memoryview(self.memory), 0)
        self.prod = AtomicU32(self.memory, QxlIvshmemIoRing.offset("prod"))
        self.done = AtomicU32(self.memory, QxlIvshmemIoRing.offset("done"))

    def push(self, port: int, value: int) -> int:
        index = self.prod.load()
        entry = ENTRIES + index % IO_ENTRIES * 16
        struct.pack_into("<II", self.memory, entry, port, value)
        self.prod.store((index + 1) & 0xFFFFFFFF)
        return index

    def status(self, index: int) -> int:
        entry = ENTRIES + index % IO_ENTRIES * 16
        return struct.unpack_from("<I", self.memory, entry + 8)[0]


def test_requests_run_in_order_and_say_how_they_ended() -> None:
    guest = Guest()
    ring = IoRing(guest.region)
    first, second = guest.push(8, 1), guest.push(77, 2)
    seen: list[tuple[int, int, int]] = []

    def execute(port: int, value: int) -> bool:
        seen.append((port, value, guest.done.load()))
        return port < 25

    assert not ring.serve(execute)
    assert seen == [(8, 1, 0), (77, 2, 1)]
    assert guest.done.load() == 2
    assert (guest.status(first), guest.status(second)) == (0, 1)


def test_counters_wrap_around() -> None:
    guest = Guest()
    guest.prod.store(0xFFFFFFFE)
    guest.done.store(0xFFFFFFFE)
    ring = IoRing(guest.region)
    for value in range(4):
        guest.push(3, value)
    seen: list[int] = []
    ring.serve(lambda _port, value: not seen.append(value))
    assert seen == [0, 1, 2, 3]
    assert guest.done.load() == 2


def test_what_the_guest_does_to_done_changes_nothing() -> None:
    guest = Guest()
    ring = IoRing(guest.region)
    guest.push(3, 0)
    guest.done.store(12345)
    calls: list[int] = []
    ring.serve(lambda port, _value: not calls.append(port))
    assert calls == [3]
    assert guest.done.load() == 1


def test_a_broken_ring_is_emptied_said_and_usable_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    guest = Guest()
    ring = IoRing(guest.region)
    guest.push(3, 0)
    guest.prod.store(IO_ENTRIES + 1)
    with caplog.at_level(logging.WARNING):
        assert not ring.serve(lambda _port, _value: 1 / 0 > 0)
    assert "prod is 65 ahead of done" in caplog.text
    assert guest.done.load() == IO_ENTRIES + 1
    guest.push(4, 9)
    seen: list[tuple[int, int]] = []
    ring.serve(lambda *request: not seen.append(request))
    assert seen == [(4, 9)]


def test_breaking_it_for_ever_logs_little(caplog: pytest.LogCaptureFixture) -> None:
    guest = Guest()
    ring = IoRing(guest.region)
    with caplog.at_level(logging.WARNING):
        for _ in range(1000):
            guest.prod.store((guest.prod.load() + 1000) & 0xFFFFFFFF)
            ring.serve(lambda _port, _value: True)
    assert ring.times_broken == 1000
    assert len(caplog.records) == 10


def test_one_turn_is_one_rings_worth() -> None:
    guest = Guest()
    ring = IoRing(guest.region, clock=lambda: 0.0)
    for _ in range(IO_ENTRIES):
        guest.push(0, 0)
    count = 0

    def execute(_port: int, _value: int) -> bool:
        nonlocal count
        count += 1
        guest.push(0, 0)
        return True

    assert ring.serve(execute)
    assert count == IO_ENTRIES


def test_slow_requests_share_the_loop_with_others() -> None:
    guest = Guest()
    now = 0.0
    ring = IoRing(guest.region, clock=lambda: now)
    for value in range(3):
        guest.push(0, value)
    seen: list[int] = []

    def execute(_port: int, value: int) -> bool:
        nonlocal now
        now += TURN_TIME
        seen.append(value)
        return True

    assert ring.serve(execute)
    assert seen == [0]
    assert ring.serve(execute)
    assert not ring.serve(execute)
    assert seen == [0, 1, 2]


def test_a_reset_zeroes_both_counters() -> None:
    guest = Guest()
    ring = IoRing(guest.region)
    guest.push(3, 0)
    ring.serve(lambda _port, _value: True)
    guest.push(3, 0)
    ring.reset()
    assert (guest.prod.load(), guest.done.load()) == (0, 0)
    assert not ring.serve(lambda _port, _value: True)


def test_a_device_that_fails_does_not_leave_the_guest_waiting() -> None:
    guest = Guest()
    ring = IoRing(guest.region)
    first = guest.push(3, 0)
    guest.push(4, 0)

    def fail(_port: int, _value: int) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ring.serve(fail)
    assert guest.done.load() == 1
    assert guest.status(first) == 1
    assert not ring.serve(lambda _port, _value: True)
    assert guest.done.load() == 2
