from __future__ import annotations

import asyncio
from concurrent.futures import Future

import pytest
from hypothesis import given, strategies as st

from qxld.config import DeviceConfig
from qxld.errors import UsageError
from qxld.monitors import Monitors, desktop
from qxld.settings import max_heads
from spice_server.errors import ClientError
from tests.fakes.input_sink import RecordingSink
from vd_interfaces.qxl import Head, MonitorsConfig, Rect

MIB = 1 << 20


class Worker:
    """A display whose driver takes wishes, or not."""

    def __init__(self, *, able: bool = True) -> None:
        self.able = able
        self.asked: list[list[tuple[int, ...]]] = []

    def on_resize(self, callback):
        self.resize = callback

    def client_monitors_config(self, config):
        if config is not None:
            self.asked.append(
                [(h.id, h.width, h.height, h.x, h.y) for h in config.heads]
            )
        answer: Future[bool] = Future()
        answer.set_result(self.able)
        return answer


class Bench:
    def __init__(self, *able: bool, vram_size: int = 32 * MIB) -> None:
        self.workers = [Worker(able=each) for each in able]
        self.sink = RecordingSink()
        self.resizes = 0
        self.monitors = Monitors(
            self.workers, self.sink, vram_size=vram_size, resized=self.resized
        )

    def resized(self) -> None:
        self.resizes += 1

    async def show(self, number: int, width: int, height: int) -> None:
        self.workers[number].resize(width, height)
        await asyncio.sleep(0)

    def ask(self, *heads: tuple[int, ...]) -> None:
        wished = [Head(n, 0, w, h, x, y) for n, w, h, x, y in heads]
        self.monitors.ask(MonitorsConfig(wished, 64))

    @property
    def places(self):
        """Where displays were said to lie last, as left, top, right, bottom."""
        _, displays = self.sink.calls[-1]
        return {n: (r.left, r.top, r.right, r.bottom) for n, r in displays.items()}


@pytest.mark.asyncio
async def test_the_only_display_has_all_heads():
    bench = Bench(True)
    bench.monitors.watch(asyncio.get_running_loop())
    bench.ask((0, 800, 600, 0, 5), (2, 640, 480, 800, 0))
    assert bench.workers[0].asked == [[(0, 800, 600, 0, 5), (2, 640, 480, 800, 0)]]
    await bench.show(0, 1440, 605)
    assert bench.places == {0: (0, 0, 1440, 605)}
    await bench.show(0, 0, 0)  # between two sizes
    assert bench.places == {0: (0, 0, 1440, 605)}
    assert bench.resizes == 2


@pytest.mark.asyncio
async def test_each_of_several_displays_has_one_head():
    bench = Bench(True, True, True)
    bench.monitors.watch(asyncio.get_running_loop())
    bench.ask((0, 800, 600, 0, 600), (2, 640, 480, 0, 0), (7, 10, 10, 0, 0))
    assert [worker.asked for worker in bench.workers] == [
        [[(0, 800, 600, 0, 600)]],
        [[(0, 0, 0, 0, 0)]],  # off
        [[(0, 640, 480, 0, 0)]],
    ]
    await bench.show(0, 800, 600)
    assert bench.places == {0: (0, 0, 800, 600)}
    await bench.show(2, 640, 480)
    assert bench.places == {0: (0, 600, 800, 1200), 2: (0, 0, 640, 480)}
    # What cannot be as it was asked for lies in a row.
    await bench.show(2, 640, 700)
    assert bench.places == {0: (0, 0, 800, 600), 2: (800, 0, 1440, 700)}


@pytest.mark.asyncio
async def test_displays_nobody_asked_for_lie_in_a_row():
    bench = Bench(True, True)
    bench.monitors.watch(asyncio.get_running_loop())
    await bench.show(1, 1024, 768)
    await bench.show(0, 800, 600)
    assert bench.places == {0: (0, 0, 800, 600), 1: (800, 0, 1824, 768)}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("able", "answer"),
    [((True,), True), ((False,), False), ((True, False), False), ((True, True), True)],
)
async def test_layouts_are_taken_if_all_displays_do(able, answer):
    assert await Bench(*able).monitors.can_be_asked() == answer


def test_what_memory_cannot_hold_is_refused():
    bench = Bench(True, vram_size=2 * MIB)
    bench.ask((0, 512, 512, 0, 0), (1, 512, 512, 0, 512))
    with pytest.raises(
        ClientError, match="1025 x 512 pixels need 3 MiB of VRAM, there are 2"
    ):
        bench.ask((0, 512, 512, 0, 0), (1, 512, 512, 513, 0))
    assert len(bench.workers[0].asked) == 1
    # Each display has memory of its own.
    several = Bench(True, True, vram_size=2 * MIB)
    several.ask((0, 512, 1024, 0, 0), (1, 512, 1024, 512, 0))
    with pytest.raises(ClientError):
        several.ask((0, 512, 1024, 0, 0), (1, 512, 1025, 512, 0))
    assert [len(worker.asked) for worker in several.workers] == [1, 1]


@given(
    st.dictionaries(
        st.integers(0, 3), st.tuples(st.integers(1, 99), st.integers(1, 99))
    ),
    st.dictionaries(
        st.integers(0, 3), st.tuples(st.integers(0, 99), st.integers(0, 99))
    ),
)
def test_displays_lie_beside_each_other(sizes, asked):
    heads = {n: Head(n, 0, 1, 1, x, y) for n, (x, y) in asked.items()}
    places = desktop(sizes, heads)
    assert {n: (r.right - r.left, r.bottom - r.top) for n, r in places.items()} == sizes
    if places:
        assert min(r.left for r in places.values()) == 0
        assert min(r.top for r in places.values()) == 0
    for n, a in places.items():
        assert not any(_overlap(a, b) for m, b in places.items() if m > n)


def _overlap(a: Rect, b: Rect) -> bool:
    columns = range(max(a.left, b.left), min(a.right, b.right))
    return bool(columns and range(max(a.top, b.top), min(a.bottom, b.bottom)))


@pytest.mark.parametrize(
    ("displays", "heads", "result"),
    [(1, None, 4), (1, 1, 1), (1, 4, 4), (2, None, 1), (4, 1, 1)],
)
def test_heads(displays, heads, result):
    assert max_heads(DeviceConfig(displays=displays, heads=heads)) == result


@pytest.mark.parametrize(("displays", "heads"), [(1, 0), (1, 5), (1, -1), (2, 2)])
def test_impossible_heads(displays, heads):
    with pytest.raises(UsageError, match="head"):
        max_heads(DeviceConfig(displays=displays, heads=heads))
