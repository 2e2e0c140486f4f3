"""What a new connection speaks: SPICE, or HTTP that asks for a WebSocket or a page.

A SPICE client begins with ``REDQ``.  As with libspice-server, what begins with ``GET``
may become a WebSocket whatever path it names, and else is answered in SPICE's words
that this is no SPICE, unless there are pages to serve.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from spice_server.websocket.stream import WebSocketStream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from websockets.http11 import Response

    from spice_server.websocket.origin import OriginPolicy

__all__ = [
    "MAX_REQUEST",
    "HttpRefusal",
    "Native",
    "Opening",
    "Outcome",
    "PageRequest",
    "Upgrade",
]

MAX_REQUEST: Final = 32 * 1024
"""Bytes of a request: browsers send all cookies of a host, whatever port they are of."""

_MAGIC_SIZE: Final = 4
_END: Final = b"\r\n\r\n"
_BINARY: Final = Subprotocol("binary")
"""What spice-html5 asks for: bytes as they are, in binary frames."""

_quiet = logging.getLogger("spice_server.websocket.protocol")
# It tells of every stranger that comes and goes, and, to debug, of every frame.
_quiet.setLevel(logging.WARNING)


@dataclass(slots=True)
class Native:
    """It is SPICE, or nothing known: *data* is for the link stage."""

    data: bytes


@dataclass(slots=True)
class Upgrade:
    """A WebSocket: send *response*, then *stream* holds; *rest* came already."""

    response: bytes
    stream: WebSocketStream
    rest: bytes


@dataclass(slots=True)
class PageRequest:
    """A browser wants a page."""

    request: Request


@dataclass(slots=True)
class HttpRefusal:
    """It is HTTP that leads nowhere: send *response* and close."""

    response: bytes
    reason: str


Outcome = Native | Upgrade | PageRequest | HttpRefusal


class Opening:
    """The first bytes of one connection; no I/O."""

    def __init__(self, origins: OriginPolicy, *, pages: bool) -> None:
        """Let WebSockets of *origins* in; ask for *pages* only if there are any."""
        self._origins = origins
        self._pages = pages
        self._magics = {b"GET ", b"HEAD"} if pages else {b"GET "}
        self._buffer = bytearray()

    def receive(self, data: bytes) -> Outcome | None:
        """Take bytes; tell once what they are, ``None`` before it is known."""
        searched = max(0, len(self._buffer) - len(_END) + 1)
        self._buffer += data
        if len(self._buffer) < _MAGIC_SIZE:
            return None
        if bytes(self._buffer[:_MAGIC_SIZE]) not in self._magics:
            return Native(bytes(self._buffer))
        end = self._buffer.find(_END, searched, MAX_REQUEST)
        if end >= 0:
            end += len(_END)
            return self._decide(bytes(self._buffer[:end]), bytes(self._buffer[end:]))
        if len(self._buffer) < MAX_REQUEST:
            return None
        return self._no_page(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too long")

    def _decide(self, head: bytes, rest: bytes) -> Outcome:
        protocol = ServerProtocol(select_subprotocol=_choose, logger=_quiet)
        protocol.receive_data(head)
        events = protocol.events_received()
        if not events or not isinstance(events[0], Request):
            return self._no_page(HTTPStatus.BAD_REQUEST, str(protocol.handshake_exc))
        request = events[0]
        if "Upgrade" in request.headers:
            return self._upgrade(protocol, request, rest)
        if self._pages:
            return PageRequest(request)
        return self._no_page(HTTPStatus.NOT_FOUND, "no page is served")

    def _no_page(self, status: HTTPStatus, reason: str) -> Outcome:
        """Refuse what is no WebSocket: in SPICE's words if there are no pages."""
        if not self._pages:
            return Native(bytes(self._buffer[:_MAGIC_SIZE]))
        response = ServerProtocol(logger=_quiet).reject(status, f"{status.phrase}\n")
        return HttpRefusal(response.serialize(), f"HTTP {status:d}: {reason}")

    def _upgrade(
        self, protocol: ServerProtocol, request: Request, rest: bytes
    ) -> Outcome:
        reason = self._origins.refusal(request.headers)
        if reason is not None:
            response = protocol.reject(HTTPStatus.FORBIDDEN, f"{reason}\n")
            return HttpRefusal(response.serialize(), reason)
        response = protocol.accept(request)
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            return HttpRefusal(_with_version(response), str(protocol.handshake_exc))
        protocol.send_response(response)
        return Upgrade(
            b"".join(protocol.data_to_send()), WebSocketStream(protocol), rest
        )


def _choose(
    protocol: ServerProtocol,  # noqa: ARG001 - as websockets calls it
    offered: Sequence[Subprotocol],
) -> Subprotocol | None:
    """Choose "binary" if it was asked for; a client need not ask for anything."""
    return _BINARY if _BINARY in offered else None


def _with_version(response: Response) -> bytes:
    """Say which version would be understood (RFC 6455, 4.4)."""
    response.headers["Sec-WebSocket-Version"] = "13"
    return response.serialize()
