"""Values to JSON exactly as QEMU prints them.

A client that compares lines, or a person who reads them, must not see which of the two
answered.  QEMU keeps objects in a hash table of 512 buckets and prints bucket by bucket,
so the order of members follows from their names alone (``qobject/qdict.c``; the hash is
tdb's), whatever order they were given in.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qmp_bridge.json_parser import JsonValue

__all__ = ["dump", "qdict_order"]

_BUCKETS = 512
_ESCAPED = re.compile(r'["\\\x00-\x1f\x7f-\U0010ffff]')
_ESCAPES = {
    '"': '\\"', "\\": "\\\\",
    "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t",
}  # fmt: skip


@functools.lru_cache(maxsize=4096)
def _bucket(name: str) -> int:
    encoded = name.encode("utf-8", "surrogatepass").replace(b"\0", b"\xc0\x80")
    value = 0x238F13AF * len(encoded) & 0xFFFFFFFF
    for index, byte in enumerate(encoded):
        value = value + (byte << (index * 5 % 24)) & 0xFFFFFFFF
    return (1103515243 * value + 12345 & 0xFFFFFFFF) % _BUCKETS


def qdict_order(names: Iterable[str]) -> list[str]:
    """Sort member names as QEMU would print, and look at, them."""
    # A bucket's later entries are put before its earlier ones.
    latest_first = list(names)[::-1]
    return sorted(latest_first, key=_bucket)


def dump(value: JsonValue, *, pretty: bool = False) -> bytes:
    """Print *value*, without a line end; *pretty*: as a monitor with ``pretty=on``."""
    parts: list[bytes] = []
    depth = 0
    # What is still to print, last first; bytes are printed already.  No recursion:
    # an "id" may be nested deeper than Python's stack.
    rest: list[JsonValue | bytes] = [value]
    while rest:
        item = rest.pop()
        if isinstance(item, (dict, list)):
            members = _members(item) if isinstance(item, dict) else _items(item)
            rest.extend(reversed(members))
        elif not isinstance(item, bytes):
            parts.append(_scalar(item))
        elif pretty:
            depth += (item in _OPEN) - (item in _CLOSE)
            text, newline, rest_of_line = item.partition(b"\n")
            indent = b"\r\n" + b" " * (4 * depth) if newline else b""
            parts.append(text + indent + rest_of_line.lstrip(b" "))
        else:
            parts.append(item.replace(b"\n", b""))
    return b"".join(parts)


_OPEN = {b"{", b"["}
_CLOSE = {b"\n}", b"\n]"}


def _members(value: Mapping[str, JsonValue]) -> list[JsonValue | bytes]:
    # A newline is where pretty printing breaks the line.
    printed: list[JsonValue | bytes] = [b"{"]
    for name in qdict_order(value):
        separator = b",\n " if len(printed) > 1 else b"\n"
        printed += [separator, _string(name) + b": ", value[name]]
    return [*printed, b"\n}"]


def _items(value: list[JsonValue]) -> list[JsonValue | bytes]:
    printed: list[JsonValue | bytes] = [b"["]
    for item in value:
        printed += [b",\n " if len(printed) > 1 else b"\n", item]
    return [*printed, b"\n]"]


def _scalar(value: str | float | bool | None) -> bytes:  # noqa: FBT001 - a value
    match value:
        case None:
            return b"null"
        case True:
            return b"true"
        case False:
            return b"false"
        case str():
            return _string(value)
        case int():
            return b"%d" % value
        case float():
            return b"%.17g" % value


def _string(value: str) -> bytes:
    return b'"' + _ESCAPED.sub(_escape, value).encode("ascii") + b'"'


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in _ESCAPES:
        return _ESCAPES[character]
    codepoint = ord(character)
    if 0xD800 <= codepoint < 0xE000:  # a byte of a file name that is not UTF-8
        codepoint = 0xFFFD
    if codepoint < 0x10000:
        return f"\\u{codepoint:04X}"
    codepoint -= 0x10000
    return f"\\u{0xD800 + (codepoint >> 10):04X}\\u{0xDC00 + (codepoint & 0x3FF):04X}"
