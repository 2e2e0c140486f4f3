"""Argument checks, in QAPI's words."""

from __future__ import annotations

import pytest

from qmp_bridge.arguments import Arguments
from qmp_bridge.errors import QmpError


def test_what_fits_is_taken():
    members = Arguments({"s": "x", "e": "b", "a": [1]})
    assert members.string("s") == "x"
    assert members.enum("e", ("a", "b")) == "b"
    assert members.optional_enum("o", ("a", "b"), "a") == "a"
    assert members.optional_array("a") == [1]
    assert members.optional_array("none") == []
    members.finish()


@pytest.mark.parametrize(
    ("members", "take", "error"),
    [
        ({}, lambda a: a.string("s"), "Parameter 's' is missing"),
        ({"s": 5}, lambda a: a.string("s"),
         "Invalid parameter type for 's', expected: string"),
        ({"e": None}, lambda a: a.enum("e", ("a",)),
         "Invalid parameter type for 'e', expected: string"),
        ({"e": "x"}, lambda a: a.enum("e", ("a",)),
         "Parameter 'e' does not accept value 'x'"),
        ({"e": "x"}, lambda a: a.optional_enum("e", ("a",), "a"),
         "Parameter 'e' does not accept value 'x'"),
        ({"l": {}}, lambda a: a.optional_array("l"),
         "Invalid parameter type for 'l', expected: array"),
        ({"x": 1}, lambda a: a.finish(), "Parameter 'x' is unexpected"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(members, take, error):
    with pytest.raises(QmpError) as caught:
        take(Arguments(members))
    assert (caught.value.desc, caught.value.error_class) == (error, "GenericError")
