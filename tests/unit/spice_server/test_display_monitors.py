from __future__ import annotations

from hypothesis import given, strategies as st

from spice_server.display.monitors import monitors_message
from vd_interfaces.qxl import Head, MonitorsConfig


def told(*heads: Head, allowed: int = 4) -> tuple[int, list[tuple[int, ...]]]:
    """What clients of a primary surface of 1000 x 500 are told."""
    message = monitors_message(MonitorsConfig(heads, allowed), 1000, 500)
    return message.max_allowed, [
        (h.monitor_id, h.width, h.height, h.x, h.y) for h in message.heads
    ]


def test_heads_go_out_as_they_are():
    heads = (Head(0, 0, 400, 300, 0, 0), Head(2, 0, 600, 499, 400, 1))
    assert told(*heads) == (4, [(0, 400, 300, 0, 0), (2, 600, 499, 400, 1)])


def test_heads_that_leave_the_surface_are_cut():
    assert told(Head(0, 0, 1000, 501, 0, 0), Head(1, 0, 9, 9, 998, 499)) == (
        4,
        [(0, 1000, 500, 0, 0), (1, 2, 1, 998, 499)],
    )


def test_heads_nobody_can_show_are_left_out():
    good = Head(3, 0, 10, 10, 5, 5)
    bad = [
        Head(0, 1, 10, 10, 0, 0),  # on another surface
        Head(1, 0, 0, 10, 0, 0),
        Head(2, 0, 10, 10, 1000, 0),
        Head(3, 0, 99, 99, 0, 0),  # the id of the first
    ]
    assert told(good, *bad, allowed=0) == (1, [(3, 10, 10, 5, 5)])


def test_the_whole_surface_if_nothing_else_is_left():
    assert told(Head(5, 3, 10, 10, 0, 0), allowed=1) == (1, [(0, 1000, 500, 0, 0)])


NUMBER = st.integers(0, 0xFFFFFFFF) | st.integers(0, 1100)


@given(st.lists(st.builds(Head, *[NUMBER] * 7), max_size=64), st.integers(0, 0xFFFF))
def test_whatever_a_guest_tells(heads, allowed):
    message = monitors_message(MonitorsConfig(heads, allowed), 1000, 500)
    ids = [head.monitor_id for head in message.heads]
    assert len(set(ids)) == len(ids) > 0
    assert message.max_allowed >= len(ids)
    for head in message.heads:
        assert head.surface_id == 0
        assert 0 < head.width <= 1000 - head.x
        assert 0 < head.height <= 500 - head.y
    message.pack()
