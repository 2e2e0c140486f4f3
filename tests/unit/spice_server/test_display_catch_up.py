"""What a slow client missed, also what was meant to make good for it."""

from __future__ import annotations

import random

import numpy as np

from spice_protocol.qxl_dev import QXLRect
from tests.fakes.display_bench import DisplayBench

MIB = 1 << 20


def test_a_refresh_that_is_dropped_is_made_good_for():
    """The left half is last drawn before the client falls behind for a second time.

    By then it waits as a refresh, which is dropped with all else.
    """
    left, right = QXLRect(0, 0, 512, 256), QXLRect(0, 256, 512, 512)
    with DisplayBench(512, 512, ram_size=64 * MIB) as bench:
        slow = bench.display_client(buffer=4096)
        for half in (left, right):
            for seed in range(24):
                pixels = random.Random(seed).randbytes(4 * 256 * 512)
                bench.draw(bench.guest.draw_copy, pixels, half)
                bench.flush()
        assert bench.stats().fell_behind >= 2
        words = np.frombuffer(bench.screen(), "<u4").reshape(512, 512)
        wanted = words & np.uint32(0xFFFFFF)
        slow.paint_until(lambda p: np.array_equal(p.rgb(), wanted))
