"""Whatever a guest writes into its port's memory, and however it behaves otherwise."""

from __future__ import annotations

import asyncio
import contextlib

from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from spice_protocol.vdi_dev import VDI_PORT_RING_SIZE, VDIPortRam, VDIPortRing
from tests.fakes.vdi_guest import RecordingPortHandler, VdiGuest
from vdiport import port as vdi_port
from vdiport.errors import RingBrokenError
from vdiport.port import VdiPort
from vm_transport.in_process_vdi import InProcessVdi

WORDS = [
    *range(0, VDIPortRam.offset("input"), 4),
    *(
        VDIPortRam.offset(ring) + VDIPortRing.offset(word)
        for ring in ("input", "output")
        for word in ("num_items", "prod", "notify_on_prod", "cons", "notify_on_cons")
    ),
]
NUMBERS = st.one_of(
    st.integers(0, 0xFFFFFFFF),
    st.sampled_from([0, 1, 2, 65535, 65536, 65537, 1 << 31, 0xFFFFFFFF]),
)


class Machine(RuleBasedStateMachine):
    """A guest that behaves now and then, and its port."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.interval = vdi_port.ANSWER_INTERVAL
        vdi_port.ANSWER_INTERVAL = 0.0  # type: ignore[misc]  # nobody waits in a test
        self.transport = InProcessVdi()
        self.port = VdiPort(self.transport)
        self.handler = RecordingPortHandler()
        self.port.attach(self.handler)
        self.port.start(self.loop)
        self.guest = VdiGuest(self.transport.memory.view, self.transport.guest_notify)

    def teardown(self) -> None:
        self.port.stop()
        self.loop.close()
        vdi_port.ANSWER_INTERVAL = self.interval  # type: ignore[misc]  # as above

    # ---- the guest

    @rule()
    def open(self) -> None:
        if self.guest.words["magic"].load() == 0x50494456:
            self.guest.open()

    @rule()
    def close(self) -> None:
        self.guest.close()

    @rule()
    def notify(self) -> None:
        self.transport.guest_notify()

    @rule(size=st.integers(1, VDI_PORT_RING_SIZE + 1))
    def write(self, size: int) -> None:
        if self.guest.connected:
            with contextlib.suppress(RingBrokenError):  # it broke it itself
                self.guest.write(bytes(size))

    @rule(limit=st.integers(1, VDI_PORT_RING_SIZE))
    def read(self, limit: int) -> None:
        if self.guest.connected:
            with contextlib.suppress(RingBrokenError):
                self.guest.read(limit)

    @rule(at=st.sampled_from(WORDS), number=NUMBERS)
    def poke(self, at: int, number: int) -> None:
        self.transport.memory.view[at : at + 4] = number.to_bytes(4, "little")

    @rule()
    def reset(self) -> None:
        self.transport.guest_reset()

    # ---- the host

    @rule()
    def turn(self) -> None:
        self.loop.run_until_complete(asyncio.sleep(0))

    @rule(data=st.binary(min_size=1, max_size=64), times=st.integers(1, 1500))
    def give(self, data: bytes, times: int) -> None:
        if not self.port.write(data * times):
            assert self.port.opened

    @rule(paused=st.booleans())
    def pause(self, *, paused: bool) -> None:
        if paused:
            self.port.pause()
        else:
            self.port.resume()

    # ---- always

    @invariant()
    def tells_make_sense(self) -> None:
        told = [event for event in self.handler.events if event != "writable"]
        expected = ["opened", "closed"] * (len(told) // 2 + 1)
        assert told == expected[: len(told)]
        # Who was told that it is open can write; else nothing is kept.
        if told[-1:] != ["opened"]:
            assert not self.port._queue

    @invariant()
    def nothing_grows_by_itself(self) -> None:
        assert len(self.handler.data) <= vdi_port.TURN_READS * VDI_PORT_RING_SIZE
        self.handler.data.clear()


TestHostileMachine = Machine.TestCase
TestHostileMachine.settings = settings(max_examples=60, stateful_step_count=40)


@given(
    memory=st.dictionaries(st.sampled_from(WORDS), NUMBERS, max_size=12),
    rings=st.integers(1, 20),
)
def test_a_port_over_any_memory(memory: dict[int, int], rings: int) -> None:
    transport = InProcessVdi()
    for at, number in memory.items():
        transport.memory.view[at : at + 4] = number.to_bytes(4, "little")
    loop = asyncio.new_event_loop()
    port = VdiPort(transport)
    handler = RecordingPortHandler()
    port.attach(handler)
    port.start(loop)
    for _ in range(rings):
        loop.run_until_complete(asyncio.sleep(0))
        transport.guest_notify()
        port.write(b"x")
    assert len(handler.data) <= VDI_PORT_RING_SIZE
    assert handler.events.count("opened") <= 1 + handler.events.count("closed")
    port.stop()
    loop.close()
