"""What the first bytes of a connection are taken for."""

from __future__ import annotations

import pytest

from spice_server.websocket.opening import (
    MAX_REQUEST,
    HttpRefusal,
    Native,
    Opening,
    PageRequest,
    Upgrade,
)
from spice_server.websocket.origin import OriginPolicy
from tests.fakes.websocket_client import HANDSHAKE, frame, handshake


def opening(*, pages=False, ticketing=True):
    return Opening(OriginPolicy(ticketing=ticketing, own_names=[]), pages=pages)


def status(response: bytes) -> int:
    return int(response.split()[1])


def test_spice_is_left_alone():
    first = opening()
    assert first.receive(b"RED") is None
    assert first.receive(b"Qmore") == Native(b"REDQmore")


def test_a_websocket_is_opened_as_rfc_6455_shows():
    outcome = opening().receive(HANDSHAKE + frame(2, b"REDQ"))
    assert isinstance(outcome, Upgrade)
    head, _, nothing = outcome.response.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 101 Switching Protocols"
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in lines
    assert not nothing
    assert outcome.stream.unwrap(outcome.rest) == b"REDQ"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_a_request_in_pieces(size):
    first, outcome = opening(), None
    for start in range(0, len(HANDSHAKE), size):
        assert outcome is None
        outcome = first.receive(HANDSHAKE[start : start + size])
    assert isinstance(outcome, Upgrade)
    assert outcome.rest == b""


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("", None),
        ("binary", "binary"),
        ("base64, binary", "binary"),
        ("base64", None),
    ],
)
def test_the_protocol_is_echoed_only_if_asked_for(asked, answered):
    outcome = opening().receive(handshake(Sec_WebSocket_Protocol=asked))
    assert isinstance(outcome, Upgrade)
    text = outcome.response.decode()
    found = [line for line in text.split("\r\n") if "-Protocol" in line]
    assert found == ([f"Sec-WebSocket-Protocol: {answered}"] if answered else [])


def test_no_extension_is_accepted():
    offer = {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
    outcome = opening().receive(handshake(**offer))
    assert isinstance(outcome, Upgrade)
    assert b"xtensions" not in outcome.response


@pytest.mark.parametrize("path", ["/", "/websockify", "/a/b?c=d", "/%2e%2e/x"])
@pytest.mark.parametrize("pages", [False, True])
def test_the_path_of_a_websocket_does_not_matter(path, pages):
    assert isinstance(opening(pages=pages).receive(handshake(path)), Upgrade)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Sec-WebSocket-Version": "8"}, 400),
        ({"Sec-WebSocket-Key": ""}, 400),
        ({"Sec-WebSocket-Key": "short"}, 400),
        ({"Upgrade": "h2c"}, 426),
        ({"Connection": "keep-alive"}, 426),
    ],
)
def test_what_is_no_good_handshake_is_answered_in_http(headers, expected):
    outcome = opening().receive(handshake(**headers))
    assert isinstance(outcome, HttpRefusal)
    assert status(outcome.response) == expected
    assert b"Sec-WebSocket-Version: 13\r\n" in outcome.response


def test_a_foreign_page_is_refused_where_no_ticket_protects():
    request = handshake(Origin="https://evil.example")
    assert isinstance(opening(ticketing=True).receive(request), Upgrade)
    outcome = opening(ticketing=False).receive(request)
    assert isinstance(outcome, HttpRefusal)
    assert status(outcome.response) == 403
    assert "evil.example" in outcome.reason


GET = b"GET /a.js?b HTTP/1.1\r\nHost: x\r\n\r\n"


def test_a_page():
    outcome = opening(pages=True).receive(GET)
    assert isinstance(outcome, PageRequest)
    assert (outcome.request.method, outcome.request.path) == ("GET", "/a.js?b")
    outcome = opening(pages=True).receive(b"HEAD" + GET[3:])
    assert isinstance(outcome, PageRequest)
    assert outcome.request.method == "HEAD"


@pytest.mark.parametrize("request_", [GET, b"HEAD" + GET[3:], b"POST" + GET[3:]])
def test_without_pages_this_is_no_spice(request_):
    outcome = opening().receive(request_)
    assert isinstance(outcome, Native)
    assert outcome.data[:4] == request_[:4]


BAD = {
    "no version": (b"GET /\r\n\r\n", 400),
    "old version": (b"GET / HTTP/0.9\r\n\r\n", 400),
    "header without a colon": (b"GET / HTTP/1.1\r\nHost\r\n\r\n", 400),
    "body": (b"GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 400),
    "chunks": (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    "not ASCII": (b"GET /\xff HTTP/1.1\r\n\r\n", 400),
    "long line": (b"GET /" + bytes(9000) + b" HTTP/1.1\r\n\r\n", 400),
    "many headers": (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", 400),
    "endless": (b"GET /" + b"a" * MAX_REQUEST, 431),
}


@pytest.mark.parametrize(("data", "expected"), BAD.values(), ids=BAD)
def test_what_is_no_good_http(data, expected):
    outcome = opening(pages=True).receive(data)
    assert isinstance(outcome, HttpRefusal)
    assert status(outcome.response) == expected
    assert isinstance(opening().receive(data), Native)


def test_what_is_kept_of_a_request_is_bounded():
    first = opening()
    for _ in range(MAX_REQUEST // 1000):
        assert first.receive(b"GET " + b"a" * 996) is None
    assert isinstance(first.receive(b"a" * 1000), Native)
