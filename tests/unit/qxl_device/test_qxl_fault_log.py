from __future__ import annotations

import logging

from qxl_device.fault_log import BURST, FaultLog, printable


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_counts_all_and_logs_a_burst(caplog):
    clock = Clock()
    faults = FaultLog(2, clock)
    with caplog.at_level(logging.INFO):
        for _ in range(1000):
            faults.record("QXL_IO_LOG", "detail")
    assert faults.counts["QXL_IO_LOG"] == 1000
    assert len(caplog.messages) == BURST
    assert caplog.messages[0] == "qxl-2: guest fault: QXL_IO_LOG: detail"


def test_refills_with_time_and_tells_what_it_left_out(caplog):
    clock = Clock()
    faults = FaultLog(0, clock)
    for _ in range(BURST + 5):
        faults.record("kind", "x")
    caplog.clear()
    clock.now += 2.0
    for _ in range(4):
        faults.record("kind", "y")
    assert caplog.messages == [
        "qxl-0: guest fault: kind: y (5 lines before this one left out)",
        "qxl-0: guest fault: kind: y",
    ]


def test_a_clock_that_jumps_back_gives_nothing(caplog):
    clock = Clock()
    faults = FaultLog(0, clock)
    for _ in range(BURST):
        faults.record("kind", "x")
    clock.now -= 1000.0
    caplog.clear()
    faults.record("kind", "x")
    assert not caplog.messages


def test_the_guests_text_is_one_harmless_line(caplog):
    faults = FaultLog(0)
    with caplog.at_level(logging.INFO):
        faults.guest_text("QXL_IO_LOG", b"evil\x1b[2J\nroot: \xff ok\n\0rest")
    assert caplog.messages == ["qxl-0: QXL_IO_LOG: evil\\x1b[2J\\x0aroot: \\xff ok"]


def test_long_text_is_cut():
    assert len(printable(b"a" * 4096)) == 403
