"""An open WebSocket as a byte stream: SPICE's bytes in binary frames, both ways.

Borders of frames mean nothing, neither to libspice-server nor to spice-html5: what is
written together travels in one frame, and what frames bring is one stream of bytes.
The protocol is the ``websockets`` package's; only the few bytes before an outgoing
frame are made here, so that pictures are not copied.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from websockets.server import ServerProtocol

    from spice_server.channel.pipe import Buffer

__all__ = ["MAX_FRAME", "MAX_LINK_FRAME", "WebSocketStream", "frame_header"]

MAX_LINK_FRAME: Final = 16 * 1024
"""Bytes of a frame before its sender is authenticated: more than a link stage takes
altogether, and all that a stranger can make us keep."""

MAX_FRAME: Final = 1024 * 1024
"""Bytes of a frame of an authenticated client; it is kept until it is whole.  Clients
send frames of one message, which are far smaller, and proxies cut at 64 KiB or so."""

_FINAL_BINARY: Final = 0x80 | Opcode.BINARY
_DATA: Final = frozenset({Opcode.BINARY, Opcode.CONT})


def frame_header(size: int) -> bytes:
    """Return what goes before *size* bytes as one binary frame (RFC 6455, 5.2)."""
    if size < 126:
        return struct.pack("!BB", _FINAL_BINARY, size)
    if size < 65536:
        return struct.pack("!BBH", _FINAL_BINARY, 126, size)
    return struct.pack("!BBQ", _FINAL_BINARY, 127, size)


class WebSocketStream:
    """The server's end of a WebSocket whose handshake is done (a :class:`Wrapping`).

    *protocol* is open and took no frame yet.
    """

    def __init__(self, protocol: ServerProtocol) -> None:
        protocol.max_message_size = None  # it is a stream: nobody keeps whole messages
        protocol.max_fragment_size = MAX_LINK_FRAME
        self._protocol = protocol
        self._answers: list[bytes] = []
        self._farewell: list[bytes] = []
        self.ended = False
        """Whether no byte can follow: a close frame came, or what is no frame."""

    def trust(self) -> None:
        """Allow larger frames: the client is authenticated."""
        self._protocol.max_fragment_size = MAX_FRAME

    def wrap(self, buffers: Iterable[Buffer]) -> list[Buffer]:
        """Return *buffers* as one frame; no bytes are no frame."""
        body = list(buffers)
        size = sum(map(len, body))
        return [frame_header(size), *body] if size else []

    def unwrap(self, data: bytes) -> bytes:
        """Return the bytes that *data* brings; look at ``ended`` afterwards."""
        protocol = self._protocol
        protocol.receive_data(data)
        payload = []
        for frame in protocol.events_received():
            assert isinstance(frame, Frame)  # the request was taken before
            if frame.opcode in _DATA:
                payload.append(frame.data)
            elif frame.opcode is Opcode.TEXT:
                self._refuse_text()
                break
        self._sort()
        return b"".join(payload)  # one alone is not copied

    def _refuse_text(self) -> None:
        if self._protocol.state is State.OPEN:
            text = "binary frames only"
            self._protocol.fail(CloseCode.UNSUPPORTED_DATA, text)

    def _sort(self) -> None:
        """Keep what is to be sent: pongs to the latest pings; a close frame."""
        written = [data for data in self._protocol.data_to_send() if data]
        if self._protocol.close_expected() and not self.ended:
            self.ended = True
            self._farewell = written[-1:]
            del written[-1:]
        self._answers = written or self._answers

    def take_answers(self) -> list[bytes]:
        """Return pongs that are due, once; the older ones of two batches are not."""
        answers, self._answers = self._answers, []
        return answers

    def farewell(self) -> list[bytes]:
        """Return the last frame: our close, or the answer to the peer's; once."""
        if not self.ended:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
            self._sort()
        last, self._farewell = self._farewell, []
        return last
