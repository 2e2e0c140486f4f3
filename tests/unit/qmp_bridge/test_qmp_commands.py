"""What is a command and what is not."""

from __future__ import annotations

import pytest

from qmp_bridge.commands import Command, check_command
from qmp_bridge.errors import QmpError


def test_commands():
    assert check_command({"execute": "x", "id": 1}, oob=False) == Command(
        "x", {}, False
    )
    assert check_command({"exec-oob": "x", "arguments": {"a": 1}}, oob=True) == Command(
        "x", {"a": 1}, True
    )


@pytest.mark.parametrize(
    ("value", "oob", "error"),
    [
        ([1], False, "QMP input must be a JSON object"),
        ({"foo": 1}, False, "QMP input member 'foo' is unexpected"),
        ({"execute": "x", "bogus": 1}, False, "QMP input member 'bogus' is unexpected"),
        ({"execute": 5}, False, "QMP input member 'execute' must be a string"),
        ({"exec-oob": 5}, True, "QMP input member 'exec-oob' must be a string"),
        ({"exec-oob": "x"}, False, "QMP input member 'exec-oob' is unexpected"),
        ({"execute": "x", "arguments": []}, False,
         "QMP input member 'arguments' must be an object"),
        ({"id": 1}, False, "QMP input lacks member 'execute'"),
        ({}, False, "QMP input lacks member 'execute'"),
    ],
)  # fmt: skip
def test_what_is_no_command(value, oob, error):
    with pytest.raises(QmpError) as caught:
        check_command(value, oob=oob)
    assert caught.value.desc == error


def test_both_verbs_clash():
    with pytest.raises(QmpError, match="clashes with"):
        check_command({"execute": "x", "exec-oob": "y"}, oob=True)
