"""QEMU's end of the bridge: one QMP connection shared by many; no I/O.

QEMU serves one monitor client per socket, so all who want to talk share a connection.
Each has a ``Lane``; requests of one lane are sent and answered in order, lanes take
turns.  In-band replies come in the order of the commands, so nobody's ``id`` needs to be
changed and every reply passes as the bytes QEMU wrote.  Out-of-band replies may overtake
and are told apart by an ``id`` of ours, which is replaced by the sender's again.
"""

from __future__ import annotations

import json
import os
import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from qmp_bridge.capabilities import Greeting, parse_greeting
from qmp_bridge.errors import QemuProtocolError
from qmp_bridge.json_writer import dump
from qmp_bridge.message import LineKind, LineReader, line_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qmp_bridge.json_parser import JsonValue

__all__ = ["MAX_IN_FLIGHT", "Lane", "QemuSession", "SessionHandler"]

MAX_IN_FLIGHT = 7
"""In-band commands sent and not answered.

QEMU stops reading its monitor when 8 are queued (QMP_REQ_QUEUE_LEN_MAX); one less and it
always reads, so that an out-of-band command is never stuck behind others.
"""


class SessionHandler(Protocol):
    """What a ``QemuSession`` needs from its owner."""

    def send(self, data: bytes, fds: Sequence[int]) -> None:
        """Send to QEMU; *fds* go with the first byte and are the callee's now."""

    def ready(self, greeting: Greeting) -> None:
        """Capabilities are negotiated: commands may be submitted."""

    def event(self, line: bytes) -> None:
        """QEMU emitted an event."""


@dataclass(slots=True)
class _Request:
    message: bytes
    fds: Sequence[int]
    on_reply: Callable[[bytes], None]


@dataclass(slots=True)
class Lane:
    """One sender's requests that are not sent yet."""

    waiting: deque[_Request] = field(default_factory=deque)


class QemuSession:
    """Negotiates, takes turns among lanes, and gives each reply to who asked."""

    def __init__(self, handler: SessionHandler) -> None:
        self._handler = handler
        self._reader = LineReader()
        self._greeting: Greeting | None = None
        self._ready = False
        self._turns: deque[Lane] = deque()
        self._in_flight: deque[_Request] = deque()
        self._fd_request: _Request | None = None
        self._oob_prefix = f"qxld-{secrets.token_hex(8)}-"
        self._oob_count = 0
        self._oob_replies: dict[str, Callable[[bytes], None]] = {}
        self._dropped = False

    @property
    def oob(self) -> bool:
        """Whether QEMU takes out-of-band commands."""
        return self._greeting is not None and "oob" in self._greeting.capabilities

    def submit(
        self,
        lane: Lane,
        message: bytes,
        on_reply: Callable[[bytes], None],
        fds: Sequence[int] = (),
    ) -> None:
        """Send an in-band command (one JSON value) when it is *lane*'s turn.

        *on_reply* gets QEMU's line.  *fds* are the session's from now on.  Nothing
        happens after ``drop``.
        """
        if self._dropped:
            for fd in fds:
                os.close(fd)
            return
        if not lane.waiting:
            self._turns.append(lane)
        lane.waiting.append(_Request(message, fds, on_reply))
        self._pump()

    def submit_oob(
        self, command: dict[str, JsonValue], on_reply: Callable[[bytes], None]
    ) -> None:
        """Send an out-of-band command at once; its reply carries its own ``id``."""
        self._oob_count += 1
        marker = f"{self._oob_prefix}{self._oob_count}"

        def restore(line: bytes) -> None:
            answer = json.loads(line)
            del answer["id"]
            if "id" in command:
                answer["id"] = command["id"]
            on_reply(dump(answer) + b"\r\n")

        self._oob_replies[marker] = restore
        self._handler.send(dump(command | {"id": marker}) + b"\n", ())

    def receive(self, data: bytes) -> None:
        """Take bytes from QEMU.

        Raises:
            QemuProtocolError: they are not what a QMP server says.

        """
        for line in self._reader.feed(data):
            self._receive_line(line)

    def drop(self) -> None:
        """Forget everything: QEMU is gone."""
        self._dropped = True
        for lane in self._turns:
            for request in lane.waiting:
                for fd in request.fds:
                    os.close(fd)
            lane.waiting.clear()
        self._turns.clear()
        self._in_flight.clear()
        self._oob_replies.clear()

    def _receive_line(self, line: bytes) -> None:
        if line_kind(line) is LineKind.EVENT:
            # QEMU greets from another thread: an event of its start may come before.
            self._handler.event(line)
        elif self._greeting is None:
            self._greeting = parse_greeting(line)
            enable = ["oob"] if self.oob else []
            negotiate = {"execute": "qmp_capabilities", "arguments": {"enable": enable}}
            self._handler.send(json.dumps(negotiate).encode() + b"\n", ())
        elif not self._ready:
            if b'"return"' not in line:
                raise QemuProtocolError(f"QEMU refused qmp_capabilities: {line!r}")
            self._ready = True
            self._handler.ready(self._greeting)
        else:
            self._receive_reply(line)
        self._pump()

    def _receive_reply(self, line: bytes) -> None:
        if self._oob_replies and self._oob_prefix.encode() in line:
            marker = json.loads(line).get("id")
            if isinstance(marker, str) and marker in self._oob_replies:
                self._oob_replies.pop(marker)(line)
                return
        if not self._in_flight:
            raise QemuProtocolError(f"QEMU answered without a question: {line[:80]!r}")
        request = self._in_flight.popleft()
        if request is self._fd_request:
            self._fd_request = None
        request.on_reply(line)

    def _pump(self) -> None:
        """Send what may be sent, one request of each lane at a time."""
        passed = 0
        while (
            self._ready
            and passed < len(self._turns)
            and len(self._in_flight) < MAX_IN_FLIGHT
        ):
            lane = self._turns.popleft()
            if lane.waiting[0].fds and self._fd_request is not None:
                # QEMU keeps only the last fds it received until a command takes them.
                self._turns.append(lane)
                passed += 1
                continue
            request = lane.waiting.popleft()
            if lane.waiting:
                self._turns.append(lane)
            self._send(request)
            passed = 0

    def _send(self, request: _Request) -> None:
        self._in_flight.append(request)
        if request.fds:
            self._fd_request = request
        self._handler.send(request.message + b"\n", request.fds)
