"""Numbers as the human monitor calculates them."""

from __future__ import annotations

import pytest

from qmp_bridge.hmp_expression import ExpressionError, calculate


@pytest.mark.parametrize(
    ("text", "value", "rest"),
    [
        ("5900", 5900, ""),
        ("0x1F rest", 31, "rest"),
        ("010", 8, ""),
        ("08", 0, "8"),
        ("0x", 0, "x"),
        ("1x", 1, "x"),
        (" 1 + 2", 3, ""),
        ("5900 -1 x", 5899, "x"),
        ("1+2*3", 7, ""),
        ("(1+2)*3", 9, ""),
        ("1+6&3", 3, ""),  # & binds closer than +
        ("6|1^7", 0, ""),
        ("7/2", 3, ""),
        ("-7/2", -3, ""),
        ("-7%4", -3, ""),
        ("~0", -1, ""),
        ("'a'", 97, ""),
        ("0xffffffffffffffff", -1, ""),
        ("0x7fffffffffffffff+1", -(2**63), ""),
    ],
)
def test_values(text, value, rest):
    found, end = calculate(text, 0)
    assert (found, text[end:]) == (value, rest)


@pytest.mark.parametrize(
    "text",
    ["", "x", "+", "(1", "(1]", "1/0", "1%0", "1+", "''", "'a", "'é'", "$pc", ")",
     "18446744073709551616", "9" * 5000, "(" * 5000, "-" * 5000],
)  # fmt: skip
def test_what_is_none(text):
    with pytest.raises(ExpressionError):
        calculate(text, 0)
