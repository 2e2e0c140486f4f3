from __future__ import annotations

import struct

import pytest

from qxl_device.interrupts import Interrupts
from spice_protocol.qxl_dev import QxlInterrupt


@pytest.fixture
def header() -> bytearray:
    return bytearray(64)


def test_masked_events_stay_pending_and_silent(header):
    raised: list[int] = []
    interrupts = Interrupts(memoryview(header), lambda: raised.append(1))
    interrupts.send(QxlInterrupt.DISPLAY | QxlInterrupt.CLIENT)
    assert struct.unpack_from("<I", header, 4) == (0x11,)
    assert not raised
    struct.pack_into("<I", header, 8, QxlInterrupt.DISPLAY)
    interrupts.update()
    assert len(raised) == 1


def test_every_wanted_event_interrupts(header):
    raised: list[int] = []
    struct.pack_into("<I", header, 8, 0x7F)
    interrupts = Interrupts(memoryview(header), lambda: raised.append(1))
    interrupts.send(QxlInterrupt.IO_CMD)
    interrupts.send(QxlInterrupt.IO_CMD)
    assert len(raised) == 2
    assert interrupts.mask == 0x7F
    struct.pack_into("<I", header, 4, 0)
    interrupts.update()
    assert len(raised) == 2
