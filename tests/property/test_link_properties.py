"""Any client before and after the link stage: fragments, garbage, near misses."""

from __future__ import annotations

import struct

from hypothesis import given, settings, strategies as st

from spice_server.link.handshake import (
    EncryptedTicket,
    Handshake,
    LinkState,
)
from spice_server.link.link_message import LinkRequest
from tests.fakes.hostile_client import PUB_KEY, play, play_channel, play_link
from tests.fakes.raw_client import link_message

words = st.lists(st.integers(0, 0xFFFFFFFF), max_size=40).map(tuple)
u32 = st.integers(0, 0xFFFFFFFF) | st.sampled_from([0, 17, 18, 22, 1024, 1025, 4096])


@settings(deadline=None)
@given(words, words, st.integers(0, 255), st.binary(max_size=200), st.data())
def test_any_fragmentation_of_a_good_link_is_a_link(common, channel, kind, more, data):
    link = link_message(kind, 0, 0, common, channel)
    selects = bool(common) and common[0] & 1
    whole = link + (b"\1\0\0\0" if selects else b"") + bytes(128) + more
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=20).map(sorted))
    handshake, events = Handshake(), []
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        handshake.receive(whole[start:end])
        while event := handshake.next_event():
            events.append(event)
            if isinstance(event, LinkRequest):
                handshake.offer(PUB_KEY, (), ())
            else:
                handshake.accept()
    assert [type(e) for e in events] == [LinkRequest, EncryptedTicket]
    assert (events[0].common_caps, events[0].channel_caps) == (common, channel)
    assert handshake.remaining() == more


@settings(deadline=None)
@given(
    st.sampled_from([b"REDQ", b"GET ", b"\0\0\0\0"]),
    u32,
    u32,
    u32,
    st.binary(max_size=60),
)
def test_any_header_is_answered_or_awaited(magic, major, minor, size, rest):
    play_link(struct.pack("<4sIII", magic, major, minor, size) + rest)


@settings(deadline=None)
@given(st.integers(0, 4200), u32, u32, u32)
def test_any_counts_and_offset_are_answered(size, common, channel, offset):
    body = struct.pack("<IBBIII", 0, 1, 0, common, channel, offset)
    body = body.ljust(size, b"\xff")[:size]
    handshake = play_link(struct.pack("<4sIII", b"REDQ", 2, 2, size) + body)
    assert handshake.state in {LinkState.MECHANISM, LinkState.TICKET, LinkState.CLOSED}


@settings(deadline=None)
@given(st.binary(max_size=2000))
def test_garbage_never_raises(data):
    play(data)


CASES = st.lists(
    st.tuples(
        st.integers(0, 120) | st.integers(0, 0xFFFF),
        st.binary(max_size=40) | st.binary(min_size=1000, max_size=4200),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(CASES, st.integers(0, 2), st.booleans())
def test_messages_of_any_type_and_body_never_raise(messages, channel, mini):
    data = b""
    for kind, body in messages:
        if mini:
            data += struct.pack("<HI", kind, len(body)) + body
        else:
            data += struct.pack("<QHII", 1, kind, len(body), 0) + body
    play_channel(data, channel, mini=mini)


@settings(deadline=None)
@given(st.integers(101, 114), st.integers(1, 3000))
def test_answers_to_a_client_that_reads_nothing_are_bounded(kind, count):
    """One message many times over; play_channel checks the bounds."""
    for channel in (0, 1):
        body = bytes(13)
        play_channel(
            (struct.pack("<HI", kind, len(body)) + body) * count, channel, mini=True
        )
