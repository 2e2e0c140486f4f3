from __future__ import annotations

import asyncio

import pytest

from vm_transport.in_process_vdi import InProcessVdi

pytestmark = pytest.mark.asyncio


class Port:
    """A handler that writes down what the guest did."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.transport: InProcessVdi | None = None

    def notify(self) -> None:
        self.calls.append("notify")
        if self.transport is not None:
            transport, self.transport = self.transport, None
            transport.guest_notify()
            self.calls.append("returned")

    def guest_reset(self) -> None:
        self.calls.append("reset")


async def test_the_port_looks_soon_after_it_started() -> None:
    transport, port = InProcessVdi(), Port()
    transport.guest_notify()  # nobody is there
    transport.start(asyncio.get_running_loop(), port)
    assert port.calls == []
    await asyncio.sleep(0)
    assert port.calls == ["notify"]
    transport.stop()
    transport.guest_notify()
    transport.guest_reset()
    assert port.calls == ["notify"]


async def test_a_ring_from_within_a_look_is_another_look() -> None:
    transport, port = InProcessVdi(), Port()
    transport.start(asyncio.get_running_loop(), port)
    port.transport = transport
    transport.guest_notify()
    assert port.calls == ["notify", "returned", "notify"]


async def test_a_reset_empties_the_memory() -> None:
    transport, port = InProcessVdi(), Port()
    transport.start(asyncio.get_running_loop(), port)
    transport.memory.view[:4] = b"VDIP"
    transport.guest_reset()
    assert not any(transport.memory.view)
    assert port.calls == ["reset"]


async def test_interrupts_are_counted_and_told() -> None:
    transport = InProcessVdi()
    transport.raise_interrupt()
    told: list[int] = []
    transport.guest_on_interrupt(lambda: told.append(transport.interrupts))
    transport.raise_interrupt()
    assert told == [2]
