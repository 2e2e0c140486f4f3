"""How a migration goes, from whatever QEMU tells of it."""

from __future__ import annotations

import json

import pytest

from qmp_bridge.commands import Command
from qmp_bridge.migration import MigrationWatch
from tests.fakes.spice_control import FakeSpiceControl

MIGRATE = Command("migrate", {"uri": "fd:x"}, oob=False)
HMP = Command("human-monitor-command", {"command-line": " migrate -d x"}, oob=False)
DONE, FAILED = b'{"return": {}}\r\n', b'{"error": {}}\r\n'


class Rig:
    def __init__(self) -> None:
        self.control = FakeSpiceControl()
        self.asked = []
        self.timers = []
        self.watch = MigrationWatch(self, self.control)

    def ask(self, message, on_reply):
        assert json.loads(message) == {"execute": "query-migrate"}
        self.asked.append(on_reply)

    def later(self, seconds, callback):
        assert seconds > 0
        self.timers.append(callback)

    def forward(self, command=MIGRATE, reply=DONE):
        on_reply = self.watch.forwarding(command, [])
        if on_reply is not None:
            on_reply(reply)

    def answer(self, status):
        value = {} if status is None else {"status": status}
        self.asked.pop()(json.dumps({"return": value}).encode())

    def event(self, status):
        message = {"timestamp": {}, "event": "MIGRATION", "data": {"status": status}}
        self.watch.event(json.dumps(message).encode())


@pytest.fixture
def rig():
    rig = Rig()
    rig.watch.set_target()
    return rig


@pytest.mark.parametrize("command", [MIGRATE, HMP])
@pytest.mark.parametrize(
    ("status", "end"),
    [("completed", "completed"), ("failed", "failed"), ("cancelled", "failed")],
)
def test_asking(rig, command, status, end):
    rig.forward(command)
    for running in ("setup", "active", "cancelling"):
        rig.answer(running)
        rig.timers.pop()()
    assert rig.control.migration == ["start"]
    rig.answer(status)
    assert rig.control.migration == ["start", end]
    assert not rig.timers
    rig.forward(command)
    assert not rig.asked  # nobody goes with the next one


def test_events(rig):
    for status in ("setup", "active", "completed"):
        rig.event(status)
    assert rig.control.migration == ["start", "completed"]
    rig.event("completed")
    assert rig.control.migration == ["start", "completed"]


def test_events_end_the_asking(rig):
    rig.forward()
    rig.answer("active")
    rig.event("completed")
    rig.timers.pop()()
    assert not rig.asked
    assert rig.control.migration == ["start", "completed"]


def test_an_answer_that_comes_after_the_event(rig):
    rig.forward()
    rig.event("completed")
    rig.answer("completed")
    assert rig.control.migration == ["completed"]
    assert not rig.timers


def test_a_command_that_is_refused(rig):
    rig.forward(reply=FAILED)
    assert not rig.asked


def test_no_migration_after_all(rig):
    rig.forward(HMP)  # it said so in words
    rig.answer(None)
    assert not rig.timers
    rig.forward()
    rig.answer("none")
    assert rig.control.migration == []


def test_one_question_at_a_time(rig):
    rig.forward()
    rig.forward()
    assert len(rig.asked) == 1


def test_without_a_target_nobody_looks():
    rig = Rig()
    rig.forward()
    rig.event("completed")
    assert not rig.asked
    assert rig.control.migration == []


def test_another_qemu(rig):
    rig.forward()
    rig.watch.reset()
    rig.event("completed")
    assert rig.control.migration == []


@pytest.mark.parametrize(
    "line",
    [
        b'{"timestamp": {}, "event": "MIGRATION"}',
        b'{"timestamp": {}, "event": "MIGRATION", "data": 5}',
        b'{"timestamp": {}, "event": "X", "data": {"status": "completed"}}',
        b'{"timestamp": {}, "event": "X", "data": {"x": "MIGRATION"}}',
        b'{"timestamp": {}, "event": "MIGRATION", "data": {"status": 5}}',
    ],
)
def test_other_events(rig, line):
    rig.watch.event(line)
    assert rig.control.migration == []
