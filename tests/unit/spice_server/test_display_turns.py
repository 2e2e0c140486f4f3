"""How much a worker does before others get their turn, and a turn that fails."""

from __future__ import annotations

import logging

import numpy as np

from spice_protocol.qxl_dev import QXL_COMMAND_RING_SIZE, QXLRect
from spice_server.display.worker import DisplayWorker
from tests.fakes.display_bench import DisplayBench
from vd_interfaces.qxl import Rect


class EndlessDevice:
    """A guest whose other processors push commands as fast as they are taken."""

    id = 0

    def __init__(self) -> None:
        self.taken = 0
        self.released = 0

    def get_commands(self, batch) -> int:
        self.taken += 1
        return 1

    def release_commands(self, batch) -> None:
        self.released += 1

    def set_client_capabilities(self, present, capabilities) -> None:
        raise AssertionError


def test_an_io_request_waits_for_one_rings_worth():
    device = EndlessDevice()
    DisplayWorker(device).update_area(0, Rect(0, 0, 1, 1))
    assert device.taken == device.released == QXL_COMMAND_RING_SIZE


def test_a_mistake_of_ours_costs_a_batch_and_not_the_display(monkeypatch, caplog):
    with DisplayBench() as bench, caplog.at_level(logging.ERROR):
        client = bench.display_client()
        client.paint_until(lambda p: p.marks)
        release = bench.device.release_commands
        failures = [ZeroDivisionError()]

        def fail_once(batch) -> None:
            if failures:
                raise failures.pop()
            release(batch)

        monkeypatch.setattr(bench.device, "release_commands", fail_once)
        bench.draw(bench.guest.draw_fill, QXLRect(0, 0, 48, 64), 1)
        while failures:
            bench.guest.port.notify()
        bench.draw(bench.guest.draw_fill, QXLRect(0, 0, 48, 64), 2)
        client.paint_until(lambda p: np.all(p.rgb() == 2))
    assert [r.levelname for r in caplog.records] == ["ERROR"]
