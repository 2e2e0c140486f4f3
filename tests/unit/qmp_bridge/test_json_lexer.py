"""Tokens, and where the lexer goes on after an error (QEMU 7.2 is the measure)."""

from __future__ import annotations

import pytest

from qmp_bridge.json_lexer import MAX_TOKEN_SIZE, JsonLexer, TokenType


def _tokens(*chunks: bytes):
    lexer = JsonLexer()
    return [token for chunk in chunks for token in lexer.feed(chunk)]


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        (b"{", TokenType.LCURLY),
        (b"}", TokenType.RCURLY),
        (b"[", TokenType.LSQUARE),
        (b"]", TokenType.RSQUARE),
        (b":", TokenType.COLON),
        (b",", TokenType.COMMA),
        (b'"a \\" \xe9"', TokenType.STRING),
        (b"'a \" \\' b'", TokenType.STRING),
        (b"0", TokenType.INTEGER),
        (b"-0", TokenType.INTEGER),
        (b"120", TokenType.INTEGER),
        (b"-9", TokenType.INTEGER),
        (b"1.5", TokenType.FLOAT),
        (b"0.25", TokenType.FLOAT),
        (b"1e3", TokenType.FLOAT),
        (b"1.5E-2", TokenType.FLOAT),
        (b"1e+2", TokenType.FLOAT),
        (b"true", TokenType.KEYWORD),
        (b"anything", TokenType.KEYWORD),
    ],
)
def test_one_token_whole_and_byte_by_byte(text, type_):
    whole = _tokens(b" " + text + b"\n")
    pieces = _tokens(*[bytes([byte]) for byte in b" " + text + b"\n"])
    for tokens in whole, pieces:
        assert [(token.type, token.text) for token in tokens] == [(type_, text)]
        assert (tokens[0].line, tokens[0].column) == (1, 2)


@pytest.mark.parametrize(
    ("text", "stray"),
    [
        (b"@", b"@"),
        (b"-x", b"-x"),
        (b"01", b"01"),
        (b"1.x", b"1.x"),
        (b"1ex", b"1ex"),
        (b"1e+x", b"1e+x"),
        (b'"a\n', b'"a\n'),
        (b'"a\\\x01', b'"a\\\x01'),
        (b"'a\xff", b"'a\xff"),
        (b"\x00", b"\x00"),
        (b"Null", b"N"),
        (b"%d", b"%"),
    ],
)
def test_bad_bytes_are_one_error_with_the_bad_byte(text, stray):
    for tokens in _tokens(text), _tokens(*[bytes([byte]) for byte in text]):
        assert (tokens[0].type, tokens[0].text) == (TokenType.ERROR, stray)


def test_zero_takes_no_exponent():
    assert [token.text for token in _tokens(b"0e1 ")] == [b"0", b"e", b"1"]


@pytest.mark.parametrize("stop", [b"\n", b"\r"])
def test_after_an_error_a_line_end_begins_anew(stop):
    tokens = _tokens(b"@ 5 \t'x' \"y\" \xe9" + stop + b"7 ")
    assert [token.text for token in tokens] == [b"@", b"7"]


@pytest.mark.parametrize("stop", [bytes([byte]) for byte in b"{}[]:,"])
def test_after_an_error_punctuation_begins_anew(stop):
    assert [token.text for token in _tokens(b"@ab" + stop)] == [b"@", stop]


@pytest.mark.parametrize("stop", [b"\x00", b"\x01", b"\x1f", b"\xfe", b"\xff"])
def test_after_an_error_a_control_byte_is_the_next_error(stop):
    tokens = _tokens(b"@ab" + stop)
    assert [token.type for token in tokens] == [TokenType.ERROR] * 2


def test_places_count_lines_and_columns_from_one():
    tokens = _tokens(b'{"a"\n :', b'  "b', b'c"\r\n}')
    places = [(token.text, token.line, token.column) for token in tokens]
    assert places == [
        (b"{", 1, 1),
        (b'"a"', 1, 2),
        (b":", 2, 2),
        (b'"bc"', 2, 5),
        (b"}", 3, 1),
    ]


def test_skipped_lines_are_counted():
    lexer = JsonLexer()
    assert not list(lexer.feed(b"\n"))
    lexer.skip_line(7)
    lexer.skip_line(0)
    assert next(iter(lexer.feed(b"[")))[2:4] == (3, 1)


def test_ends_are_offsets_in_the_chunk():
    assert [token.end for token in _tokens(b" [", b"12", b"3,")] == [2, 1, 2]


def test_a_token_is_bounded():
    lexer = JsonLexer()
    assert not list(lexer.feed(b'"'))
    piece = b"x" * (1 << 20)
    types = []
    for _ in range(MAX_TOKEN_SIZE // len(piece) + 1):
        types += [token.type for token in lexer.feed(piece)]
    assert types == [TokenType.OVERSIZED]
    assert lexer.at_start or lexer.in_token
