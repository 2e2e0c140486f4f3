"""Values and error texts (measured on QEMU 7.2)."""

from __future__ import annotations

import math

import pytest

from qmp_bridge.errors import JsonError
from qmp_bridge.json_lexer import JsonLexer
from qmp_bridge.json_parser import parse_integer, parse_tokens, show_modified_utf8


def _parse(text: bytes):
    return parse_tokens(list(JsonLexer().feed(text + b"\n")))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"{}", {}),
        (b"[]", []),
        (b"[[],{}]", [[], {}]),
        (b'{"a":{"b":[1,-2,{"c":null}]},"d":true}',
         {"a": {"b": [1, -2, {"c": None}]}, "d": True}),
        (b"[false,1.5,1e3]", [False, 1.5, 1000.0]),
        (b"'it\\'s'", "it's"),
        (b'"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t'),
        (b'"\\u00e9\\u20AC"', "é€"),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'"\\u0000\xc0\x80"', "\0\0"),
        ('"é€😀"'.encode(), "é€😀"),
        (b"18446744073709551615", 2**64 - 1),
        (b"-9223372036854775808", -(2**63)),
    ],
)  # fmt: skip
def test_values(text, value):
    assert _parse(text) == value


def test_integers_beyond_64_bits_become_doubles():
    assert isinstance(_parse(b"18446744073709551616"), float)
    assert isinstance(_parse(b"-9223372036854775809"), float)
    assert parse_integer("9" * 400) == math.inf


def test_the_deepest_nesting_needs_no_stack():
    value = _parse(b"[" * 1024 + b"]" * 1024)
    for _ in range(1023):
        (value,) = value
    assert value == []


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b"nul", "invalid keyword 'nul'"),
        (b"[nul]", "invalid keyword 'nul'"),
        (b'{"a" 1}', "missing : in object pair"),
        (b'{"a"}', "missing : in object pair"),
        (b'{"a":}', "expecting value"),
        (b'{"a":1,}', "expecting value"),
        (b"[1,]", "expecting value"),
        (b"[,]", "expecting value"),
        (b"{,}", "expecting value"),
        (b"}", "expecting value"),
        (b"{]", "expecting value"),
        (b":", "expecting value"),
        (b"{1:2}", "key is not a string in object"),
        (b"{[1]:2}", "key is not a string in object"),
        (b"{{}:2}", "key is not a string in object"),
        (b"[1 2]", "expected separator in list"),
        (b'{"a":1 "b":2}', "expected separator in dict"),
        (b'{"a":1]', "expected separator in dict"),
        (b'{"a":1,"a":2}', "duplicate key"),
        (b'{"a":1,"a":nul}', "invalid keyword 'nul'"),
        (b'"\\q"', "invalid escape sequence in string"),
        (b'"\\u12"', '\\u12" is not a valid Unicode character'),
        (b'"\\u12x4"', "\\u12x4 is not a valid Unicode character"),
        (b'"\\ud800"', "\\ud800 is not a valid Unicode character"),
        (b'"\\ud800\\u0041"', "\\ud800 is not a valid Unicode character"),
        (b'"\\udc00"', "\\udc00 is not a valid Unicode character"),
        (b'"\\ufffe"', "\\ufffe is not a valid Unicode character"),
        (b'"\x80"', "invalid UTF-8 sequence in string"),
        (b'"\xef\xbf\xbe"', "invalid UTF-8 sequence in string"),
        (b'"\xed\xa0\x80"', "invalid UTF-8 sequence in string"),
        (b'"a\x80\\n"', "invalid UTF-8 sequence in string"),
    ],
)
def test_errors(text, error):
    with pytest.raises(JsonError) as caught:
        _parse(text)
    assert caught.value.desc == f"JSON parse error, {error}"


def test_tokens_that_end_too_early():
    with pytest.raises(JsonError, match="premature EOI"):
        _parse(b"[")


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"plain", "plain"),
        (b"cut\0here", "cut"),
        (b"\xf4\x90\x80\x80", "\ufffd"),
        (b"\xf4\x90x", "\ufffdx"),
        (b"\xe9\xc3\xa9", "\ufffd\xe9"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"\xc0\x80", "\0"),
    ],
)
def test_what_is_not_utf8_is_shown_by_sequences(data, shown):
    assert show_modified_utf8(data) == shown
