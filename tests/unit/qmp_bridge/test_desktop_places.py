from __future__ import annotations

from hypothesis import given, strategies as st

from qmp_bridge.desktop import Desktop
from vd_interfaces.qxl import Rect

AXIS_MAX = 0x7FFF


def seen_by_guest(value: int, size: int) -> int:
    """What libinput makes of an axis' value on a desktop of *size* pixels."""
    return value * size // (AXIS_MAX + 1)


@given(st.integers(1, 8192), st.integers(1, 8192), st.data(), st.sampled_from([0, 7]))
def test_every_pixel_is_hit(first, second, data, number):
    desktop = Desktop(
        {0: Rect(0, 0, second, first), 7: Rect(0, first, second, first + second)}
    )
    width, left = (first, 0) if number == 0 else (second, first)
    x = data.draw(st.integers(0, width - 1))
    y = data.draw(st.integers(0, second - 1))
    across, down = desktop.locate(number, x, y)
    assert 0 <= across <= AXIS_MAX
    assert seen_by_guest(across, first + second) == left + x
    assert seen_by_guest(down, second) == y


def test_positions_stay_on_their_display():
    desktop = Desktop({0: Rect(0, 0, 100, 100), 1: Rect(0, 100, 100, 200)})
    assert desktop.locate(0, 500, -3) == desktop.locate(0, 99, 0)
    assert desktop.locate(1, -500, 300) == desktop.locate(1, 0, 99)
    assert desktop.locate(1, 1 << 31, -(1 << 31)) == desktop.locate(1, 99, 0)


def test_an_unknown_display_is_the_first():
    desktop = Desktop({3: Rect(0, 0, 100, 100), 1: Rect(0, 100, 100, 200)})
    assert desktop.locate(9, 5, 6) == desktop.locate(3, 5, 6)


def test_before_anything_is_shown():
    assert Desktop({}).locate(0, 5, 5) == (0x4000, 0x4000)
