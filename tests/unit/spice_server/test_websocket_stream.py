"""Frames: what the RFC's examples say, near misses, and who may send how much."""

from __future__ import annotations

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from spice_server.websocket.stream import (
    MAX_FRAME,
    MAX_LINK_FRAME,
    WebSocketStream,
    frame_header,
)
from tests.fakes.websocket_client import frame

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


@pytest.fixture
def stream():
    return WebSocketStream(ServerProtocol(state=State.OPEN))


def closing(code: int, reason: bytes = b"") -> bytes:
    body = code.to_bytes(2, "big") + reason
    return bytes([0x88, len(body)]) + body


def code_of(stream) -> int:
    """The code of the close frame that the stream ends with."""
    assert stream.ended
    (last,) = stream.farewell()
    assert last[0] == 0x88
    assert last[1] == len(last) - 2
    return int.from_bytes(last[2:4], "big")


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 1 << 24])
def test_headers_are_those_of_the_websockets_package(size):
    theirs = Frame(Opcode.BINARY, bytes(size)).serialize(mask=False)
    assert frame_header(size) == theirs[: len(theirs) - size]


def test_what_is_written_together_is_one_frame(stream):
    view = memoryview(b"xcdx")[1:3]
    written = stream.wrap(b for b in [b"ab", view, b""])
    assert b"".join(written) == b"\x82\x04abcd"
    assert written[2] is view, "not copied"
    assert stream.wrap([]) == stream.wrap([b""]) == []


def test_masked_example_of_the_rfc_as_binary(stream):
    masked = bytes.fromhex("8285 37fa213d 7f9f4d5158")
    assert stream.unwrap(masked) == b"Hello"
    assert not stream.ended


def test_a_client_of_the_websockets_package_reads_it(stream):
    client = ClientProtocol(parse_uri("ws://x/"), state=State.OPEN, max_size=None)
    client.receive_data(b"".join(stream.wrap([bytes(70000), b"end"])))
    (got,) = client.events_received()
    assert got.data == bytes(70000) + b"end"
    client.send_binary(b"there")
    client.send_ping(b"?")
    assert stream.unwrap(b"".join(client.data_to_send())) == b"there"
    client.receive_data(b"".join(stream.take_answers() + stream.farewell()))
    assert [f.opcode for f in client.events_received()] == [PONG, CLOSE]
    assert client.close_rcvd.code == 1000


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_borders_of_frames_and_reads_mean_nothing(stream, size):
    data = (
        frame(BINARY, b"ab", final=False)
        + frame(PING, b"now")
        + frame(CONT, b"", final=False)
        + frame(CONT, b"cd")
        + frame(BINARY)
        + frame(PONG, b"unasked")
        + frame(BINARY, b"e" * 300)
    )
    got = b"".join(stream.unwrap(data[i : i + size]) for i in range(0, len(data), size))
    assert got == b"abcd" + b"e" * 300
    assert stream.take_answers() == [b"\x8a\x03now"]
    assert stream.take_answers() == []


def test_a_message_may_go_on_for_ever(stream):
    assert stream.unwrap(frame(BINARY, b"a", final=False)) == b"a"
    piece = frame(CONT, bytes(MAX_LINK_FRAME), final=False)
    for _ in range(100):
        assert len(stream.unwrap(piece)) == MAX_LINK_FRAME
    assert not stream.ended


def test_all_pings_of_one_read_are_answered_and_later_ones_first(stream):
    stream.unwrap(frame(PING, b"1") + frame(PING, b"2"))
    assert stream.take_answers() == [b"\x8a\x011", b"\x8a\x012"]
    for number in range(1000):
        stream.unwrap(frame(PING, b"%d" % number))
    assert stream.take_answers() == [b"\x8a\x03999"]


def test_the_peer_closes(stream):
    data = frame(BINARY, b"last") + frame(CLOSE, b"\x03\xe9bye") + frame(BINARY, b"no")
    assert stream.unwrap(data) == b"last"
    assert stream.ended
    assert stream.farewell() == [closing(1001, b"bye")]
    assert stream.farewell() == []
    assert stream.unwrap(frame(BINARY, b"more")) == b""


def test_the_peer_closes_without_a_code(stream):
    stream.unwrap(frame(CLOSE))
    assert stream.farewell() == [b"\x88\0"]


def test_we_close(stream):
    assert stream.farewell() == [closing(1000)]
    assert stream.ended
    assert stream.farewell() == []


PROTOCOL_ERROR, UNSUPPORTED, INVALID, TOO_BIG = 1002, 1003, 1007, 1009
WRONG = {
    "unmasked": (b"\x82\x01a", PROTOCOL_ERROR),
    "reserved bit": (b"\xc2\x80" + bytes(4), PROTOCOL_ERROR),
    "reserved opcode": (frame(3), PROTOCOL_ERROR),
    "reserved control opcode": (frame(11), PROTOCOL_ERROR),
    "continuation of nothing": (frame(CONT, b"a"), PROTOCOL_ERROR),
    "new message inside one": (
        frame(BINARY, final=False) + frame(BINARY),
        PROTOCOL_ERROR,
    ),
    "cut control frame": (frame(PING, final=False), PROTOCOL_ERROR),
    "long control frame": (frame(PING, bytes(126)), PROTOCOL_ERROR),
    "close code of one byte": (frame(CLOSE, b"\3"), PROTOCOL_ERROR),
    "close code nobody may send": (frame(CLOSE, b"\x03\xed"), PROTOCOL_ERROR),
    "close reason that is not UTF-8": (frame(CLOSE, b"\x03\xe8\xff"), INVALID),
    "text": (frame(TEXT, b"REDQ"), UNSUPPORTED),
    "text in parts": (frame(TEXT, b"R", final=False), UNSUPPORTED),
    "text, then close": (frame(TEXT) + frame(CLOSE), None),
    "too long": (b"\x82\xfe\x40\x01", TOO_BIG),
    "2 to the 63rd": (b"\x82\xff" + b"\x80" + bytes(7), TOO_BIG),
    "2 to the 64th": (b"\x82\xff" + b"\xff" * 8, TOO_BIG),
}


@pytest.mark.parametrize(("data", "code"), WRONG.values(), ids=WRONG)
def test_what_is_not_allowed_ends_it(stream, data, code):
    assert stream.unwrap(frame(BINARY, b"good") + data) == b"good"
    if code is None:
        assert stream.ended
    else:
        assert code_of(stream) == code
    assert stream.unwrap(frame(BINARY, b"ignored") + frame(PING, b"too")) == b""
    assert stream.take_answers() == []


def test_strangers_may_send_less_than_clients(stream):
    stream.trust()
    assert len(stream.unwrap(frame(BINARY, bytes(MAX_LINK_FRAME + 1)))) == (
        MAX_LINK_FRAME + 1
    )
    assert len(stream.unwrap(frame(BINARY, bytes(MAX_FRAME)))) == MAX_FRAME
    stream.unwrap(frame(BINARY, bytes(MAX_FRAME + 1))[:14])
    assert code_of(stream) == TOO_BIG
