from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from vm_transport.in_process import InProcessTransport

if TYPE_CHECKING:
    from collections.abc import Iterator


class Device:
    """A handler that writes down what the guest did."""

    def __init__(self) -> None:
        self.calls: list[object] = []
        self.notified = threading.Event()

    def notify(self) -> None:
        self.calls.append("notify")
        self.notified.set()

    def io_write(self, port: int, value: int) -> bool:
        self.calls.append((port, value, threading.get_ident()))
        if port == 99:
            raise ZeroDivisionError
        return port < 25

    def guest_reset(self) -> None:
        self.calls.append("reset")


@contextmanager
def device_thread(transport: InProcessTransport, device: Device) -> Iterator[int]:
    """Run the device's loop in a thread of its own; gives the thread's number."""
    loop = asyncio.new_event_loop()
    started = threading.Event()

    def run() -> None:
        transport.start(loop, device)
        loop.call_soon(started.set)
        loop.run_forever()
        transport.stop()
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    started.wait()
    yield thread.ident or 0
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def test_calls_of_the_devices_own_thread_go_straight_through() -> None:
    transport = InProcessTransport()
    device = Device()
    loop = asyncio.new_event_loop()
    transport.start(loop, device)
    here = threading.get_ident()
    assert transport.guest_io_write(5, 1)
    assert not transport.guest_io_write(25, 2)
    transport.guest_notify()
    assert device.calls == [(5, 1, here), (25, 2, here), "notify"]
    transport.close()
    loop.close()


def test_calls_of_another_thread_run_in_the_devices_and_wait_for_it() -> None:
    transport = InProcessTransport()
    device = Device()
    with device_thread(transport, device) as ident:
        assert transport.guest_io_write(8, 3)
        assert not transport.guest_io_write(30, 0)
        transport.guest_notify()
        assert device.notified.wait(60)
        assert device.calls == [(8, 3, ident), (30, 0, ident), "notify"]
    transport.close()


def test_a_devices_error_reaches_the_waiting_guest() -> None:
    transport = InProcessTransport()
    with (
        device_thread(transport, Device()),
        pytest.raises(ZeroDivisionError),
    ):
        transport.guest_io_write(99, 0)
    transport.close()


def test_no_device_is_an_error_not_a_hang() -> None:
    transport = InProcessTransport()
    with pytest.raises(ConnectionError):
        transport.guest_io_write(5, 0)
    transport.close()


def test_a_doorbell_before_the_device_is_heard_later() -> None:
    transport = InProcessTransport()
    transport.guest_notify()
    device = Device()
    with device_thread(transport, device):
        assert device.notified.wait(60)
    assert device.calls == ["notify"]
    transport.close()


def test_interrupts_merge_and_are_taken_once() -> None:
    transport = InProcessTransport()
    seen: list[int] = []
    transport.guest_on_interrupt(lambda: seen.append(1))
    transport.raise_interrupt()
    transport.raise_interrupt()
    assert transport.guest_wait_interrupt(0)
    assert not transport.guest_wait_interrupt(0)
    assert len(seen) == 2
    transport.close()


def test_slots_lie_inside_ram_or_inside_vram() -> None:
    transport = InProcessTransport()
    memory = transport.memory
    ram, vram = memory.ram, memory.vram
    slot = memory.find_slot(ram.address + 8, ram.address + 24)
    assert slot is not None
    slot.view[:3] = b"abc"
    assert bytes(ram.view[8:11]) == b"abc"
    whole = memory.find_slot(vram.address, vram.end)
    assert whole is not None
    assert whole.size == vram.size
    for start, end in (
        (ram.address - 1, ram.end),
        (ram.address, vram.end),
        (ram.end - 1, vram.address + 1),
        (vram.address, vram.end + 1),
        (ram.address, ram.address),
        (ram.end, ram.address),
        (0, 16),
        (-1, 2**64),
    ):
        assert memory.find_slot(start, end) is None
    transport.close()


def test_a_reset_empties_the_memory_first() -> None:
    transport = InProcessTransport()
    device = Device()
    loop = asyncio.new_event_loop()
    transport.start(loop, device)
    transport.guest_bind(bound=True)
    assert transport.driver_bound
    memory = transport.memory
    for region in (memory.rom, memory.ram, memory.vram):
        region.view[:4] = b"left"
    transport.guest_reset()
    assert device.calls == ["reset"]
    assert not transport.driver_bound
    for region in (memory.rom, memory.ram, memory.vram):
        assert not any(region.view)
    transport.close()
    loop.close()
