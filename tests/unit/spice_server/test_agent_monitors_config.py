from __future__ import annotations

import struct

import pytest
from hypothesis import given, strategies as st

from spice_protocol.errors import ProtocolError
from spice_server.agent.monitors_config import read_layout
from spice_server.errors import ClientError

USE_POS, PHYSICAL_SIZE = 1, 2
MONITOR = struct.Struct("<IIIii")


def body(*monitors, flags=USE_POS, count=None):
    """A VDAgentMonitorsConfig of (width, height, x, y)."""
    number = len(monitors) if count is None else count
    rows = (MONITOR.pack(h, w, 32, x, y) for w, h, x, y in monitors)
    return struct.pack("<II", number, flags) + b"".join(rows)


def heads(data):
    return [(h.id, h.width, h.height, h.x, h.y) for h in read_layout(data).heads]


def test_places_and_odd_sizes_are_kept():
    told = body((801, 603, 0, 0), (1023, 767, 801, 33))
    assert heads(told) == [(0, 801, 603, 0, 0), (1, 1023, 767, 801, 33)]


def test_monitors_that_are_off_leave_gaps():
    off = (0, 0, 0, 0)
    told = body(off, (800, 600, 0, 0), off, (640, 480, 800, 10), (0, 480, 1, 1))
    assert heads(told) == [(1, 800, 600, 0, 0), (3, 640, 480, 800, 10)]


def test_the_desktop_begins_at_its_corner():
    told = body((800, 600, -800, 5), (640, 480, 0, -7))
    assert heads(told) == [(0, 800, 600, 0, 12), (1, 640, 480, 800, 0)]
    assert heads(body((800, 600, 700, 900))) == [(0, 800, 600, 0, 0)]
    told = body((1, 1, -(1 << 31), 0), (1, 1, -(1 << 31) + 7, 0))
    assert heads(told) == [(0, 1, 1, 0, 0), (1, 1, 1, 7, 0)]


@pytest.mark.parametrize("flags", [0, PHYSICAL_SIZE])
def test_without_places_monitors_lie_side_by_side(flags):
    told = body((800, 600, 5, 5), (0, 0, 0, 0), (640, 480, 5, 5), flags=flags)
    assert heads(told) == [(0, 800, 600, 0, 0), (2, 640, 480, 800, 0)]


def test_physical_sizes_behind_are_not_looked_at():
    told = body((800, 600, 0, 0), flags=USE_POS | PHYSICAL_SIZE) + b"\x01\x02\x03\x04"
    assert heads(told) == [(0, 800, 600, 0, 0)]


def test_monitors_beyond_what_a_guest_can_be_asked_for():
    assert len(heads(body(*[(10, 10, 10 * n, 0) for n in range(256)]))) == 64


@pytest.mark.parametrize(
    "bad",
    [
        body(),
        body((0, 0, 0, 0)),
        body((0xFFFFFFFF, 600, 0, 0)),
        body((800, 32768, 0, 0)),
        body((800, 600, 0, 0), (800, 600, 32000, 0)),
        body((800, 600, -(1 << 31), 0), (800, 600, (1 << 31) - 1, 0)),
        body(*[(600, 600, 0, 0)] * 64, flags=0),
        body(*[(1, 1, 0, 0)] * 257),
        body((800, 600, 0, 0), count=0xFFFFFFFF),
    ],
)
def test_impossible_layouts(bad):
    with pytest.raises(ClientError):
        read_layout(bad)


@pytest.mark.parametrize("size", [0, 7, 8, 27])
def test_cut_off(size):
    with pytest.raises((ProtocolError, ClientError)):
        read_layout(body((800, 600, 0, 0))[:size])


@given(st.binary(max_size=400))
def test_any_bytes_are_a_layout_or_an_error(data):
    try:
        config = read_layout(data)
    except (ProtocolError, ClientError):
        return
    assert min(h.x for h in config.heads) == min(h.y for h in config.heads) == 0
    for head in config.heads:
        assert 0 < head.width <= 32767 - head.x
        assert 0 < head.height <= 32767 - head.y
        assert head.id < 64
