"""Keys and pointer as input-send-event commands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from qmp_bridge import input_events
from qmp_bridge.input_events import MAX_IN_FLIGHT, QmpInputSink
from vd_interfaces.qxl import Rect

if TYPE_CHECKING:
    from collections.abc import Callable

LEFT, MIDDLE, RIGHT, UP, DOWN, SIDE, EXTRA = (1 << bit for bit in range(7))


class Pipe:
    """QEMU, answering when the test says so."""

    def __init__(self) -> None:
        self.commands: list[dict] = []
        self.waiting: list[Callable[[bytes], None]] = []
        self.held = False

    def submit(self, message, on_reply):
        self.commands.append(json.loads(message))
        self.waiting.append(on_reply)
        if not self.held and len(self.waiting) == 1:
            self.answer()

    def answer(self, line=b'{"return": {}}\r\n', count=-1):
        while self.waiting and count:
            count -= 1
            self.waiting[0](line)
            self.waiting.pop(0)

    def events(self):
        return [
            [_short(event) for event in command["arguments"]["events"]]
            for command in self.commands
        ]


def _short(event):
    data = event["data"]
    match event["type"]:
        case "key":
            assert data["key"]["type"] == "number"
            return ("key", data["key"]["data"], data["down"])
        case "btn":
            return ("btn", data["button"], data["down"])
        case kind:
            return (kind, data["axis"], data["value"])


@pytest.fixture
def pipe() -> Pipe:
    return Pipe()


@pytest.fixture
def sink(pipe) -> QmpInputSink:
    return QmpInputSink(pipe)


def _type(sink, codes):
    for byte in bytes.fromhex(codes):
        sink.push_scancode(byte)


def test_keys(sink, pipe):
    _type(sink, "1e 9e e0 48 e0 c8 e1 1d 45 e1 9d c5")
    assert pipe.events() == [
        [("key", 0x1E, True)],
        [("key", 0x1E, False)],
        [("key", 0xC8, True)],
        [("key", 0xC8, False)],
        [("key", 0xC6, True)],
        [("key", 0xC6, False)],
    ]
    assert {command["execute"] for command in pipe.commands} == {"input-send-event"}


def test_relative_motion_with_buttons_and_wheel(sink, pipe):
    sink.motion(3, -4, 0, 0)
    sink.motion(0, 0, 0, LEFT | RIGHT)
    sink.motion(1, 0, -1, LEFT)
    sink.motion(0, 0, 1, 0)
    sink.motion(0, 0, 0, 0)
    assert pipe.events() == [
        [("rel", "x", 3), ("rel", "y", -4)],
        [
            ("btn", "left", True),
            ("btn", "right", True),
            ("rel", "x", 0),
            ("rel", "y", 0),
        ],
        [
            ("btn", "right", False),
            ("btn", "wheel-up", True),
            ("btn", "wheel-up", False),
            ("rel", "x", 1),
            ("rel", "y", 0),
        ],
        [
            ("btn", "left", False),
            ("btn", "wheel-down", True),
            ("btn", "wheel-down", False),
            ("rel", "x", 0),
            ("rel", "y", 0),
        ],
    ]


def test_positions_are_scaled(sink, pipe):
    sink.set_displays({0: Rect(0, 0, 768, 1024)})
    sink.position(0, 0, 0, 0)
    sink.position(512, 767, MIDDLE, 0)
    sink.position(5000, -1, MIDDLE, 0)
    assert pipe.events() == [
        [("abs", "x", 16), ("abs", "y", 21)],
        [("btn", "middle", True), ("abs", "x", 0x4010), ("abs", "y", 0x7FEA)],
        [("abs", "x", 0x7FF0), ("abs", "y", 21)],
    ]


def test_the_tablet_covers_all_displays(sink, pipe):
    sink.set_displays({0: Rect(0, 0, 768, 1024), 2: Rect(0, 1024, 1024, 2048)})
    sink.position(0, 512, 0, 2)
    assert pipe.events() == [[("abs", "x", 0x4008), ("abs", "y", 0x4010)]]


@pytest.mark.parametrize(
    ("mask", "name"),
    [
        (LEFT, "left"),
        (MIDDLE, "middle"),
        (RIGHT, "right"),
        (SIDE, "side"),
        (EXTRA, "extra"),
    ],
)
def test_buttons(sink, pipe, mask, name):
    sink.buttons(mask)
    sink.buttons(mask)
    sink.buttons(0)
    assert pipe.events() == [[("btn", name, True)], [("btn", name, False)]]


@pytest.mark.parametrize(("mask", "name"), [(UP, "wheel-up"), (DOWN, "wheel-down")])
def test_each_press_of_the_wheel_is_a_step(sink, pipe, mask, name):
    for _ in range(2):
        sink.buttons(mask)
        sink.buttons(0)
    assert pipe.events() == [[("btn", name, True), ("btn", name, False)]] * 2


def test_motion_is_merged_while_qemu_is_slow(sink, pipe):
    pipe.held = True
    for _ in range(MAX_IN_FLIGHT + 100):
        sink.motion(1, 2, 0, 0)
    assert len(pipe.commands) == MAX_IN_FLIGHT
    pipe.answer(count=1)
    assert pipe.events()[-1] == [("rel", "x", 100), ("rel", "y", 200)]


def test_positions_are_merged_while_qemu_is_slow(sink, pipe):
    sink.set_displays({0: Rect(0, 0, 0x7FFF, 0x7FFF)})
    pipe.held = True
    for at in range(MAX_IN_FLIGHT + 100):
        sink.position(at, at, 0, 0)
    pipe.answer(count=1)
    last = MAX_IN_FLIGHT + 99
    assert pipe.events()[-1] == [("abs", "x", last), ("abs", "y", last)]


def test_nothing_moves_over_a_key_or_a_click(sink, pipe):
    pipe.held = True
    for _ in range(MAX_IN_FLIGHT):
        sink.motion(1, 1, 0, 0)
    sink.motion(5, 5, 0, 0)
    _type(sink, "1e")
    sink.motion(6, 6, 0, 0)
    sink.motion(1, 1, 0, LEFT)
    sink.motion(7, 7, 0, LEFT)
    pipe.held = False
    pipe.answer()
    assert pipe.events()[MAX_IN_FLIGHT:] == [
        [("rel", "x", 5), ("rel", "y", 5)],
        [("key", 0x1E, True)],
        [("rel", "x", 6), ("rel", "y", 6)],
        [("btn", "left", True), ("rel", "x", 1), ("rel", "y", 1)],
        [("rel", "x", 7), ("rel", "y", 7)],
    ]


def test_keys_are_never_lost_by_a_slow_qemu(sink, pipe):
    pipe.held = True
    codes = [number for number in range(1, 0x50) for _ in range(2)]
    for number in codes:
        _type(sink, f"{number:02x} {number | 0x80:02x}")
    pipe.held = False
    pipe.answer()
    expected = [[("key", number, down)] for number in codes for down in (True, False)]
    assert pipe.events() == expected


def test_a_hung_qemu_is_bounded_and_no_key_stays_down(sink, pipe, monkeypatch):
    monkeypatch.setattr(input_events, "MAX_PENDING", 10)
    pipe.held = True
    for number in range(1, 0x50):
        _type(sink, f"{number:02x}")
        sink.buttons(LEFT if number % 2 else 0)
        sink.motion(1, 1, 0, LEFT if number % 2 else 0)
    assert sink.dropped > 0
    for number in range(1, 0x50):
        _type(sink, f"{number | 0x80:02x}")
    sink.release_all()
    pipe.held = False
    pipe.answer()
    down: set = set()
    for kind, what, is_down in (e for events in pipe.events() for e in events):
        if kind in {"key", "btn"}:
            down = down | {what} if is_down else down - {what}
    assert not down
    assert len(pipe.commands) < 10 + MAX_IN_FLIGHT + 0x50


def test_release_all(sink, pipe):
    _type(sink, "1e 2a e0 48 ae e0")
    sink.buttons(LEFT | EXTRA)
    pipe.commands.clear()
    sink.release_all()
    assert pipe.events() == [
        [("key", 0x1E, False)],
        [("key", 0x2A, False)],
        [("key", 0xC8, False)],
        [("btn", "left", False), ("btn", "extra", False)],
    ]
    pipe.commands.clear()
    sink.release_all()
    _type(sink, "1e")
    assert pipe.events() == [[("key", 0x1E, True)]]


def test_leds_are_guessed_from_the_locks(sink):
    seen: list[int] = []
    sink.on_change(lambda: seen.append(sink.leds))
    _type(sink, "3a 3a ba 45 c5 46 c6 3a ba")
    assert seen == [4, 6, 7, 3]


def test_refusals_are_counted(sink, pipe):
    pipe.held = True
    sink.position(1, 1, 0, 0)
    pipe.answer(b'{"error": {"class": "GenericError", "desc": "no abs"}}\r\n')
    assert sink.refused == 1


def _mouse(*, current, absolute):
    return {"index": 1, "name": "m", "current": current, "absolute": absolute}


class Loop:
    """Timers that the test fires."""

    def __init__(self) -> None:
        self.timers: list[Callable[[], None]] = []
        self.cancelled = 0

    def call_later(self, _delay, callback):
        self.timers.append(callback)
        return self

    def cancel(self):
        self.cancelled += 1


def test_a_tablet_counts_when_the_guest_uses_it(sink, pipe):
    loop = Loop()
    seen: list[bool] = []
    sink.on_change(lambda: seen.append(sink.has_tablet))
    pipe.held = True
    sink.start(loop)
    mice = [_mouse(current=True, absolute=False), _mouse(current=False, absolute=True)]
    answers = [mice, mice[::-1], [_mouse(current=True, absolute=True)], [], None]
    for answer in answers:
        assert pipe.commands[-1] == {"execute": "query-mice"}
        sink.refresh()  # one question at a time
        assert len(pipe.waiting) == 1
        reply = {"error": {}} if answer is None else {"return": answer}
        pipe.answer(json.dumps(reply).encode())
        loop.timers.pop()()
    assert seen == [True, False]
    sink.stop()
    assert loop.cancelled == 1
    sink.stop()
