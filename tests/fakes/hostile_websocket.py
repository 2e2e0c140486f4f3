"""A client that sends any bytes before and inside a WebSocket, without sockets.

The first byte of an input chooses what the server offers, and whether the client is
authenticated.  What must hold is checked on the way; any exception that comes out of
:func:`play` is a mistake of ours.
"""

from __future__ import annotations

import atexit
import functools
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from websockets.protocol import State
from websockets.server import ServerProtocol

from spice_server.websocket.opening import (
    MAX_REQUEST,
    HttpRefusal,
    Native,
    Opening,
    PageRequest,
    Upgrade,
)
from spice_server.websocket.origin import OriginPolicy
from spice_server.websocket.pages import START_PAGE, Pages
from spice_server.websocket.stream import MAX_FRAME, MAX_LINK_FRAME, WebSocketStream
from tests.fakes.hostile_client import fragments, play_link

if TYPE_CHECKING:
    from websockets.http11 import Request

__all__ = ["play", "play_opening", "play_page", "play_stream"]

SECRET = b"what no page may show"
_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) [A-Za-z -]+\r\n")


@functools.cache
def _pages() -> Pages:
    """Serve one folder, beside which there is something secret."""
    directory = tempfile.TemporaryDirectory(prefix="qxld-pages-")
    atexit.register(directory.cleanup)
    parent = Path(directory.name)
    folder = parent / "pages"
    folder.mkdir()
    (folder / START_PAGE).write_text("<script>1</script>")
    (parent / "secret").write_bytes(SECRET)
    (folder / "out").symlink_to(parent / "secret")
    return Pages(folder)


def _check_http(data: bytes) -> int:
    """Return the status of a whole response; nothing of the request is in its head."""
    status = _STATUS_LINE.match(data)
    assert status, data[:100]
    head, end, _body = data.partition(b"\r\n\r\n")
    assert end
    for line in head.split(b"\r\n")[1:]:
        assert re.fullmatch(rb"[A-Za-z-]+: [ -~]*", line), line
    return int(status[1])


def play_page(request: Request) -> None:
    """Ask for a page."""
    answer = _pages().answer(request)
    assert _check_http(answer.data) == answer.status
    assert answer.status in {200, 302, 304, 404}
    assert SECRET not in answer.data


def play_opening(data: bytes, *, pages: bool, ticketing: bool) -> object:
    """Open a connection; what it was taken for."""
    opening = Opening(OriginPolicy(ticketing=ticketing), pages=pages)
    received = b""
    for piece in fragments(data):
        received += piece
        outcome = opening.receive(piece)
        match outcome:
            case None:
                assert len(received) < MAX_REQUEST
                continue
            case Native(first):
                assert received.startswith(first)
                assert len(first) >= 4
                play_link(first)
            case Upgrade(response, stream, rest):
                assert _check_http(response) == 101
                assert received.endswith(rest)
                play_stream(stream, rest + data[len(received) :])
            case PageRequest(request):
                assert pages
                play_page(request)
            case HttpRefusal(response):
                assert _check_http(response) >= 400
        return outcome
    return None


def play_stream(stream: WebSocketStream, data: bytes, *, trusted: bool = False) -> None:
    """Send frames, or what looks like some; what they bring goes to a link stage."""
    if trusted:
        stream.trust()
    bound = MAX_FRAME if trusted else MAX_LINK_FRAME
    payload = b""
    for piece in fragments(data):
        ended = stream.ended
        inner = stream.unwrap(piece)
        assert not (ended and inner)
        payload += inner
        assert len(stream._protocol.reader.buffer) <= bound + 14 + len(piece)
        assert sum(map(len, stream._answers)) <= 97 + 2 * 127
        if len(piece) % 3 == 0:
            stream.take_answers()
    assert len(payload) <= len(data)
    last = b"".join(stream.farewell())
    assert stream.ended
    assert last[:1] == b"\x88"
    assert len(last) == 2 + last[1] <= 127
    assert stream.farewell() == []
    play_link(payload)


def play(data: bytes) -> None:
    """Run one input: its first byte chooses the stage."""
    choice, rest = (data[0], data[1:]) if data else (0, b"")
    if choice & 1:
        play_opening(rest, pages=bool(choice & 2), ticketing=bool(choice & 4))
    else:
        stream = WebSocketStream(ServerProtocol(state=State.OPEN))
        play_stream(stream, rest, trusted=bool(choice & 2))
