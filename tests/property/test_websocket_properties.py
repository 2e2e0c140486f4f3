"""Any client before and inside a WebSocket: fragments, garbage, near misses."""

from __future__ import annotations

from hypothesis import given, settings, strategies as st
from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from spice_server.websocket.stream import WebSocketStream, frame_header
from tests.fakes.hostile_websocket import play, play_opening, play_page, play_stream
from tests.fakes.websocket_client import frame, handshake


def stream() -> WebSocketStream:
    return WebSocketStream(ServerProtocol(state=State.OPEN))


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


PARTS = st.lists(st.tuples(st.binary(max_size=300), st.booleans(), st.booleans()))


@settings(deadline=None)
@given(PARTS, st.data())
def test_whatever_a_foreign_client_sends_comes_in_order(parts, data):
    """Messages and fragments of websockets' client, pings between them, any reads."""
    client = ClientProtocol(parse_uri("ws://x/"), state=State.OPEN)
    inside, pings = False, 0
    for body, final, ping in parts:
        if inside:
            client.send_continuation(body, final)
        else:
            client.send_binary(body, final)
        inside = not final
        if ping:
            client.send_ping(body[:125])
            pings += 1
    sent = b"".join(client.data_to_send())
    cuts = data.draw(st.lists(st.integers(0, len(sent)), max_size=20).map(sorted))
    server, got, answers = stream(), b"", b""
    for piece in cut(sent, cuts):
        got += server.unwrap(piece)
        answers += b"".join(server.take_answers())
    assert got == b"".join(body for body, _, _ in parts)
    assert not server.ended
    client.receive_data(answers)
    assert len(client.events_received()) == pings


@settings(deadline=None)
@given(st.lists(st.lists(st.binary(max_size=70_000), max_size=5), max_size=5))
def test_a_foreign_client_reads_whatever_is_written(writes):
    client = ClientProtocol(parse_uri("ws://x/"), state=State.OPEN, max_size=None)
    server = stream()
    for buffers in writes:
        client.receive_data(b"".join(server.wrap(buffers)))
    got = b"".join(event.data for event in client.events_received())
    assert got == b"".join(b"".join(buffers) for buffers in writes)


@given(st.integers(0, (1 << 63) - 1))
def test_any_size_has_a_header(size):
    header = frame_header(size)
    assert header[0] == 0x82
    length = header[1]
    if length >= 126:
        length = int.from_bytes(header[2:], "big")
        assert length >= {4: 126, 10: 65536}[len(header)]  # the shortest one (5.2)
    assert length == size


@settings(deadline=None)
@given(st.binary(max_size=2000))
def test_garbage_never_raises(data):
    play(data)


FRAMES = st.lists(
    st.builds(frame, st.integers(0, 15), st.binary(max_size=200), final=st.booleans()),
    max_size=30,
).map(b"".join)


@settings(deadline=None)
@given(FRAMES, st.binary(max_size=20), st.booleans())
def test_any_frames_are_taken_or_end_it(frames, rest, trusted):
    play_stream(stream(), frames + rest, trusted=trusted)


NAMES = st.text("abcSecWbktKyVrionHgUpdeLt-", min_size=1, max_size=20)
HEADERS = st.dictionaries(
    NAMES | st.sampled_from(["Host", "Origin", "Upgrade", "Sec-WebSocket-Key"]),
    st.text(st.characters(max_codepoint=255), max_size=30),
    max_size=5,
)


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=127)), HEADERS, FRAMES, st.integers(0, 3))
def test_any_request_is_answered_or_awaited(path, headers, frames, choice):
    request = handshake(f"/{path}", **headers)
    pages, ticketing = bool(choice & 1), bool(choice & 2)
    play_opening(request + frames, pages=pages, ticketing=ticketing)


SEGMENTS = st.lists(
    st.sampled_from(["..", ".", "", "%2e%2e", "secret", "out", "pages", "%00", "\\"])
    | st.text(st.characters(max_codepoint=127), max_size=10),
    max_size=8,
)


@settings(deadline=None)
@given(SEGMENTS, st.sampled_from(["GET", "HEAD"]))
def test_no_path_leads_out(segments, method):
    play_page(Request("/" + "/".join(segments), Headers(), method))
