"""The greeting and the negotiation, every state with every input."""

from __future__ import annotations

import pytest

from qmp_bridge.capabilities import Mode, Negotiation, parse_greeting
from qmp_bridge.errors import QemuProtocolError, QmpError
from tests.fakes.qmp_server import GREETING, GREETING_11


def test_a_greeting_keeps_its_bytes():
    greeting = parse_greeting(GREETING)
    assert greeting.raw == GREETING
    assert greeting.version == (7, 2, 22)
    assert greeting.capabilities == ("oob",)
    assert parse_greeting(GREETING_11).version == (11, 1, 3)


@pytest.mark.parametrize(
    "line", [b"SSH-2.0\r\n", b"{}", b'{"QMP": 1}', b'{"QMP": {"version": {}}}', b"[]"]
)
def test_anything_else_is_no_greeting(line):
    with pytest.raises(QemuProtocolError):
        parse_greeting(line)


def test_negotiation():
    negotiation = Negotiation(("oob",))
    assert negotiation.process("qmp_capabilities", {"enable": ["oob"]})
    assert negotiation.mode is Mode.COMMANDS
    assert negotiation.oob
    assert not negotiation.process("query-name", {})


def test_nothing_is_enabled_unasked():
    negotiation = Negotiation(("oob",))
    assert negotiation.process("qmp_capabilities", {})
    assert not negotiation.oob


@pytest.mark.parametrize(
    ("done", "command", "error"),
    [
        (False, "query-name",
         "Expecting capabilities negotiation with 'qmp_capabilities'"),
        (True, "qmp_capabilities",
         "Capabilities negotiation is already complete, command ignored"),
    ],
)  # fmt: skip
def test_what_may_not_come_now(done, command, error):
    negotiation = Negotiation(())
    if done:
        negotiation.process("qmp_capabilities", {})
    with pytest.raises(QmpError) as caught:
        negotiation.process(command, {})
    assert (caught.value.desc, caught.value.error_class) == (error, "CommandNotFound")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"enable": ["bogus"]}, "Parameter 'null' does not accept value 'bogus'"),
        ({"enable": 5}, "Invalid parameter type for 'enable', expected: array"),
        ({"enable": [5]}, "Invalid parameter type for 'enable[0]', expected: string"),
        ({"x": 1}, "Parameter 'x' is unexpected"),
        ({"enable": ["oob"]}, "Capability oob not available"),
    ],
)
def test_bad_arguments_leave_the_mode(arguments, error):
    negotiation = Negotiation(())
    with pytest.raises(QmpError) as caught:
        negotiation.process("qmp_capabilities", arguments)
    assert caught.value.desc == error
    assert negotiation.mode is Mode.NEGOTIATION
