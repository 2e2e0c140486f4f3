"""What is put into the lists of a QEMU that was built without SPICE."""

from __future__ import annotations

import pytest

from qmp_bridge.introspection import EVENTS, introspection_table

TABLE = introspection_table()


def answer(command, value):
    return TABLE[command].run({}).answer({"return": value})


def names(entries):
    return [entry["name"] for entry in entries]


def test_commands():
    assert names(answer("query-commands", [{"name": "x"}])) == ["x", "query-spice"]
    assert answer("query-commands", [{"name": "query-spice"}]) is None


def test_events_of_old_qemus():
    assert names(answer("query-events", [{"name": "STOP"}])) == ["STOP", *EVENTS]
    rest = [event for event in EVENTS if event != "SPICE_CONNECTED"]
    found = names(answer("query-events", [{"name": "SPICE_CONNECTED"}]))
    assert found == ["SPICE_CONNECTED", *rest]


@pytest.mark.parametrize("command", TABLE)
def test_errors_pass(command):
    relay = TABLE[command].run({"x": 1})
    assert relay.command is None
    assert relay.answer({"error": {}}) is None
    assert relay.answer({"return": {}}) is None
    assert relay.answer({}) is None


def test_schema():
    given = [
        {"name": "7", "meta-type": "object", "members": []},
        {"name": "str", "meta-type": "builtin", "json-type": "string"},
        {"name": "x", "meta-type": "command", "arg-type": "7", "ret-type": "7"},
    ]
    entries = answer("query-qmp-schema", given)
    assert entries[:3] == given
    types = {entry["name"]: entry for entry in entries}
    assert len(types) == len(entries)
    used = [
        entry[key]
        for entry in entries
        for key in ("arg-type", "ret-type", "element-type")
        if key in entry
    ]
    used += [
        m["type"] for entry in entries for m in entry.get("members", []) if "type" in m
    ]
    assert {name for name in used if name not in types} == set()
    assert {"query-spice", *EVENTS} <= types.keys()
    assert answer("query-qmp-schema", entries) is None


def test_a_schema_that_lacks_something():
    entries = answer("query-qmp-schema", [{"name": name} for name in EVENTS])
    added = names(entries)[len(EVENTS) :]
    assert "query-spice" in added
    assert not set(EVENTS) & set(added)
