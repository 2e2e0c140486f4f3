"""Copies of what getfd named: kept as long as QEMU surely has it, and no longer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qmp_bridge import named_fds
from qmp_bridge.commands import Command
from qmp_bridge.named_fds import NamedFds

DONE, FAILED = b'{"return": {}}\r\n', b'{"error": {}}\r\n'


@pytest.fixture
def fd():
    reader, writer = os.pipe()
    yield writer
    os.close(writer)
    os.close(reader)


@pytest.fixture
def named():
    named = NamedFds()
    yield named
    named.close()


def getfd(named, name, fd, reply=DONE):
    command = Command("getfd", {"fdname": name}, oob=False)
    on_reply = named.forwarding(command, [fd])
    if reply:
        on_reply(reply)
    return on_reply


def say(named, name, arguments):
    return named.forwarding(Command(name, arguments, oob=False), [])


def open_fds() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_name_is_known_when_qemu_took_it(named, fd):
    on_reply = getfd(named, "a", fd, reply=None)
    assert "a" not in named
    on_reply(DONE)
    assert "a" in named
    copy = named.take("a")
    assert os.path.sameopenfile(copy, fd)
    os.close(copy)
    assert named.take("a") is None


def test_what_qemu_refuses_is_not_kept(named, fd):
    before = open_fds()
    getfd(named, "1a", fd, FAILED)
    assert "1a" not in named
    assert open_fds() == before


def test_a_name_given_again(named, fd):
    before = open_fds()
    getfd(named, "a", fd)
    getfd(named, "a", fd)
    assert open_fds() == before + 1


@pytest.mark.parametrize(
    "arguments",
    [
        {"fdname": "a"},
        {"uri": "fd:a"},
        {"command-line": "migrate -d fd:a"},
        {"addr": {"type": "fd", "data": {"str": "a"}}},
        {"fds": "x:a:y"},
        {"list": [1, ["a"]]},
    ],
)
def test_a_name_that_a_command_says_is_forgotten(named, fd, arguments):
    before = open_fds()
    getfd(named, "a", fd)
    assert say(named, "migrate", arguments) is None
    assert "a" not in named
    assert open_fds() == before


@pytest.mark.parametrize("arguments", [{}, {"uri": "fd:ab"}, {"x": "tap"}, {"a": 1}])
def test_what_a_command_does_not_say_is_kept(named, fd, arguments):
    getfd(named, "a", fd)
    say(named, "x", arguments)
    assert "a" in named


def test_names_that_hold_separators(named, fd):
    getfd(named, "a:b c", fd)
    say(named, "migrate", {"uri": "fd:a:b c"})
    assert "a:b c" not in named


def test_no_more_than_so_many(named, fd, monkeypatch):
    monkeypatch.setattr(named_fds, "MAX_NAMES", 3)
    for number in range(5):
        getfd(named, f"n{number}", fd)
    assert [f"n{number}" in named for number in range(5)] == [False, False] + [True] * 3


def test_nothing_is_left_open(named, fd):
    before = open_fds()
    getfd(named, "a", fd)
    late = getfd(named, "b", fd, reply=None)
    named.close()
    assert open_fds() == before
    late(DONE)
    assert "b" not in named


def test_getfd_without_a_descriptor_forgets_what_had_the_name(named, fd):
    getfd(named, "a", fd)
    say(named, "getfd", {"fdname": "a"})
    assert "a" not in named


def test_out_of_descriptors(named, fd, monkeypatch, caplog):
    def dup(_fd):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "dup", dup)
    assert getfd(named, "a", fd, reply=None) is None
    assert "add_client will not know 'a'" in caplog.text
