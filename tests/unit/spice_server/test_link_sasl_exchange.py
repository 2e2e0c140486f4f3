from __future__ import annotations

import struct

import pytest

from spice_protocol.enums import SpiceLinkErr
from spice_protocol.errors import ProtocolError
from spice_server.errors import LinkRefusedError
from spice_server.link.handshake import MAX_AHEAD, Handshake, LinkState
from spice_server.link.link_message import LinkRequest
from spice_server.link.sasl_exchange import (
    MAX_SASL_DATA,
    SASL_TRANSITIONS,
    SaslExchange,
    SaslInput,
    SaslList,
    SaslState,
    SaslStep,
)
from tests.fakes.raw_client import link_message

MECHANISMS = ("SCRAM-SHA-256", "PLAIN")


def sized(data):
    return struct.pack("<I", len(data)) + data


def feed(exchange, data):
    """Give *data* as it is needed; return the last event."""
    event = None
    while (needed := exchange.needed()) is not None and (data or not needed):
        event = exchange.receive(data[:needed])
        data = data[needed:]
    assert not data
    return event


def listed():
    exchange = SaslExchange()
    assert exchange.list_mechanisms(MECHANISMS) == sized(b",SCRAM-SHA-256,PLAIN,")
    return exchange


@pytest.mark.parametrize(
    ("wire", "data"),
    [(b"", None), (b"\0", b""), (b"abc\0", b"abc"), (b"ab\0c\0", b"ab\0c")],
)
def test_nothing_and_an_empty_string_are_different(wire, data):
    exchange = listed()
    assert feed(exchange, sized(b"PLAIN") + sized(wire)) == SaslStep("PLAIN", data)


def test_steps_go_on_until_the_server_is_done():
    exchange = listed()
    feed(exchange, sized(b"PLAIN") + sized(b""))
    assert exchange.answer(b"who?", complete=False) == sized(b"who?\0") + b"\0"
    assert feed(exchange, sized(b"me\0")) == SaslStep(None, b"me")
    assert exchange.answer(b"", complete=True) == sized(b"") + b"\1"
    assert exchange.state is SaslState.DONE
    assert exchange.needed() is None


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (sized(b""), "0 bytes of NAME_SIZE"),
        (struct.pack("<I", 101), "101 bytes of NAME_SIZE"),
        (sized(b"LOGIN"), "no SASL mechanism 'LOGIN'"),
        (sized(b"PLAIN,SCRAM"), "no SASL mechanism"),
        (sized(b"PL\xffIN"), "no SASL mechanism"),
        (sized(b"PLAIN") + struct.pack("<I", MAX_SASL_DATA + 1), "bytes of SIZE"),
    ],
)
def test_what_is_too_much_or_unknown(data, complaint):
    with pytest.raises(ProtocolError, match=complaint):
        feed(listed(), data)


def test_it_comes_to_an_end():
    exchange = listed()
    feed(exchange, sized(b"PLAIN"))
    for _ in range(32):
        feed(exchange, sized(b""))
        exchange.answer(b"", complete=False)
    with pytest.raises(ProtocolError, match="no end"):
        feed(exchange, sized(b""))


def test_every_state_has_its_inputs():
    used = {state for state, _ in SASL_TRANSITIONS}
    assert used == set(SaslState) - {SaslState.DONE}
    assert {given for _, given in SASL_TRANSITIONS} == set(SaslInput)


@pytest.mark.parametrize("state", [s for s in SaslState if s != SaslState.ANSWER])
@pytest.mark.parametrize("complete", [True, False])
def test_answers_only_when_they_are_due(state, complete):
    exchange = SaslExchange()
    exchange.state = state
    with pytest.raises(KeyError):
        exchange.answer(b"", complete=complete)


# -- in the link stage ---------------------------------------------------------


def offered(*, sasl, common=(0b1101,)):
    handshake = Handshake(sasl=sasl)
    handshake.receive(link_message(common=common))
    assert isinstance(handshake.next_event(), LinkRequest)
    handshake.offer(b"", (0b1101,), ())
    handshake.data_to_send()
    return handshake


def mechanism(number):
    return struct.pack("<I", number)


def test_a_login_in_single_bytes():
    handshake = offered(sasl=True)
    events = []
    login = mechanism(2) + sized(b"PLAIN") + sized(b"x\0")
    for byte in login:
        handshake.receive(bytes([byte]))
        event = handshake.next_event()
        if isinstance(event, SaslList):
            handshake.list_mechanisms(MECHANISMS)
        events += [event] if event else []
    assert events == [SaslList(), SaslStep("PLAIN", b"x")]
    handshake.data_to_send()
    handshake.receive(b"ahead")
    assert handshake.next_event() is None
    handshake.answer_step(b"", complete=True)
    assert handshake.data_to_send() == sized(b"") + b"\1" + bytes(4)
    assert handshake.take_ahead() == b"ahead"
    handshake.accept()
    assert handshake.data_to_send() == bytes(4)
    assert handshake.remaining() == b""


@pytest.mark.parametrize(
    ("sasl", "number"), [(True, 1), (True, 77), (False, 2), (False, 77)]
)
def test_only_what_was_offered(sasl, number):
    handshake = offered(sasl=sasl)
    handshake.receive(mechanism(number))
    with pytest.raises(LinkRefusedError, match=f"mechanism {number}") as refusal:
        handshake.next_event()
    assert refusal.value.error is SpiceLinkErr.INVALID_DATA
    assert handshake.state is LinkState.CLOSED


def test_a_client_that_cannot_select_cannot_do_sasl():
    handshake = Handshake(sasl=True)
    handshake.receive(link_message(common=(0b1000,)))
    with pytest.raises(LinkRefusedError, match="cannot do SASL"):
        handshake.next_event()


def test_what_comes_ahead_is_bounded():
    handshake = offered(sasl=True)
    handshake.receive(mechanism(2))
    handshake.next_event()
    handshake.receive(bytes(MAX_AHEAD + MAX_SASL_DATA))
    with pytest.raises(LinkRefusedError, match="ahead"):
        handshake.receive(b"x")


@pytest.mark.parametrize("seed", range(50))
def test_rubbish_is_a_refusal(seed):
    handshake = offered(sasl=True)
    rubbish = bytes((seed * 37 + i * i * 11) % 7 for i in range(99))
    handshake.receive(mechanism(2) + rubbish)
    try:
        while (event := handshake.next_event()) is not None:
            if isinstance(event, SaslList):
                handshake.list_mechanisms(MECHANISMS)
            else:
                handshake.answer_step(b"", complete=False)
    except LinkRefusedError:
        assert handshake.state is LinkState.CLOSED
