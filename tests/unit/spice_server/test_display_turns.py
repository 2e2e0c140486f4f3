"""How much a worker does before others get their turn."""

from __future__ import annotations

from spice_protocol.qxl_dev import QXL_COMMAND_RING_SIZE
from spice_server.display.worker import DisplayWorker
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
