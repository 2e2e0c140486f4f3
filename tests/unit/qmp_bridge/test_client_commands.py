"""client_migrate_info and add_client: who is refused, and what the server is given."""

from __future__ import annotations

import os
import socket

import pytest

from qmp_bridge.client_commands import ClientCommands
from qmp_bridge.commands import Command
from qmp_bridge.errors import QmpError
from qmp_bridge.named_fds import NamedFds
from tests.fakes.spice_control import FakeSpiceControl
from vd_interfaces.control import ControlError, MigrationTarget

OLD, NEW = (7, 2, 22), (11, 1, 3)


class Rig:
    def __init__(self, version=OLD) -> None:
        self.control = FakeSpiceControl()
        self.named = NamedFds()
        self.followed = 0
        self.commands = ClientCommands(self.control, version, self.named, self._follow)

    def _follow(self) -> None:
        self.followed += 1

    def name(self, name: str, fd: int) -> None:
        command = Command("getfd", {"fdname": name}, oob=False)
        self.named.forwarding(command, [fd])(b'{"return": {}}')

    def run(self, command: str, **arguments: object):
        members = {key.replace("_", "-"): value for key, value in arguments.items()}
        return self.commands.table()[command].run({"protocol": "spice"} | members)


@pytest.fixture(params=[OLD, NEW])
def rig(request):
    rig = Rig(request.param)
    yield rig
    rig.named.close()
    for fd, _skip, _tls in rig.control.added:
        os.close(fd)


@pytest.fixture
def stream():
    pair = socket.socketpair()
    yield pair[0].fileno()
    for end in pair:
        end.close()


def test_a_target(rig):
    assert rig.run("client_migrate_info", hostname="h", port=1, cert_subject="C") == {}
    assert rig.control.target == MigrationTarget("h", 1, None, "C")
    assert rig.followed == 1


def test_ports_are_c_ints_and_minus_one_is_none(rig):
    rig.run("client_migrate_info", hostname="h", port=2**32 + 5, tls_port=-1)
    assert rig.control.target == MigrationTarget("h", 5, None)
    with pytest.raises(QmpError, match="Could not set up display for migration"):
        rig.run("client_migrate_info", hostname="h", port=-1, tls_port=2**32 - 1)
    assert rig.followed == 1


def test_a_server_that_refuses_the_target(rig, monkeypatch):
    def refuse(_target):
        raise ControlError("no")

    monkeypatch.setattr(rig.control, "migrate_info", refuse)
    with pytest.raises(QmpError, match="Could not set up display for migration"):
        rig.run("client_migrate_info", hostname="h", port=1)
    assert not rig.followed


def test_other_protocols_are_qemus(rig):
    for row in rig.commands.table().values():
        assert row.ours({"protocol": "spice"})
        for protocol in ("vnc", "@dbus-display", 5, None):
            assert not row.ours({"protocol": protocol})


def test_a_client_is_served_when_qemu_forgot_it(rig, stream):
    rig.name("a", stream)
    relay = rig.run("add_client", fdname="a", skipauth=True, tls=True)
    assert relay.command == {"execute": "closefd", "arguments": {"fdname": "a"}}
    assert not rig.control.added
    assert relay.answer({"return": {}}) == {}
    ((fd, skip_auth, tls),) = rig.control.added
    assert os.path.sameopenfile(fd, stream)
    assert (skip_auth, tls) == (True, True)
    with pytest.raises(QmpError, match="'a' has not been found"):
        rig.run("add_client", fdname="a")


def test_a_name_taken_meanwhile(rig, stream):
    rig.name("a", stream)
    first, second = (rig.run("add_client", fdname="a") for _ in range(2))
    assert first.answer({"return": {}}) == {}
    with pytest.raises(QmpError, match="'a' has not been found"):
        second.answer({"error": {}})


def test_a_server_that_refuses_the_client(rig, stream):
    rig.control.refuses_clients = True
    rig.name("a", stream)
    with pytest.raises(QmpError, match="spice failed to add client"):
        rig.run("add_client", fdname="a").answer({"return": {}})


def test_spice_not_in_use(rig, stream):
    rig.control.info.enabled = False
    rig.name("a", stream)
    relay = rig.run("add_client", fdname="a")
    for run in (
        lambda: relay.answer({"return": {}}),
        lambda: rig.run("client_migrate_info", hostname="h"),
    ):
        with pytest.raises(QmpError, match="SPICE is not in use") as raised:
            run()
        assert raised.value.error_class == "DeviceNotActive"
    assert not rig.control.added


def test_what_is_no_socket():
    reader, writer = os.pipe()
    rig = Rig(NEW)
    rig.name("a", writer)
    with pytest.raises(QmpError, match="parameter @fdname must name a socket"):
        rig.run("add_client", fdname="a").answer({"return": {}})
    assert not rig.control.added
    os.close(reader)
    os.close(writer)
