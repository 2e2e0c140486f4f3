from __future__ import annotations

import struct

import pytest
from hypothesis import given, strategies as st

from spice_protocol.errors import ProtocolError
from spice_protocol.vd_agent import VDAgentMessageType, VDAgentResult
from spice_server.errors import ClientError
from spice_server.main.display_agent import MAX_MESSAGE, DisplayAgent

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
        return self.agent.feed(memoryview(data))

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


@pytest.mark.parametrize(
    "bad",
    [
        layout(),
        layout((0, 0, 0, 0)),
        layout((800, 600, -1, 0)),
        layout((0xFFFFFFFF, 600, 0, 0)),
        layout((32767, 600, 1, 0)),
        layout((800, 600, 0, 0), count=65),
        layout((800, 600, 0, 0), count=2),
        layout((800, 600, 0, 0), count=0xFFFFFFFF),
    ],
)
def test_a_layout_that_makes_no_sense_is_refused(bad):
    talk = Talk()
    assert talk.result(bad) is VDAgentResult.ERROR
    assert talk.layouts == []


def test_other_messages_are_not_for_it():
    assert Talk().say(message(4, b"clipboard")) == []


def test_another_protocol_is_the_clients_fault():
    with pytest.raises(ClientError, match="agent protocol 2"):
        Talk().say(message(ANNOUNCE, b"", protocol=2))


def test_long_messages_are_skipped_without_being_kept():
    talk = Talk()
    size = MAX_MESSAGE + 1
    talk.say(HEADER.pack(1, 4, 0, size))
    for _ in range(size // 2048):
        talk.say(bytes(2048))
        assert len(talk.agent._data) == 0
    talk.say(bytes(size % 2048))
    assert talk.result(layout((800, 600, 0, 0))) is VDAgentResult.SUCCESS


@given(st.lists(st.integers(1, 60), min_size=1))
def test_any_fragmentation_gives_the_same(sizes):
    data = layout((800, 600, 0, 0)) + message(4, b"x" * 30) + layout((640, 480, 0, 0))
    talk = Talk()
    place, answers = 0, []
    for size in sizes:
        answers += talk.say(data[place : place + size])
        place += size
    answers += talk.say(data[place:])
    assert len(answers) == 2
    assert [c.heads[0].width for c in talk.layouts] == [800, 640]


@given(st.binary(max_size=400))
def test_noise_raises_nothing_else(data):
    talk = Talk()
    try:
        talk.say(data)
        talk.say(message(6, data))
        talk.say(message(2, data))
    except (ClientError, ProtocolError):
        pass
    assert len(talk.agent._data) <= MAX_MESSAGE + HEADER.size
