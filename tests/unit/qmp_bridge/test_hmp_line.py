"""Command lines of the human monitor, cut as QEMU cuts them."""

from __future__ import annotations

import pytest

from qmp_bridge.hmp_line import parse_line

SET = ("protocol:s", "password:s", "display:-ds", "connected:s?")
MIGRATE = ("protocol:s", "hostname:s", "port:i?", "tls-port:i?", "cert-subject:s?")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("set spice x", {"protocol": "spice", "password": "x"}),
        (" \tset\v spice\n x ", {"protocol": "spice", "password": "x"}),
        ('set spice "a b\\n\\\\\\""', {"protocol": "spice", "password": 'a b\n\\"'}),
        ('set "spice""x"', {"protocol": "spice", "password": "x"}),
        ('set spice ""', {"protocol": "spice", "password": ""}),
        ("set spice -d", {"protocol": "spice", "password": "-d"}),
        ("set spice x -d y", {"protocol": "spice", "password": "x", "display": "y"}),
        ("set spice x -dy", {"protocol": "spice", "password": "x", "display": "y"}),
        (
            "set spice x -d y keep",
            {"protocol": "spice", "password": "x", "display": "y", "connected": "keep"},
        ),
        (
            "set spice x keep",
            {"protocol": "spice", "password": "x", "connected": "keep"},
        ),
        ("set spice " + "é" * 600, {"protocol": "spice", "password": "é" * 511}),
    ],
)
def test_strings_and_flags(line, expected):
    assert parse_line(line, "set", SET) == expected


@pytest.mark.parametrize(
    "line",
    ["", "set", "set spice", "sets spice x", "set/ spice x", "set spice x -e y",
     "set spice x -d", "set spice x keep -d y", 'set spice "x', 'set spice "x\\q"',
     'set spice "\\', "set spice x keep y", "set spice x -"],
)  # fmt: skip
def test_malformed_or_another(line):
    assert parse_line(line, "set", SET) is None


@pytest.mark.parametrize(
    ("rest", "ports"),
    [
        ("", {}),
        ("1", {"port": 1}),
        ("1 0x2", {"port": 1, "tls-port": 2}),
        ("1 -1", {"port": 0}),
        ("4294967295 1", {"port": 4294967295, "tls-port": 1}),
        ("1 2 C", {"port": 1, "tls-port": 2, "cert-subject": "C"}),
    ],
)
def test_numbers(rest, ports):
    found = parse_line(f"go spice h {rest}", "go", MIGRATE)
    assert found == {"protocol": "spice", "hostname": "h"} | ports


@pytest.mark.parametrize("rest", ["-1", "4294967296", "x", "1 x", "1 2 3 4", "$pc"])
def test_numbers_that_are_not(rest):
    assert parse_line(f"go spice h {rest}", "go", MIGRATE) is None


def test_sub_commands():
    assert parse_line("info  spice ", "info spice", ()) == {}
    assert parse_line("info spice x", "info spice", ()) is None
    assert parse_line("info", "info spice", ()) is None
