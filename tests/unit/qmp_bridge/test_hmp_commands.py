"""SPICE's commands of the human monitor, and the help that lacks them."""

from __future__ import annotations

import pytest

from qmp_bridge.commands import Later, Relay
from qmp_bridge.named_fds import NamedFds
from qmp_bridge.spice_commands import SpiceCommands
from tests.fakes.screens import FakeScreens
from tests.fakes.spice_control import FakeSpiceControl
from vd_interfaces.control import (
    MigrationTarget,
    SetPasswordAction,
    SpiceChannel,
    SpiceEndpoint,
)

OLD, NEW = (7, 2, 22), (11, 1, 3)


class Rig:
    def __init__(self, version=OLD, *, screens=True) -> None:
        self.control = FakeSpiceControl()
        self.screens = FakeScreens() if screens else None
        commands = SpiceCommands(
            self.control, NamedFds(), lambda: None, self.screens, "0.15.2"
        )
        self.row = commands.table(version)["human-monitor-command"]

    def run(self, line):
        arguments = {"command-line": line}
        assert self.row.ours(arguments)
        return self.row.run(arguments)


@pytest.fixture
def rig():
    return Rig()


def test_info_spice(rig):
    info = rig.control.info
    info.tls_port, info.mouse_mode = 5931, "server"
    client = SpiceEndpoint("::1", "4711", "ipv6")
    info.channels = [
        SpiceChannel(client, 2**32 - 2, 1, 0, tls=True),
        SpiceChannel(client, 7, 77, 3, tls=False),
    ]
    assert rig.run("info spice") == (
        "Server:\r\n"
        "     address: 127.0.0.1:5930\r\n"
        "     address: 127.0.0.1:5931 [tls]\r\n"
        "    migrated: false\r\n"
        "        auth: spice\r\n"
        "    compiled: 0.15.2\r\n"
        "  mouse-mode: server\r\n"
        "Channel:\r\n"
        "     address: ::1:4711 [tls]\r\n"
        "     session: -2\r\n"
        "     channel: 1:0\r\n"
        "     channel name: main\r\n"
        "Channel:\r\n"
        "     address: ::1:4711\r\n"
        "     session: 7\r\n"
        "     channel: 77:3\r\n"
        "     channel name: unknown\r\n"
    )


def test_passwords(rig):
    assert rig.run("set_password spice abc fail") == ""
    assert rig.control.password == "abc"
    assert rig.control.actions == [SetPasswordAction.FAIL]
    assert rig.run("expire_password spice never") == ""
    assert rig.control.expiry is None
    assert rig.run("set_password spice " + "a" * 61) == (
        "Error: Could not set password\r\n"
    )


def test_errors_have_their_lines_ended():
    said = Rig(NEW).run('expire_password spice "a\\nb"')
    assert said == "Error: Parameter 'time' doesn't take value 'a\r\nb'\r\n"


def test_a_migration_with_and_without_clients(rig):
    nobody = "warning: Spice: main:0 (0x0): no peer connected\r\n"
    assert rig.run("client_migrate_info spice h 1 2 C") == nobody
    assert rig.control.target == MigrationTarget("h", 1, 2, "C")
    client = SpiceEndpoint("", "", "unix")
    rig.control.info.channels = [SpiceChannel(client, 1, 1, 0, tls=False)]
    assert rig.run("client_migrate_info spice h 1") == ""


@pytest.mark.parametrize(
    "line",
    [
        "set_password vnc x",
        "set_password spice x bogus",
        "set_password spice",
        "screendump f -f bmp",
        "screendump f video0",
        "client_migrate_info spice h -1",
        "info mice",
        "",
        "help",
        "help set_password",
    ],
)
def test_what_is_qemus(rig, line):
    assert rig.run(line) == Relay()


def test_a_cpu_is_qemus_to_check(rig):
    assert not rig.row.ours({"command-line": "info spice", "cpu-index": 0})
    assert not rig.row.ours({"command-line": 5})
    assert not rig.row.ours({})


def test_screendump(rig):
    outcome = rig.run("screendump f -f png qxld0 1")
    assert isinstance(outcome, Later)
    settled = []
    outcome.begin(settled.append)
    assert rig.screens.asked == [(1, "f", "png")]
    rig.screens.waiting.pop()(FileNotFoundError(2, ""))
    assert settled == ["Error: failed to open file 'f': No such file or directory\r\n"]
    outcome.begin(settled.append)
    rig.screens.waiting.pop()(None)
    assert settled[1:] == [""]
    assert rig.run("screendump f qxld0 2") == (
        "Error: Device qxld0 (head 2) is not bound to a QemuConsole\r\n"
    )


def test_screendump_without_displays():
    assert Rig(screens=False).run("screendump f") == Relay()


def answered(rig, line, said):
    return rig.run(line).answer({"return": said})


def test_help_that_lacks_spice(rig):
    line = "info spice  -- show the spice server status\r\n"
    before = "info a  -- x\r\ninfo snapshots  -- y\r\n\t\t z\r\n"
    after = "info stats  -- s\r\n"
    for command in ("info", "help info", "? info"):
        assert answered(rig, command, before + after) == before + line + after
        assert answered(rig, command, before) == before + line
        for complete in (before + line + after, "", "something else\r\n"):
            assert answered(rig, command, complete) is None
    assert answered(rig, "help info spice", "unknown command: 'info spice'\r\n") == line
    assert answered(rig, "help info spice", line) is None
    extra = answered(rig, "info spice x", "unknown command: 'info spice'\r\n")
    assert extra.startswith("spice: extraneous characters")
    assert rig.run("help info spice").answer({"error": {}}) is None
