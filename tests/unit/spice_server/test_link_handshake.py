from __future__ import annotations

import itertools
import struct

import pytest

from spice_protocol.enums import SpiceLinkErr
from spice_server.errors import LinkRefusedError
from spice_server.link.handshake import (
    MAX_AHEAD,
    TRANSITIONS,
    EncryptedTicket,
    Handshake,
    LinkInput,
    LinkState,
)
from spice_server.link.link_message import LinkRequest

PUB_KEY = bytes(range(162))
TICKET = bytes(range(128))


def link(
    *,
    magic=b"REDQ",
    major=2,
    minor=2,
    size=None,
    common=(9,),
    channel=(15,),
    num_common=None,
    num_channel=None,
    offset=18,
    extra=b"",
):
    words = struct.pack(f"<{len(common) + len(channel)}I", *common, *channel)
    body = (
        struct.pack(
            "<IBBIII",
            5,
            1,
            2,
            len(common) if num_common is None else num_common,
            len(channel) if num_channel is None else num_channel,
            offset,
        )
        + words
        + extra
    )
    return (
        struct.pack("<4sIII", magic, major, minor, len(body) if size is None else size)
        + body
    )


def error_reply(error):
    """What link-probe-qemu72.txt shows: 178 bytes, all zero but for the error."""
    return struct.pack("<4sIIII174x", b"REDQ", 2, 2, 178, error)


def offered(common=(9,)):
    handshake = Handshake()
    handshake.receive(link(common=common))
    assert isinstance(handshake.next_event(), LinkRequest)
    handshake.offer(PUB_KEY, (11,), (15,))
    handshake.data_to_send()
    return handshake


# -- the good way --------------------------------------------------------------


def test_a_request_says_what_the_client_wants():
    handshake = Handshake()
    handshake.receive(link(common=(9, 1), channel=(0xF,)))
    assert handshake.next_event() == LinkRequest(5, 1, 2, (9, 1), (0xF,))
    assert handshake.next_event() is None
    assert handshake.state is LinkState.DECISION


def test_the_offer_is_stock_s():
    handshake = Handshake()
    handshake.receive(link())
    handshake.next_event()
    handshake.offer(PUB_KEY, (11,), (15,))
    reply = handshake.data_to_send()
    assert reply == struct.pack(
        "<4sIIII162sIII2I", b"REDQ", 2, 2, 186, 0, PUB_KEY, 1, 1, 178, 11, 15
    )
    assert handshake.data_to_send() == b""


@pytest.mark.parametrize(
    ("common", "prefix"), [((9,), b"\1\0\0\0"), ((8,), b""), ((), b"")]
)
def test_a_ticket_comes_with_or_without_a_mechanism(common, prefix):
    handshake = offered(common)
    handshake.receive(prefix + TICKET)
    assert handshake.next_event() == EncryptedTicket(TICKET)
    handshake.accept()
    assert handshake.data_to_send() == bytes(4)
    assert handshake.state is LinkState.LINKED


def test_bytes_may_come_one_at_a_time():
    handshake = Handshake()
    events = []
    for byte in link():
        handshake.receive(bytes([byte]))
        events.append(handshake.next_event())
    assert [e for e in events if e] == [LinkRequest(5, 1, 2, (9,), (15,))]


def test_what_follows_the_ticket_is_kept():
    handshake = offered()
    handshake.receive(b"\1\0\0\0" + TICKET + b"early message")
    handshake.next_event()
    handshake.accept()
    assert handshake.next_event() is None
    assert handshake.remaining() == b"early message"


@pytest.mark.parametrize("minor", [0, 9, 0xFFFFFFFF])
def test_the_minor_version_does_not_matter(minor):
    handshake = Handshake()
    handshake.receive(link(minor=minor))
    assert handshake.next_event()


@pytest.mark.parametrize(
    "data",
    [
        link(common=(), channel=()),
        link(common=(), channel=(), offset=0xFFFFFFF0),
        link(extra=bytes(4096 - 26)),
        link(common=(9,) * 1000, channel=()),
    ],
)
def test_good_link_messages(data):
    handshake = Handshake()
    handshake.receive(data)
    assert isinstance(handshake.next_event(), LinkRequest)


# -- refused by the client's bytes ---------------------------------------------

BAD_LINKS = {
    "magic": (link(magic=b"XEDQ"), SpiceLinkErr.INVALID_MAGIC),
    "http": (b"GET / HTTP/1.1\r\n\r\n", SpiceLinkErr.INVALID_MAGIC),
    "four bytes": (b"SSH-", SpiceLinkErr.INVALID_MAGIC),
    "major 1": (link(major=1), SpiceLinkErr.VERSION_MISMATCH),
    "major 3": (link(major=3), SpiceLinkErr.VERSION_MISMATCH),
    "major -1": (link(major=0xFFFFFFFF), SpiceLinkErr.VERSION_MISMATCH),
    "major 0": (link(major=0), None),
    "size 17": (link(size=17), SpiceLinkErr.INVALID_DATA),
    "size 4097": (link(size=4097), SpiceLinkErr.INVALID_DATA),
    "offset 10": (link(offset=10), SpiceLinkErr.INVALID_DATA),
    "offset 22": (link(offset=22), SpiceLinkErr.INVALID_DATA),
    "offset huge": (link(offset=0xFFFFFFF0), SpiceLinkErr.INVALID_DATA),
    "num_common 1025": (link(num_common=1025), SpiceLinkErr.INVALID_DATA),
    "num_common huge": (link(num_common=0xFFFFFFFF), SpiceLinkErr.INVALID_DATA),
    "num_channel huge": (link(num_channel=0xFFFFFFFF), SpiceLinkErr.INVALID_DATA),
}


@pytest.mark.parametrize("name", BAD_LINKS)
def test_bad_links_are_answered_as_stock_does(name):
    data, error = BAD_LINKS[name]
    handshake = Handshake()
    handshake.receive(data)
    with pytest.raises(LinkRefusedError) as raised:
        handshake.next_event()
    assert raised.value.error == error
    expected = b"" if error is None else error_reply(error)
    assert handshake.data_to_send() == expected
    assert handshake.state is LinkState.CLOSED


@pytest.mark.parametrize("mechanism", [0, 2, 77, 0xFFFFFFFF])
def test_other_mechanisms_get_a_second_reply(mechanism):
    handshake = offered()
    handshake.receive(struct.pack("<I", mechanism))
    with pytest.raises(LinkRefusedError):
        handshake.next_event()
    assert handshake.data_to_send() == error_reply(SpiceLinkErr.INVALID_DATA)


def test_a_flood_before_the_decision_is_refused():
    handshake = Handshake()
    handshake.receive(link())
    handshake.next_event()
    handshake.receive(bytes(MAX_AHEAD))
    with pytest.raises(LinkRefusedError):
        handshake.receive(b"!")
    assert handshake.data_to_send() == error_reply(SpiceLinkErr.INVALID_DATA)


# -- refused by us -------------------------------------------------------------


def test_a_refusal_before_the_verdict_is_a_reply():
    handshake = Handshake()
    handshake.receive(link())
    handshake.next_event()
    error = handshake.refuse(SpiceLinkErr.NEED_SECURED, "inputs needs TLS")
    assert str(error) == "inputs needs TLS"
    assert handshake.data_to_send() == error_reply(SpiceLinkErr.NEED_SECURED)


def test_a_verdict_is_one_word():
    handshake = offered()
    handshake.receive(b"\1\0\0\0" + TICKET)
    handshake.next_event()
    handshake.refuse(SpiceLinkErr.PERMISSION_DENIED, "wrong")
    assert handshake.data_to_send() == b"\7\0\0\0"
    handshake.receive(TICKET)
    assert handshake.next_event() is None, "nothing is handled after the end"


# -- the table -----------------------------------------------------------------


def at(state):
    """Bring a handshake to *state* by its table alone."""
    handshake = Handshake()
    handshake.state = state
    return handshake


ACTIONS = {
    LinkInput.OFFER_SELECTION: lambda h: (
        setattr(h, "_selects", True),
        h.offer(PUB_KEY, (), ()),
    ),
    LinkInput.OFFER_TICKET: lambda h: h.offer(PUB_KEY, (), ()),
    LinkInput.ACCEPT: lambda h: h.accept(),
    LinkInput.REFUSE: lambda h: h.refuse(SpiceLinkErr.ERROR, ""),
}


@pytest.mark.parametrize(
    ("state", "link_input"), list(itertools.product(LinkState, ACTIONS))
)
def test_our_answers_are_possible_just_where_the_table_has_them(state, link_input):
    handshake = at(state)
    following = TRANSITIONS.get((state, link_input))
    if following is None:
        with pytest.raises(KeyError):
            ACTIONS[link_input](handshake)
        assert handshake.state is state
        assert handshake.data_to_send() == b""
    else:
        ACTIONS[link_input](handshake)
        assert handshake.state is following


def test_every_state_is_reached_and_every_end_is_an_end():
    reached = {LinkState.MAGIC}
    while more := {
        n for (s, _), n in TRANSITIONS.items() if s in reached and n not in reached
    }:
        reached |= more
    assert reached == set(LinkState)
    ends = set(LinkState) - {s for s, _ in TRANSITIONS}
    assert ends == {LinkState.LINKED, LinkState.CLOSED}


def test_only_an_accepted_ticket_links():
    into = [key for key, state in TRANSITIONS.items() if state is LinkState.LINKED]
    assert into == [(LinkState.VERDICT, LinkInput.ACCEPT)]
    into = [key for key, state in TRANSITIONS.items() if state is LinkState.VERDICT]
    assert set(into) == {
        (LinkState.TICKET, LinkInput.TICKET),
        (LinkState.SASL, LinkInput.SASL_DONE),
    }
