"""Whatever a guest does, in whatever order, the device keeps its promises."""

from __future__ import annotations

from hypothesis import given, settings, strategies as st

from qxl_device.fault_log import printable
from spice_protocol.qxl_dev import QxlIo, QXLRect
from tests.fakes.fake_guest import FakeGuest, RingFullError
from tests.fakes.guest_port import InProcessPort
from tests.fakes.hostile_guest import play, play_to_worker
from tests.fakes.qxl_bench import QxlBench


@settings(deadline=None)
@given(st.binary(max_size=600))
def test_random_bytes(data):
    play(data)


@settings(deadline=None)
@given(st.binary(max_size=600))
def test_random_bytes_are_drawn(data):
    play_to_worker(data)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 14), st.binary(max_size=40)), max_size=60))
def test_random_steps(steps):
    play(b"".join(bytes([number]) + data for number, data in steps))


@settings(deadline=None)
@given(st.lists(st.sampled_from("dddcwwtfo"), max_size=200))
def test_every_resource_comes_back_exactly_once(steps):
    """Draw, cursor, work, take releases, flush, oom in any order."""
    with QxlBench(ram_size=1 << 20) as bench:
        guest = FakeGuest(InProcessPort(bench.transport))
        guest.setup(16, 16)
        submitted = []
        for step in steps:
            try:
                match step:
                    case "d":
                        block = guest.draw_fill(QXLRect(0, 0, 4, 4), 1)
                        submitted.append(block.offset)
                    case "c":
                        submitted.append(guest.hide_cursor().offset)
                    case "w":
                        work(bench)
                    case "t":
                        guest.collect()  # a second return would raise KeyError
                    case "f":
                        guest.outb(QxlIo.FLUSH_RELEASE)
                    case _:
                        guest.outb(QxlIo.NOTIFY_OOM)
            except RingFullError:
                work(bench)
        work(bench)
        while bench.device.parts.releases.queue.pending:
            guest.collect()
            bench.device.flush_resources()
        guest.collect()
        # Addresses are used again after their return, hence counts, not a set.
        assert sorted(guest.released) == sorted(submitted)
        assert guest.heap.used == {}


def work(bench: QxlBench) -> None:
    while bench.device.get_commands(bench.batch):
        bench.device.release_commands(bench.batch)
    while bench.device.get_cursor_command() is not None:
        pass


@given(st.binary(max_size=5000))
def test_guest_text_is_one_printable_line_of_bounded_length(text):
    line = printable(text)
    assert line.isprintable()
    assert line.isascii()
    assert len(line) <= 4 * 400 + 3
