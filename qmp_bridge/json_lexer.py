"""Bytes to JSON tokens, with the tolerance and the recovery of QEMU's lexer.

QMP is a stream of JSON values without separators, so where one ends must be found by
reading it.  QEMU accepts more than RFC 8259 (single-quoted strings, any byte from 0x20
to 0xFD inside strings), and what it does after a bad byte decides how many errors a
client sees and which later command is understood again; a monitor in QEMU's place has to
do the same.  Measured against QEMU 7.2; ``tests/interop/test_qmp_bridge.py`` compares.

The states are a table: a row says which bytes keep the state (a run, skipped in C by a
regular expression), which bytes lead to another, and which token any other byte ends.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MAX_TOKEN_SIZE", "JsonLexer", "Token", "TokenType"]

MAX_TOKEN_SIZE = 64 << 20
"""Bytes of one token; QEMU's own bound, so no command that QEMU takes is refused."""


class TokenType(enum.Enum):
    """What a token is; punctuation carries its own character."""

    LCURLY = "{"
    RCURLY = "}"
    LSQUARE = "["
    RSQUARE = "]"
    COLON = ":"
    COMMA = ","
    INTEGER = "integer"
    FLOAT = "float"
    KEYWORD = "keyword"
    STRING = "string"
    ERROR = "error"
    """Bytes that begin no token."""
    OVERSIZED = "oversized"
    """The beginning of a token longer than ``MAX_TOKEN_SIZE``."""


class Token(NamedTuple):
    """One token and where it stood in the stream."""

    type: TokenType
    text: bytes
    line: int
    """From 1."""
    column: int
    """Of its first byte, from 1."""
    end: int
    """Offset in the chunk being fed of the byte after it."""


class _State(enum.Enum):
    START = enum.auto()
    RECOVERY = enum.auto()
    DQ_STRING = enum.auto()
    DQ_ESCAPE = enum.auto()
    SQ_STRING = enum.auto()
    SQ_ESCAPE = enum.auto()
    SIGN = enum.auto()
    ZERO = enum.auto()
    DIGITS = enum.auto()
    POINT = enum.auto()
    FRACTION = enum.auto()
    EXPONENT = enum.auto()
    EXPONENT_SIGN = enum.auto()
    EXPONENT_DIGITS = enum.auto()
    KEYWORD = enum.auto()


@dataclass(frozen=True, slots=True)
class _Row:
    """One state: bytes that stay in it, bytes that leave it, and what else means."""

    run: re.Pattern[bytes] | None
    next: dict[int, _State | TokenType]
    otherwise: TokenType = TokenType.ERROR
    """Token that any other byte, itself not consumed, ends; ERROR consumes it."""


def _to(characters: bytes, state: _State | TokenType) -> dict[int, _State | TokenType]:
    return dict.fromkeys(characters, state)


_DIGITS = b"0123456789"
_PUNCTUATION: dict[int, _State | TokenType] = {
    ord(type_.value): type_ for type_ in TokenType if len(type_.value) == 1
}
_STRING_BYTES = bytes(range(0x20, 0xFE))
_EXPONENT: dict[int, _State | TokenType] = _to(b"eE", _State.EXPONENT)

_ROWS: dict[_State, _Row] = {
    _State.START: _Row(
        re.compile(rb"[ \t\r\n]+"),
        _PUNCTUATION
        | _to(b'"', _State.DQ_STRING)
        | _to(b"'", _State.SQ_STRING)
        | _to(b"-", _State.SIGN)
        | _to(b"0", _State.ZERO)
        | _to(b"123456789", _State.DIGITS)
        | _to(b"abcdefghijklmnopqrstuvwxyz", _State.KEYWORD),
    ),
    _State.DQ_STRING: _Row(
        re.compile(rb'(?:[^\x00-\x1f"\\\xfe\xff]++|\\[^\x00-\x1f\xfe\xff])+'),
        _to(b'"', TokenType.STRING) | _to(b"\\", _State.DQ_ESCAPE),
    ),
    _State.DQ_ESCAPE: _Row(None, _to(_STRING_BYTES, _State.DQ_STRING)),
    _State.SQ_STRING: _Row(
        re.compile(rb"(?:[^\x00-\x1f'\\\xfe\xff]++|\\[^\x00-\x1f\xfe\xff])+"),
        _to(b"'", TokenType.STRING) | _to(b"\\", _State.SQ_ESCAPE),
    ),
    _State.SQ_ESCAPE: _Row(None, _to(_STRING_BYTES, _State.SQ_STRING)),
    _State.SIGN: _Row(None, _to(b"0", _State.ZERO) | _to(_DIGITS[1:], _State.DIGITS)),
    _State.ZERO: _Row(
        None,
        # No exponent: QEMU takes 0e1 for the number 0 and the keyword e.
        _to(_DIGITS, TokenType.ERROR) | _to(b".", _State.POINT),
        TokenType.INTEGER,
    ),
    _State.DIGITS: _Row(
        re.compile(rb"[0-9]+"), _to(b".", _State.POINT) | _EXPONENT, TokenType.INTEGER
    ),
    _State.POINT: _Row(None, _to(_DIGITS, _State.FRACTION)),
    _State.FRACTION: _Row(re.compile(rb"[0-9]+"), _EXPONENT, TokenType.FLOAT),
    _State.EXPONENT: _Row(
        None,
        _to(b"+-", _State.EXPONENT_SIGN) | _to(_DIGITS, _State.EXPONENT_DIGITS),
    ),
    _State.EXPONENT_SIGN: _Row(None, _to(_DIGITS, _State.EXPONENT_DIGITS)),
    _State.EXPONENT_DIGITS: _Row(re.compile(rb"[0-9]+"), {}, TokenType.FLOAT),
    _State.KEYWORD: _Row(re.compile(rb"[a-z]+"), {}, TokenType.KEYWORD),
}

# After a bad byte everything is skipped up to one of these, which begins anew.
_RECOVERED = re.compile(rb"[\x00-\x08\x0a-\x1f\xfe\xff{}\[\]:,]")

# A whole token, taken at once: what nearly every byte of nearly every command is part
# of.  Whatever this does not match goes through the table above byte by byte.
_WHOLE = re.compile(
    rb"[ \t]*+(?:(?P<punctuation>[{}\[\]:,])"
    rb'|(?P<string>"(?:[^\x00-\x1f"\\\xfe\xff]++|\\[^\x00-\x1f\xfe\xff])*+")'
    rb"|(?P<integer>-?(?:0|[1-9][0-9]*)(?=[ \t\r\n,\]}])))"
)
_PUNCTUATION_TYPES = {
    type_.value.encode(): type_ for type_ in TokenType if len(type_.value) == 1
}


class JsonLexer:
    """Cuts a stream of bytes, fed in any pieces, into tokens."""

    def __init__(self) -> None:
        self._state = _State.START
        self._token = bytearray()
        self._line = 1
        self._column = 1
        self._token_line = 1
        self._token_column = 1

    @property
    def at_start(self) -> bool:
        """Whether the bytes so far end between two tokens."""
        return self._state is _State.START

    @property
    def in_token(self) -> bool:
        """Whether a token has begun and not ended."""
        return self._state not in (_State.START, _State.RECOVERY)

    def skip_line(self, length: int) -> None:
        """Count *length* bytes that end in a newline and were read elsewhere."""
        if length:
            self._line += 1
            self._column = 1

    def feed(self, data: bytes) -> Iterator[Token]:
        """Yield the tokens that *data* completes; consume the iterator entirely."""
        position = 0
        while position < len(data):
            if self._state is _State.START:
                whole = _WHOLE.match(data, position)
                if whole is not None:
                    yield self._take_whole(whole)
                    position = whole.end()
                    continue
            if self._state is _State.RECOVERY:
                position = self._recover(data, position)
                continue
            position = self._skip_run(data, position)
            if position < len(data):
                token, position = self._step(data[position], position)
                if token is not None:
                    yield token
            if len(self._token) > MAX_TOKEN_SIZE:
                yield self._finish(TokenType.OVERSIZED, position)

    def _take_whole(self, whole: re.Match[bytes]) -> Token:
        group = whole.lastgroup
        assert group is not None
        text = whole[group]
        type_ = {
            "string": TokenType.STRING,
            "integer": TokenType.INTEGER,
        }.get(group) or _PUNCTUATION_TYPES[text]
        column = self._column + whole.start(group) - whole.start()
        self._column += whole.end() - whole.start()
        return Token(type_, text, self._line, column, whole.end())

    def _recover(self, data: bytes, position: int) -> int:
        """Skip what follows an error; the position where to begin anew."""
        stop = _RECOVERED.search(data, position)
        end = len(data) if stop is None else stop.start()
        self._column += end - position
        if stop is not None:
            self._state = _State.START
        return end

    def _skip_run(self, data: bytes, position: int) -> int:
        """Take bytes that do not change the state; the position after them."""
        pattern = _ROWS[self._state].run
        run = None if pattern is None else pattern.match(data, position)
        if run is None:
            return position
        if self._state is _State.START:
            self._count(run[0])
        else:
            self._token += run[0]
            self._column += len(run[0])
        return run.end()

    def _step(self, byte: int, position: int) -> tuple[Token | None, int]:
        """Make one transition; the token it ends, and the next position."""
        if self._state is _State.START:
            self._token_line, self._token_column = self._line, self._column
        row = _ROWS[self._state]
        target = row.next.get(byte)
        if target is None and row.otherwise is not TokenType.ERROR:
            return self._finish(row.otherwise, position), position
        self._token.append(byte)
        self._count(bytes([byte]))
        if isinstance(target, _State):
            self._state = target
            return None, position + 1
        type_ = TokenType.ERROR if target is None else target
        return self._finish(type_, position + 1), position + 1

    def _finish(self, type_: TokenType, end: int) -> Token:
        text = bytes(self._token)
        self._token.clear()
        error = type_ is TokenType.ERROR
        self._state = _State.RECOVERY if error else _State.START
        return Token(type_, text, self._token_line, self._token_column, end)

    def _count(self, text: bytes) -> None:
        newlines = text.count(b"\n")
        if newlines:
            self._line += newlines
            self._column = len(text) - text.rfind(b"\n")
        else:
            self._column += len(text)
