"""One monitor client's end of the bridge; no I/O.

Commands are carried out in the order they came, as QEMU does: a command that is answered
here waits until those before it are answered by QEMU, and those after it wait for it.
Out-of-band commands overtake.
"""

from __future__ import annotations

import functools
import json
import os
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from qmp_bridge.capabilities import Greeting, Mode, Negotiation
from qmp_bridge.commands import (
    FD_COMMANDS,
    Command,
    CommandTable,
    Later,
    Relay,
    check_command,
)
from qmp_bridge.errors import JsonError, QemuProtocolError, QmpError
from qmp_bridge.json_writer import dump
from qmp_bridge.message import Message, MessageReader, error_reply, line_of, reply
from qmp_bridge.qemu_session import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qmp_bridge.commands import Outcome, Watcher
    from qmp_bridge.json_parser import JsonValue
    from qmp_bridge.qemu_session import QemuSession

__all__ = ["MonitorHandler", "MonitorSession"]

_MAX_AHEAD = 8
"""Commands of one client handed over and not answered; QEMU queues as many."""

_MAX_AHEAD_SIZE = 1 << 20
"""Bytes of those; a longer command goes alone."""

_MAX_QUEUED = 64
"""Commands read and not handed over, beyond which the client is not read."""

_ERROR_POSITIONS = (11, 1, 0)
"""First QEMU known to tell where in the stream a JSON error is."""


class MonitorHandler(Protocol):
    """What a ``MonitorSession`` needs from its owner."""

    @property
    def congested(self) -> bool:
        """Whether the client leaves so much unread that nothing should be answered."""

    def send(self, data: bytes) -> None:
        """Send to the monitor client."""


@dataclass(slots=True)
class _Request:
    """One thing to answer: a command, or what is wrong with a message."""

    raw: bytes
    value: JsonValue
    command: Command | QmpError
    fds: Sequence[int] = ()


class MonitorSession:
    """Reads a client's commands, answers or forwards them, sends it replies."""

    def __init__(
        self,
        handler: MonitorHandler,
        qemu: QemuSession,
        greeting: Greeting,
        table: CommandTable,
        watcher: Watcher | None = None,
    ) -> None:
        """*table* has the commands that are answered here; ``greet`` comes first.

        *watcher* sees what goes to QEMU.
        """
        self._handler = handler
        self._qemu = qemu
        self._table = table
        self._watcher = watcher
        self._negotiation = Negotiation(greeting.capabilities)
        self._reader = MessageReader(positions=greeting.version >= _ERROR_POSITIONS)
        self._lane = Lane()
        self._queue: deque[_Request] = deque()
        self._ahead: deque[int] = deque()
        self._fds: list[int] = []
        self._running = False
        self._held = False
        self._closed = False
        self._greeting = greeting

    @property
    def busy(self) -> bool:
        """Whether so much waits that the client should not be read."""
        return len(self._queue) >= _MAX_QUEUED

    @property
    def idle(self) -> bool:
        """Whether everything received is answered."""
        return not self._queue and not self._ahead and not self._held

    def greet(self) -> None:
        """Send what QEMU says first."""
        self._handler.send(self._greeting.raw)

    def receive(self, data: bytes, fds: Sequence[int] = ()) -> None:
        """Take bytes and the fds that came with them; they are the session's now."""
        if fds:
            # As in QEMU's socket: fds that no command took go when others come.
            _close(self._fds)
            self._fds = list(fds)
        begin = len(self._queue)
        for message in self._reader.feed(data):
            self._take(message)
        if self._fds:
            self._give_fds(list(self._queue)[begin:])
        self._pump()

    def event(self, line: bytes) -> None:
        """Pass an event on; not before the client negotiated."""
        if self._negotiation.mode is Mode.COMMANDS:
            self._handler.send(line)

    def resume(self) -> None:
        """Go on: the client is not congested any more."""
        self._pump()

    def detach(self) -> None:
        """Take note that the client is gone: what it asked for is still done."""
        _close(self._fds)
        self._fds = []
        # What it did not finish may be long, and who refers to whom here goes in a
        # circle: it would stay until Python looks for circles.
        self._reader = MessageReader()

    def close(self) -> None:
        """Forget what is not carried out yet."""
        self.detach()
        for request in self._queue:
            _close(request.fds)
        self._queue.clear()
        self._ahead.clear()
        self._held = False
        self._closed = True

    def _take(self, message: Message | JsonError) -> None:
        """Queue a message, or carry it out at once if it is out of band."""
        if isinstance(message, JsonError):
            self._queue.append(_Request(b"", None, message))
            return
        value = message.value
        try:
            command = check_command(value, oob=self._negotiation.oob)
        except QmpError as error:
            self._queue.append(_Request(message.raw, value, error))
            return
        if not command.oob:
            self._queue.append(_Request(message.raw, value, command))
        elif self._is_local(command):
            refusal = QmpError(f"The command {command.name} does not support OOB")
            self._say(error_reply(refusal, value))
        else:
            assert isinstance(value, dict)
            on_reply = self._seen_reply(self._see(command, ()))
            self._qemu.submit_oob(value, on_reply)

    def _give_fds(self, requests: Sequence[_Request]) -> None:
        """Send the fds along with the command that wants them, or the next one."""
        commands = [
            (request.command.name, request)
            for request in requests
            if isinstance(request.command, Command)
        ]
        takers = [request for name, request in commands if name in FD_COMMANDS]
        takers += [request for name, request in commands if name not in self._table]
        if takers:
            takers[0].fds, self._fds = self._fds, []

    def _pump(self) -> None:
        """Carry out what may be carried out; may be entered again from within."""
        if self._running:
            return
        self._running = True
        while self._queue and self._may_start(self._queue[0]):
            request = self._queue.popleft()
            if self._is_forwarded(request):
                self._forward(request, Relay())
            else:
                self._settle(request, self._outcome(request))
        self._running = False

    def _may_start(self, request: _Request) -> bool:
        if self._handler.congested or self._held:
            return False
        if not self._ahead:
            return True
        if not self._is_forwarded(request):
            return False
        size = sum(self._ahead) + len(request.raw)
        return len(self._ahead) < _MAX_AHEAD and size <= _MAX_AHEAD_SIZE

    def _is_forwarded(self, request: _Request) -> bool:
        command = request.command
        if self._negotiation.mode is Mode.NEGOTIATION or isinstance(command, JsonError):
            return False
        if isinstance(command, QmpError):
            # QEMU, with which we enabled oob, sees "exec-oob" otherwise than a client
            # that did not enable it may expect.
            value = request.value
            return not isinstance(value, dict) or "exec-oob" not in value
        return command.name != "qmp_capabilities" and not self._is_local(command)

    def _is_local(self, command: Command) -> bool:
        row = self._table.get(command.name)
        return row is not None and row.ours(command.arguments)

    def _say(self, message: JsonValue) -> None:
        self._handler.send(line_of(message, pretty=self._greeting.pretty))

    def _outcome(self, request: _Request) -> Outcome | QmpError:
        if isinstance(request.command, QmpError):
            return request.command
        try:
            return self._run(request.command)
        except QmpError as error:
            return error

    def _run(self, command: Command) -> Outcome:
        if self._negotiation.process(command.name, command.arguments):
            return {}
        return self._table[command.name].run(command.arguments)

    def _settle(self, request: _Request, outcome: Outcome | QmpError) -> None:
        """Answer, or go the way around that leads to an answer."""
        if isinstance(outcome, Relay):
            self._forward(request, outcome)
        elif isinstance(outcome, Later):
            self._held = True
            outcome.begin(functools.partial(self._on_later, request))
        else:
            _close(request.fds)
            request.fds = ()
            if isinstance(outcome, QmpError):
                self._say(error_reply(outcome, request.value))
            else:
                self._say(reply(outcome, request.value))

    def _on_later(
        self, request: _Request, outcome: JsonValue | Relay | QmpError
    ) -> None:
        self._held = False
        if self._closed:
            _close(request.fds)
            return
        self._settle(request, outcome)
        self._pump()

    def _forward(self, request: _Request, relay: Relay) -> None:
        self._ahead.append(len(request.raw))
        message, fds, seen = request.raw, request.fds, None
        if relay.command is not None:
            _close(fds)
            message, fds = dump(relay.command), ()
        elif isinstance(request.command, Command):
            seen = self._see(request.command, fds)
        request.fds = ()
        # Only its "id" is held meanwhile: a command may be long.
        identity = _identity(request.value) if relay.answer is not None else None
        on_reply = functools.partial(self._on_reply, identity, relay, seen)
        self._qemu.submit(self._lane, message, on_reply, fds)

    def _see(
        self, command: Command, fds: Sequence[int]
    ) -> Callable[[bytes], None] | None:
        """Let the watcher look at what goes to QEMU."""
        if self._watcher is None:
            return None
        return self._watcher.forwarding(command, fds)

    def _seen_reply(
        self, seen: Callable[[bytes], None] | None
    ) -> Callable[[bytes], None]:
        def on_reply(line: bytes) -> None:
            if seen is not None:
                seen(line)
            self._handler.send(line)

        return on_reply

    def _on_reply(
        self,
        request: JsonValue,
        relay: Relay,
        seen: Callable[[bytes], None] | None,
        line: bytes,
    ) -> None:
        if self._ahead:  # not closed meanwhile
            self._ahead.popleft()
        if seen is not None:
            seen(line)
        try:
            value = relay.answer and relay.answer(_reply_object(line))
        except QmpError as error:
            self._say(error_reply(error, request))
        else:
            if value is None:
                self._handler.send(line)
            else:
                self._say(reply(value, request))
        self._pump()


def _identity(request: JsonValue) -> JsonValue:
    """Return what of a command its answer needs."""
    if isinstance(request, dict) and "id" in request:
        return {"id": request["id"]}
    return None


def _reply_object(line: bytes) -> dict[str, JsonValue]:
    try:
        value = json.loads(line)
    except RecursionError:  # an "id" that is nested deeply: nothing is known of it
        return {}
    if not isinstance(value, dict):
        raise QemuProtocolError(f"QEMU answered {line[:80]!r}")
    return value


def _close(fds: Sequence[int]) -> None:
    for fd in fds:
        os.close(fd)
