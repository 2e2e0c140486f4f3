"""QMP messages out of a stream of bytes, both ways; no I/O.

What monitor clients send is cut by ``MessageReader``: JSON values need no separator, so
several may share a write and one may come in pieces.  What QEMU sends ends in a newline
each and is cut there by ``LineReader``, so that a client gets the very bytes.
"""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qmp_bridge.errors import JsonError, QemuProtocolError, QmpError
from qmp_bridge.json_lexer import JsonLexer, Token, TokenType
from qmp_bridge.json_parser import parse_integer, parse_tokens, show_modified_utf8
from qmp_bridge.json_writer import dump

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qmp_bridge.json_parser import JsonValue

__all__ = [
    "MAX_MESSAGE_SIZE",
    "MAX_REPLY_SIZE",
    "LineKind",
    "LineReader",
    "Message",
    "MessageReader",
    "error_reply",
    "line_kind",
    "line_of",
    "reply",
]

MAX_MESSAGE_SIZE = 64 << 20
"""Bytes of one command, blanks included; QEMU's own limit for its tokens."""

MAX_TOKENS = 2 << 20
"""Tokens of one command (QEMU's limit)."""

MAX_NESTING = 1 << 10
"""Depth of one command (QEMU's limit)."""

MAX_REPLY_SIZE = 256 << 20
"""Bytes of one line from QEMU: far above any real one, only to end a runaway."""

_BLANKS = b" \t\r\n"
_MAX_AT_ONCE = 1 << 20
_DEPTH = {
    TokenType.LCURLY: ("brace", 1),
    TokenType.RCURLY: ("brace", -1),
    TokenType.LSQUARE: ("bracket", 1),
    TokenType.RSQUARE: ("bracket", -1),
}


@dataclass(slots=True)
class Message:
    """One JSON value that a monitor client sent."""

    raw: bytes
    """The bytes it came as, from its first token to its last."""
    value: JsonValue


class MessageReader:
    """Cuts what a monitor client sends into messages and errors."""

    def __init__(self, *, positions: bool = False) -> None:
        """Begin a stream; *positions*: errors tell line and column, as QEMU 11.1's."""
        self._lexer = JsonLexer()
        self._positions = positions
        self._raw = bytearray()
        self._tokens: list[Token] = []
        self._depth = {"brace": 0, "bracket": 0}

    @property
    def buffered(self) -> int:
        """Bytes of the message that is not complete yet."""
        return len(self._raw)

    def feed(self, data: bytes) -> Iterator[Message | JsonError]:
        """Yield what *data* completes; consume the iterator entirely."""
        position = 0
        while position < len(data):
            newline = data.find(b"\n", position)
            end = len(data) if newline < 0 else newline + 1
            line = data[position:end]
            message = self._whole_line(line) if newline >= 0 else None
            if message is not None:
                self._lexer.skip_line(len(line))
                yield message
            else:
                yield from self._pieces(line)
            position = end

    def _whole_line(self, line: bytes) -> Message | None:
        """Read a line that is one plain command: nearly all are, and this is quick."""
        if self._raw or not self._lexer.at_start or len(line) > _MAX_AT_ONCE:
            return None
        if not line.isascii() or b"\\u" in line or line[:1] != b"{":
            return None
        try:
            value = json.loads(
                line,
                parse_int=parse_integer,
                parse_float=_float,
                parse_constant=_refuse,
                object_pairs_hook=_unique,
            )
        except (ValueError, RecursionError):
            return None  # the slow way finds out what QEMU would say
        return Message(line.rstrip(_BLANKS), value)

    def _pieces(self, data: bytes) -> Iterator[Message | JsonError]:
        begin = 0
        for token in self._lexer.feed(data):
            if not self._tokens:
                begin = self._begin(token)
            result = self._take(token)
            if result is None:
                continue
            self._raw += data[begin : token.end]
            begin = token.end
            if isinstance(result, JsonError):
                yield self._placed(result)
            else:
                yield Message(bytes(self._raw), result.value)
            self._raw.clear()
        self._raw += data[begin:]
        if not self._tokens and not self._lexer.in_token:
            self._raw.clear()  # blanks, or what follows an error
        elif len(self._raw) > MAX_MESSAGE_SIZE:
            yield self._limit_exceeded("token size")
            self._raw.clear()

    def _begin(self, token: Token) -> int:
        """Forget what came before a message's first token; where that begins."""
        earlier = max(len(token.text) - token.end, 0)  # bytes of it in earlier chunks
        del self._raw[: len(self._raw) - earlier]
        return max(token.end - len(token.text), 0)

    def _take(self, token: Token) -> JsonError | _Parsed | None:
        """Add a token; what it completes."""
        if token.type is TokenType.ERROR:
            self._forget()
            shown = show_modified_utf8(token.text)
            return JsonError(
                f"JSON parse error, stray '{shown}'", token.line, token.column
            )
        depth = self._depth
        if token.type in _DEPTH:
            kind, step = _DEPTH[token.type]
            depth[kind] += step
        limit = self._limit_reached(token)
        if limit:
            return self._limit_exceeded(limit)
        self._tokens.append(token)
        if min(depth.values()) >= 0 and max(depth.values()) > 0:
            return None
        tokens = self._tokens
        self._forget()
        try:
            return _Parsed(parse_tokens(tokens))
        except JsonError as error:
            return error

    def _limit_reached(self, token: Token) -> str:
        if token.type is TokenType.OVERSIZED:
            return "token size"
        if len(self._tokens) >= MAX_TOKENS:
            return "token count"
        return "nesting depth" if sum(self._depth.values()) > MAX_NESTING else ""

    def _limit_exceeded(self, limit: str) -> JsonError:
        self._forget()
        return JsonError(f"JSON {limit} limit exceeded")

    def _forget(self) -> None:
        self._tokens = []
        self._depth = {"brace": 0, "bracket": 0}

    def _placed(self, error: JsonError) -> JsonError:
        if not self._positions or not error.line:
            return error
        return JsonError(f"{error.line}:{error.column}: {error.desc}")


@dataclass(slots=True)
class _Parsed:
    """A parsed value; distinguishes JSON's null from nothing."""

    value: JsonValue


def _float(text: str) -> float:
    if text.lstrip("-")[:2] in {"0e", "0E"}:
        raise ValueError(text)  # a number to JSON, two tokens to QEMU
    return float(text)


def _refuse(constant: str) -> float:
    raise ValueError(constant)


def _unique(pairs: list[tuple[str, JsonValue]]) -> JsonValue:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate key")
    return value


class LineReader:
    """Cuts what QEMU sends into messages: lines, or indented blocks (``pretty=on``)."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._searched = 0
        self._block = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield every complete message, line ends included.

        Raises:
            QemuProtocolError: one is longer than ``MAX_REPLY_SIZE``.

        """
        self._rest += data
        while True:
            newline = self._rest.find(b"\n", self._searched)
            if newline < 0:
                self._searched = len(self._rest)
                if len(self._rest) + len(self._block) > MAX_REPLY_SIZE:
                    raise QemuProtocolError("QEMU sent a line without end")
                return
            line = bytes(self._rest[: newline + 1])
            del self._rest[: newline + 1]
            self._searched = 0
            yield from self._add(line)

    def _add(self, line: bytes) -> Iterator[bytes]:
        text = line.rstrip(b"\r\n")
        if self._block or text == b"{":
            self._block += line
            if text != b"}":
                return
            line = bytes(self._block)
            self._block.clear()
        elif not text:
            return
        yield line


class LineKind(enum.Enum):
    """What a message from QEMU is."""

    GREETING = "QMP"
    EVENT = "event"
    REPLY = "reply"


def line_kind(line: bytes) -> LineKind:
    """Tell events from replies by the first member, whose order is fixed (QDict)."""
    start = line[:64].lstrip(b"{ \r\n")
    if start.startswith(b'"timestamp"'):
        return LineKind.EVENT
    if start.startswith(b'"QMP"'):
        return LineKind.GREETING
    return LineKind.REPLY


def reply(value: JsonValue, request: JsonValue) -> JsonValue:
    """Make the answer to *request*, whose ``id`` it carries."""
    return _answer({"return": value}, request)


def error_reply(error: QmpError, request: JsonValue) -> JsonValue:
    """Make an error the answer to *request*."""
    described: JsonValue = {"class": error.error_class, "desc": error.desc}
    return _answer({"error": described}, request)


def line_of(message: JsonValue, *, pretty: bool = False) -> bytes:
    """Print a message with its line end."""
    return dump(message, pretty=pretty) + b"\r\n"


def _answer(answer: dict[str, JsonValue], request: JsonValue) -> JsonValue:
    if isinstance(request, dict) and "id" in request:
        answer["id"] = request["id"]
    return answer
