r"""JSON tokens to values, with the rules and error texts of QEMU's parser.

Beyond RFC 8259: duplicate keys, noncharacters and lone surrogates are refused, the
escape ``\'`` is known, U+0000 may be written as ``C0 80`` (modified UTF-8), and integers
beyond 64 bits become floating point.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, TypeAlias

from qmp_bridge.errors import JsonError
from qmp_bridge.json_lexer import Token, TokenType

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "JsonValue",
    "decode_modified_utf8",
    "parse_integer",
    "parse_tokens",
    "show_modified_utf8",
]

JsonValue: TypeAlias = (
    "dict[str, JsonValue] | list[JsonValue] | str | int | float | bool | None"
)

_KEYWORDS: dict[bytes, JsonValue] = {b"true": True, b"false": False, b"null": None}
_ESCAPES = {
    '"': '"', "'": "'", "\\": "\\", "/": "/",
    "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t",
}  # fmt: skip
_NONCHARACTER = re.compile(
    "[\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF))
    + "]"
)


# One sequence of modified UTF-8, complete or not (mod_utf8_codepoint()).
_SEQUENCE = re.compile(
    rb"[\xc0-\xdf][\x80-\xbf]?|[\xe0-\xef][\x80-\xbf]{0,2}|[\xf0-\xf7][\x80-\xbf]{0,3}"
    rb"|[\xf8-\xfb][\x80-\xbf]{0,4}|[\xfc\xfd][\x80-\xbf]{0,5}|[\x80-\xff]"
)


class _NoKey:
    """Where an object's next key is still to come."""


_NO_KEY = _NoKey()


class _Frame:
    """An array or object that is being filled."""

    __slots__ = ("container", "key")

    def __init__(self, container: dict[str, JsonValue] | list[JsonValue]) -> None:
        self.container = container
        self.key: str | _NoKey = _NO_KEY


def parse_tokens(tokens: Sequence[Token]) -> JsonValue:
    """Parse the tokens of one value; brackets are balanced or the last is stray.

    Raises:
        JsonError: they are not a JSON value.

    """
    return _Parser(tokens).parse()


class _Parser:
    """A loop with its own stack: QEMU allows deeper nesting than Python's."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = iter(tokens)
        self._stack: list[_Frame] = []

    def parse(self) -> JsonValue:
        while True:
            token = self._next()
            if token.type in (TokenType.LCURLY, TokenType.LSQUARE):
                opened = self._open(token)
                if isinstance(opened, _Frame):
                    self._stack.append(opened)
                    continue
                value: JsonValue = opened
            else:
                value = _literal(token)
            # A value is complete: it may complete what contains it, and so on.
            while self._stack:
                frame = self._stack[-1]
                if not self._put(frame, value, token):
                    break
                value = self._stack.pop().container
            else:
                return value

    def _next(self) -> Token:
        token = self._pending or next(self._tokens, None)
        self._pending = None
        if token is None:
            raise JsonError("JSON parse error, premature EOI")
        return token

    _pending: Token | None = None

    def _open(self, token: Token) -> _Frame | dict[str, JsonValue] | list[JsonValue]:
        """Begin a container; one that ends at once is returned complete."""
        container: dict[str, JsonValue] | list[JsonValue]
        if token.type is TokenType.LCURLY:
            container, end = {}, TokenType.RCURLY
        else:
            container, end = [], TokenType.RSQUARE
        following = self._next()
        if following.type is end:
            return container
        self._pending = following
        return _Frame(container)

    def _put(self, frame: _Frame, value: JsonValue, token: Token) -> bool:
        """Put *value* into its container; whether that is complete now."""
        container = frame.container
        if isinstance(container, list):
            container.append(value)
            return self._separator(TokenType.RSQUARE, "list")
        if isinstance(frame.key, _NoKey):
            if not isinstance(value, str):
                raise _error(token, "key is not a string in object")
            frame.key = value
            colon = self._next()
            if colon.type is not TokenType.COLON:
                raise _error(colon, "missing : in object pair")
            return False
        if frame.key in container:
            raise _error(token, "duplicate key")
        container[frame.key] = value
        frame.key = _NO_KEY
        return self._separator(TokenType.RCURLY, "dict")

    def _separator(self, end: TokenType, kind: str) -> bool:
        token = self._next()
        if token.type is end:
            return True
        if token.type is not TokenType.COMMA:
            raise _error(token, f"expected separator in {kind}")
        return False


def _error(token: Token, text: str) -> JsonError:
    return JsonError(f"JSON parse error, {text}", token.line, token.column)


def decode_modified_utf8(data: bytes) -> str | None:
    """Decode strictly; ``None``: a sequence or what it encodes is invalid."""
    if data.isascii():
        return data.decode("ascii")
    try:
        text = data.replace(b"\xc0\x80", b"\0").decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if _NONCHARACTER.search(text) else text


def show_modified_utf8(data: bytes) -> str:
    """Decode a C string for an error text; U+FFFD stands for what is invalid."""

    def valid(sequence: re.Match[bytes]) -> bytes:
        text = decode_modified_utf8(sequence[0])
        return ("\ufffd" if text is None else text).encode()

    return _SEQUENCE.sub(valid, data.split(b"\0")[0]).decode()


def _literal(token: Token) -> JsonValue:
    match token.type:
        case TokenType.STRING:
            return _string(token)
        case TokenType.INTEGER:
            return parse_integer(token.text.decode())
        case TokenType.FLOAT:
            return float(token.text)
        case TokenType.KEYWORD:
            if token.text not in _KEYWORDS:
                raise _error(token, f"invalid keyword '{token.text.decode()}'")
            return _KEYWORDS[token.text]
        case _:
            raise _error(token, "expecting value")


def parse_integer(text: str) -> int | float:
    """Read an integer as QEMU holds it: 64 bits, signed or not, else a double."""
    if len(text) <= 20:
        value = int(text)
        if -(1 << 63) <= value < 1 << 64:
            return value
    return float(text)


def _string(token: Token) -> str:
    body = token.text[1:-1]
    if b"\\" not in body:
        return _decode(token, body)
    if token.text[:1] == b'"' and b"\\u" not in body:
        try:
            unescaped: str = json.loads(f'"{_decode(token, body)}"')
        except ValueError:
            pass  # an escape that is wrong, or QEMU's own
        else:
            return unescaped
    return _unescape(token, body)


def _decode(token: Token, body: bytes) -> str:
    text = decode_modified_utf8(body)
    if text is None:
        raise _error(token, "invalid UTF-8 sequence in string")
    return text


def _unescape(token: Token, body: bytes) -> str:
    parts: list[str] = []
    position = 0
    while position < len(body):
        backslash = body.find(b"\\", position)
        if backslash < 0:
            parts.append(_decode(token, body[position:]))
            break
        parts.append(_decode(token, body[position:backslash]))
        escape = body[backslash + 1 : backslash + 2].decode("latin-1")
        if escape == "u":
            text, position = _unicode_escape(token, body, backslash)
            parts.append(text)
        elif escape in _ESCAPES:
            parts.append(_ESCAPES[escape])
            position = backslash + 2
        else:
            raise _error(token, "invalid escape sequence in string")
    return "".join(parts)


def _unicode_escape(token: Token, body: bytes, start: int) -> tuple[str, int]:
    r"""Read ``\uXXXX`` at *start*, or a pair of surrogates; also the next position."""
    codepoint = _hex4(body, start)
    end = start + 6
    if codepoint is not None and 0xD800 <= codepoint < 0xDC00:
        low = _hex4(body, end) if body[end : end + 2] == b"\\u" else None
        if low is not None and 0xDC00 <= low < 0xE000:
            codepoint = 0x10000 + ((codepoint & 0x3FF) << 10 | low & 0x3FF)
            end += 6
    if codepoint is None or not _is_character(codepoint):
        # The text is what follows in the token, its closing quote included.
        shown = show_modified_utf8((body + token.text[-1:])[start : start + 6])
        raise _error(token, f"{shown} is not a valid Unicode character")
    return chr(codepoint), end


def _hex4(body: bytes, start: int) -> int | None:
    digits = body[start + 2 : start + 6]
    return int(digits, 16) if re.fullmatch(rb"[0-9a-fA-F]{4}", digits) else None


def _is_character(codepoint: int) -> bool:
    surrogate = 0xD800 <= codepoint < 0xE000
    return not surrogate and not _NONCHARACTER.match(chr(codepoint))
