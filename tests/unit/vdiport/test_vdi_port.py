from __future__ import annotations

import asyncio
import logging
import struct

import pytest
import pytest_asyncio

from spice_protocol.vdi_dev import (
    VDI_PORT_MAGIC,
    VDI_PORT_RING_SIZE,
    VDIPortRam,
)
from tests.fakes.vdi_guest import RecordingPortHandler, VdiGuest
from vdiport import port as vdi_port
from vdiport.errors import VdiWindowError
from vdiport.port import VdiPort
from vm_transport.guest_memory import MemoryRegion
from vm_transport.in_process_vdi import InProcessVdi

pytestmark = pytest.mark.asyncio


class Bench:
    """A port with a handler, and its guest."""

    def __init__(self) -> None:
        self.transport = InProcessVdi()
        self.port = VdiPort(self.transport)
        self.handler = RecordingPortHandler()
        self.port.attach(self.handler)
        self.port.start(asyncio.get_running_loop())
        self.guest = VdiGuest(self.transport.memory.view, self.transport.guest_notify)

    def put(self, field: str, value: int) -> None:
        struct.pack_into(
            "<I", self.transport.memory.view, VDIPortRam.offset(field), value
        )


async def turns(count: int = 3) -> None:
    """Let the loop do what was put off."""
    for _ in range(count):
        await asyncio.sleep(0)


@pytest_asyncio.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(vdi_port, "ANSWER_INTERVAL", 0.0)
    return Bench()


async def test_memory_that_is_too_small_is_refused() -> None:
    transport = InProcessVdi()
    transport.memory = MemoryRegion(memoryview(bytearray(4096)), 0)
    with pytest.raises(VdiWindowError, match="4096"):
        VdiPort(transport)


async def test_the_guest_opens_talks_and_closes(bench: Bench) -> None:
    assert bench.port.name == "com.redhat.spice.0"
    assert not bench.port.opened
    bench.guest.open()
    assert bench.guest.connected
    assert bench.guest.take_interrupt()
    assert bench.port.opened
    await turns()
    assert bench.guest.write(b"from the guest") == 14
    assert bench.handler.data == b"from the guest"
    assert bench.port.write(b"from ")
    assert bench.port.write(bytearray(b"the host"))
    assert bench.guest.take_interrupt()
    assert bench.guest.read(7) == b"from th"
    assert bench.guest.read() == b"e host"
    bench.guest.close()
    assert not bench.guest.connected
    assert not bench.port.opened
    assert bench.handler.events == ["opened", "closed"]


async def test_the_next_opening_is_a_new_stream(bench: Bench) -> None:
    bench.guest.open()
    assert bench.guest.connected
    first = bench.guest.generation
    bench.port.write(b"never read")
    bench.guest.close()
    bench.port.write(b"dropped: nobody is there")
    bench.guest.open()
    assert bench.guest.connected
    assert bench.guest.generation != first
    assert bench.guest.read() == b""
    await turns()
    bench.guest.write(b"new")
    assert bench.handler.data == b"new"


async def test_what_was_written_before_the_close_is_taken(bench: Bench) -> None:
    bench.guest.open()
    assert bench.guest.connected
    bench.guest._notify = lambda: None
    bench.guest.write(b"last words")
    bench.guest.close()
    bench.guest._notify = bench.transport.guest_notify
    bench.guest.open()
    assert bench.handler.events == ["opened", "closed", "opened"]
    bench.handler.events.clear()
    seen: list[bytes] = []
    bench.handler.on_data = seen.append
    await turns()
    assert seen == []  # it belonged to the stream before


async def test_last_words_reach_the_handler_of_their_stream(bench: Bench) -> None:
    seen: list[tuple[list[str], bytes]] = []
    bench.handler.on_data = lambda data: seen.append((list(bench.handler.events), data))
    bench.guest.open()
    assert bench.guest.connected
    bench.guest._notify = lambda: None
    bench.guest.write(b"bye")
    bench.guest.close()
    bench.transport.guest_notify()
    assert seen == [(["opened"], b"bye")]
    assert bench.handler.events == ["opened", "closed"]


async def test_a_paused_port_takes_nothing_and_the_guest_waits(bench: Bench) -> None:
    bench.guest.open()
    bench.port.pause()
    assert bench.guest.write(bytes(VDI_PORT_RING_SIZE + 1)) == VDI_PORT_RING_SIZE
    await turns()
    assert not bench.handler.data
    bench.guest.take_interrupt()
    bench.port.resume()
    await turns()
    assert len(bench.handler.data) == VDI_PORT_RING_SIZE
    assert bench.guest.take_interrupt()  # it asked to be told of room
    assert bench.guest.write(b"x") == 1
    assert bench.handler.data.endswith(b"x")
    bench.port.resume()  # nothing to resume


async def test_a_guest_that_does_not_read_is_written_to_later(bench: Bench) -> None:
    bench.guest.open()
    assert bench.guest.connected
    assert bench.port.write(bytes(VDI_PORT_RING_SIZE))
    message = bytearray(b"more")
    assert not bench.port.write(message)
    message[:] = b"gone"
    assert not bench.port.write(b" and more")
    assert bench.handler.events == ["opened"]
    assert len(bench.guest.read(1000)) == 1000
    assert bench.handler.events == ["opened"]
    assert len(bench.guest.read(VDI_PORT_RING_SIZE // 2)) == VDI_PORT_RING_SIZE // 2
    assert bench.handler.events == ["opened", "writable"]
    assert bench.guest.read().endswith(b"\0more and more")
    assert bench.port.write(b"room again")


async def test_what_waits_is_dropped_with_its_stream(bench: Bench) -> None:
    bench.guest.open()
    bench.port.write(bytes(VDI_PORT_RING_SIZE + 100))
    bench.guest.close()
    bench.guest.open()
    assert bench.guest.connected
    assert bench.port.write(b"fresh")
    assert bench.guest.read() == b"fresh"
    assert "writable" not in bench.handler.events


async def test_a_long_write_of_the_guests_comes_in_turns(bench: Bench) -> None:
    bench.guest.open()
    await turns()
    total = 10 * VDI_PORT_RING_SIZE
    left = total

    def write_more(_data: bytes) -> None:
        nonlocal left
        size = min(left, VDI_PORT_RING_SIZE)
        left -= size
        assert bench.guest.write(bytes(size)) == size

    bench.handler.on_data = write_more
    write_more(b"")
    # The guest writes as fast as it is read, yet others come to their turns.
    assert len(bench.handler.data) < total
    while len(bench.handler.data) < total:
        await turns(1)
    assert left == 0


class TestWithoutHandler:
    async def test_the_guest_is_told_that_nobody_serves(self) -> None:
        bench = Bench()
        assert bench.port.attached
        bench.port.attach(None)
        assert not bench.port.attached
        bench.guest.open()
        assert bench.guest.answered
        assert not bench.guest.connected
        assert bench.port.opened
        assert bench.port.write(b"dropped")
        handler = RecordingPortHandler()
        bench.port.attach(handler)
        await turns()
        assert bench.guest.connected
        assert handler.events == ["opened"]
        assert bench.guest.read() == b""

    async def test_detaching_ends_the_stream(self, bench: Bench) -> None:
        bench.guest.open()
        assert bench.guest.connected
        bench.port.write(b"the end")
        bench.guest.take_interrupt()
        bench.port.attach(None)
        assert bench.guest.take_interrupt()
        assert not bench.guest.connected
        assert bench.guest.read() == b"the end"
        assert bench.handler.events == ["opened"]

    async def test_another_handler_gets_the_next_stream(self, bench: Bench) -> None:
        bench.guest.open()
        assert bench.guest.connected
        other = RecordingPortHandler()
        bench.port.attach(other)
        bench.port.attach(other)
        await turns()
        assert not bench.guest.connected  # half a stream is nobody's
        assert not bench.port.opened
        bench.guest.close()
        bench.guest.open()
        assert bench.guest.connected
        assert (bench.handler.events, other.events) == (["opened"], ["opened"])


class TestHostileGuest:
    @pytest.mark.parametrize("field", ["output.prod", "input.cons"])
    async def test_a_broken_ring_ends_the_connection(
        self, bench: Bench, field: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING):
            for _ in range(100):
                bench.guest.open()
                assert bench.guest.connected
                bench.port.write(bytes(VDI_PORT_RING_SIZE + 1))
                bench.put(field, 0xFFFFFF00)
                bench.transport.guest_notify()
                assert not bench.guest.connected
        assert bench.handler.events == ["opened", "closed"] * 100
        assert bench.port.times_broken == 100
        assert len(caplog.records) == 7  # 1, 2, 4 ... 64

    async def test_a_ring_found_broken_by_a_write(self, bench: Bench) -> None:
        bench.guest.open()
        bench.put("input.cons", 5)
        assert not bench.port.write(b"x")
        assert bench.handler.events == ["opened"]  # the handler is on the stack
        await turns()
        assert bench.handler.events == ["opened", "closed"]

    async def test_openings_are_answered_at_a_limited_rate(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(vdi_port, "ANSWER_INTERVAL", 1000.0)
        bench = Bench()
        for _ in range(50):
            bench.guest.open()
        assert bench.handler.events == ["opened", "closed"]
        assert not bench.guest.answered
        bench.guest.close()
        bench.transport.guest_reset()
        bench.port.stop()

    async def test_a_put_off_answer_comes(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(vdi_port, "ANSWER_INTERVAL", 0.001)
        bench = Bench()
        for _ in range(50):
            bench.guest.open()
        while not bench.guest.connected:
            await turns()
        assert bench.handler.events[-1] == "opened"

    async def test_no_interrupt_that_the_guest_does_not_want(
        self, bench: Bench
    ) -> None:
        bench.guest.open()
        assert bench.guest.connected
        before = bench.transport.interrupts
        bench.put("int_mask", 0xFFFFFFFE)
        bench.port.write(b"x")
        assert bench.transport.interrupts == before
        assert bench.guest.take_interrupt()


class TestLife:
    async def test_a_reset_machine_starts_anew(self, bench: Bench) -> None:
        bench.guest.open()
        bench.port.write(bytes(VDI_PORT_RING_SIZE + 1))
        bench.transport.guest_reset()
        assert bench.handler.events == ["opened", "closed"]
        assert not bench.port.opened
        guest = VdiGuest(bench.transport.memory.view, bench.transport.guest_notify)
        assert guest.words["magic"].load() == VDI_PORT_MAGIC
        guest.open()
        assert guest.connected
        assert guest.read() == b""

    async def test_stop_ends_the_connection(self, bench: Bench) -> None:
        bench.guest.open()
        assert bench.guest.connected
        bench.port.stop()
        assert not bench.guest.connected
        assert bench.handler.events == ["opened"]

    async def test_a_second_server_ends_what_the_first_began(
        self, bench: Bench
    ) -> None:
        bench.guest.open()
        assert bench.guest.connected
        old = bench.guest.generation
        bench.port.write(b"half a mess")
        bench.guest.take_interrupt()
        second = VdiPort(bench.transport)  # the first was killed
        handler = RecordingPortHandler()
        second.attach(handler)
        second.start(asyncio.get_running_loop())
        await turns()
        assert bench.guest.take_interrupt()
        assert not bench.guest.connected
        assert handler.events == []
        bench.guest.open()
        assert bench.guest.connected
        assert bench.guest.generation != old
        assert handler.events == ["opened"]

    async def test_who_opened_before_the_server_came_is_answered(self) -> None:
        transport = InProcessVdi()
        transport.memory.view[: VDIPortRam.SIZE] = bytes(VDIPortRam.SIZE)
        guest = VdiGuest(transport.memory.view, transport.guest_notify)
        guest.words["magic"].store(VDI_PORT_MAGIC)
        guest.open()
        assert not guest.answered
        port = VdiPort(transport)
        port.attach(RecordingPortHandler())
        port.start(asyncio.get_running_loop())
        await turns()
        assert guest.connected
