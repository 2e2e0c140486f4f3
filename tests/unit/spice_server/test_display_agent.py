from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given, strategies as st

from spice_protocol.errors import ProtocolError
from spice_protocol.vd_agent import VDAgentMessageType, VDAgentResult
from spice_server.agent.display_agent import DisplayAgent

HEADER = struct.Struct("<IIQI")
MONITOR = struct.Struct("<IIIii")
ANNOUNCE, MONITORS, REPLY = 6, 2, 3
MONITORS_CONFIG_CAP, REPLY_CAP, SPARSE_CAP = 1 << 1, 1 << 2, 1 << 7


def message(kind, body, protocol=1):
    return HEADER.pack(protocol, kind, 0, len(body)) + body


def layout(*monitors, count=None):
    """A VDAgentMonitorsConfig of (width, height, x, y)."""
    number = len(monitors) if count is None else count
    rows = (MONITOR.pack(h, w, 32, x, y) for w, h, x, y in monitors)
    return message(MONITORS, struct.pack("<II", number, 1) + b"".join(rows))


class Talk:
    def __init__(self):
        self.layouts = []
        self.agent = DisplayAgent(self.layouts.append)

    def say(self, data):
        kind, size = HEADER.unpack_from(data)[1::2]
        assert len(data) == HEADER.size + size
        return self.agent.handle(kind, data[HEADER.size :])

    def result(self, data):
        (answer,) = self.say(data)
        kind, size = HEADER.unpack_from(answer)[1::2]
        assert (kind, size) == (REPLY, 8)
        about, error = struct.unpack_from("<II", answer, HEADER.size)
        assert about == VDAgentMessageType.MONITORS_CONFIG
        return VDAgentResult(error)


def test_capabilities_are_told_when_asked():
    talk = Talk()
    (answer,) = talk.say(message(ANNOUNCE, struct.pack("<II", 1, 0xFFFF)))
    assert HEADER.unpack_from(answer)[:2] == (1, ANNOUNCE)
    request, caps = struct.unpack_from("<II", answer, HEADER.size)
    assert request == 0
    assert caps & MONITORS_CONFIG_CAP
    assert caps & REPLY_CAP
    assert caps & SPARSE_CAP
    assert talk.say(message(ANNOUNCE, struct.pack("<II", 0, 0xFFFF))) == []


def test_a_layout_is_applied_and_answered():
    talk = Talk()
    told = layout((800, 600, 0, 0), (0, 0, 0, 0), (640, 480, 800, 10))
    assert talk.result(told) is VDAgentResult.SUCCESS
    (config,) = talk.layouts
    assert [(h.id, h.width, h.height, h.x, h.y) for h in config.heads] == [
        (0, 800, 600, 0, 0),
        (2, 640, 480, 800, 10),
    ]


@pytest.mark.parametrize("bad", [layout(), layout((800, 600, 0, 0), count=2)])
def test_a_layout_that_makes_no_sense_is_refused(bad):
    talk = Talk()
    assert talk.result(bad) is VDAgentResult.ERROR
    assert talk.layouts == []


def test_other_messages_are_not_for_it():
    assert Talk().say(message(4, b"clipboard")) == []


@given(st.sampled_from([ANNOUNCE, MONITORS, 4]), st.binary(max_size=400))
def test_noise_raises_nothing_else(kind, data):
    with contextlib.suppress(ProtocolError):
        Talk().say(message(kind, data))
