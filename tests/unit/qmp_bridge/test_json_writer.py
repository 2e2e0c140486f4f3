"""Printing as QEMU prints; the lines are from corpus/qmp and QEMU 7.2."""

from __future__ import annotations

import json

import pytest

from qmp_bridge.json_writer import dump, qdict_order

QEMU_LINES = [
    '{"return": {"migrated": false, "enabled": true, "auth": "spice", "port": 42039, '
    '"compiled-version": "0.15.1", "tls-port": 48005, "host": "127.0.0.1", '
    '"channels": [], "mouse-mode": "server"}, "id": {"any": ["json", 1]}}',
    '{"id": 1, "error": {"class": "GenericError", "desc": "x"}}',
    '{"timestamp": {"seconds": 1795333281, "microseconds": 597879}, "event": '
    '"SPICE_INITIALIZED", "data": {"server": {"auth": "spice", "port": "42039", '
    '"family": "ipv4", "host": "127.0.0.1"}, "client": {"port": "56606", "family": '
    '"ipv4", "channel-type": 4, "connection-id": -1408925212, "host": "127.0.0.1", '
    '"channel-id": 0, "tls": false}}}',
    '{"return": {}, "id": {"aa": 2, "zz": 1, "b": 3, "c": [1, null, true]}}',
]


@pytest.mark.parametrize("line", QEMU_LINES)
def test_members_are_ordered_as_in_a_qdict(line):
    assert dump(json.loads(line)).decode() == line


def test_later_members_of_a_bucket_come_first():
    version = {"major": 7, "minor": 2, "micro": 22}
    assert dump(version) == b'{"micro": 22, "minor": 2, "major": 7}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (2**64 - 1, "18446744073709551615"),
        (1000.0, "1000"),
        (0.1, "0.10000000000000001"),
        (1.8446744073709552e19, "1.8446744073709552e+19"),
        (float("inf"), "inf"),
        ("é€😀\x7f/\b", '"\\u00E9\\u20AC\\uD83D\\uDE00\\u007F/\\b"'),
        ('\x01\x1f"\\\n\r\t\f', '"\\u0001\\u001F\\"\\\\\\n\\r\\t\\f"'),
        ("\udc80", '"\\uFFFD"'),
        ([], "[]"),
        ({}, "{}"),
        ([1, [2, {}]], "[1, [2, {}]]"),
    ],
)
def test_scalars_and_containers(value, text):
    assert dump(value).decode() == text


def test_order_is_a_permutation():
    names = [f"n{index}" for index in range(2000)]
    order = qdict_order(names)
    assert sorted(order) == sorted(names)
    assert qdict_order(names[::-1]) != order


def test_depth_needs_no_stack():
    value: list = []
    for _ in range(1023):
        value = [value]
    assert dump(value) == b"[" * 1024 + b"]" * 1024


def test_pretty_printing():
    """As printed by ``-mon pretty=on``."""
    value = {"return": {"name": "x", "list": [1, [], {}]}, "id": 1}
    assert dump(value, pretty=True).decode().split("\r\n") == [
        "{",
        '    "return": {',
        '        "name": "x",',
        '        "list": [',
        "            1,",
        "            [",
        "            ],",
        "            {",
        "            }",
        "        ]",
        "    },",
        '    "id": 1',
        "}",
    ]
    assert dump("a\nb", pretty=True) == b'"a\\nb"'
