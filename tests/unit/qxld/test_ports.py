"""Which ports there are, QEMU's options for them, who serves them, and events."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
import pytest_asyncio

from qmp_bridge.qemu_monitor import QemuMonitor
from qxld.config import PortsConfig
from qxld.errors import UsageError
from qxld.ports import Ports, plan, port_arguments
from spice_server.config import ServerConfig
from spice_server.server import Server
from tests.fakes.chardev import FakeChardev, RecordingPortHandler
from tests.fakes.input_sink import RecordingSink
from tests.fakes.qmp_socket import QmpSocket
from tests.fakes.scripted_port import ScriptedPort
from tests.unit.qxld.test_qtree import QTREE

FOLDER = Path("/run/qxld")
ALL = PortsConfig(
    webdav=True, channels=("org.a.0", "org.b,c.0"), usbredir=2, smartcard=True
)
NONE = PortsConfig(agent="none")


def devices(arguments):
    return [a for a in arguments if a.split(",")[0] not in {"-device", "-chardev"}]


class TestPlan:
    def test_all(self):
        assert [(p.kind, p.name) for p in plan(ALL, FOLDER)] == [
            ("agent", "com.redhat.spice.0"),
            ("webdav", "org.spice-space.webdav.0"),
            ("port", "org.a.0"),
            ("port", "org.b,c.0"),
            ("usbredir", "qxld-usb0"),
            ("usbredir", "qxld-usb1"),
            ("smartcard", "qxld-card"),
        ]

    @pytest.mark.parametrize(
        ("way", "count"), [("auto", 1), ("virtio", 1), ("ivshmem", 0), ("none", 0)]
    )
    def test_agent(self, way, count):
        assert len(plan(PortsConfig(agent=way), FOLDER)) == count

    @pytest.mark.parametrize(
        ("config", "complaint"),
        [
            (PortsConfig(agent="serial"), "there are auto, virtio, ivshmem, none"),
            (PortsConfig(usbredir=9), "9 usbredir channels: there can be 0 to 8"),
            (PortsConfig(usbredir=-1), "0 to 8"),
            (PortsConfig(channels=("",)), "a name is 1 to 200 printable"),
            (PortsConfig(channels=("a b",)), "no blank"),
            (PortsConfig(channels=("../x",)), "no slash"),
            (PortsConfig(channels=("a", "a")), "port channel a is there twice"),
            (PortsConfig(channels=("com.redhat.spice.0",)), "--agent virtio"),
            (PortsConfig(channels=("org.spice-space.webdav.0",)), "--webdav"),
            (PortsConfig(channels=tuple(map(str, range(17)))), "there can be 16"),
        ],
    )
    def test_refusals(self, config, complaint):
        with pytest.raises(UsageError, match=complaint):
            plan(config, FOLDER)


class TestArguments:
    def test_nothing(self):
        assert port_arguments(NONE, FOLDER) == []

    def test_all(self):
        assert devices(port_arguments(ALL, FOLDER)) == [
            "virtio-serial-pci,id=qxld-serial",
            _chardev("qxld-agent"),
            _virtio("qxld-agent", "com.redhat.spice.0"),
            _chardev("qxld-webdav"),
            _virtio("qxld-webdav", "org.spice-space.webdav.0"),
            _chardev("qxld-port0"),
            _virtio("qxld-port0", "org.a.0"),
            _chardev("qxld-port1"),
            _virtio("qxld-port1", "org.b,,c.0"),
            "qemu-xhci,id=qxld-usb,p2=15,p3=15",
            _chardev("qxld-usb0"),
            "usb-redir,id=qxld-usb0,chardev=qxld-usb0-chardev,bus=qxld-usb.0",
            _chardev("qxld-usb1"),
            "usb-redir,id=qxld-usb1,chardev=qxld-usb1-chardev,bus=qxld-usb.0",
            "usb-ccid,id=qxld-ccid,bus=qxld-usb.0",
            _chardev("qxld-card"),
            "ccid-card-passthru,id=qxld-card,chardev=qxld-card-chardev,bus=qxld-ccid.0",
        ]

    def test_a_controller_that_is_there_is_used(self):
        present = ["-device", "qemu-xhci,id=qxld-usb,p2=15,p3=15"]
        present += ["-device", "virtio-serial,id=mine"]
        told = devices(port_arguments(PortsConfig(usbredir=1), FOLDER, present))
        assert told == [
            _chardev("qxld-agent"),
            _virtio("qxld-agent", "com.redhat.spice.0").removesuffix(
                ",bus=qxld-serial.0"
            ),
            _chardev("qxld-usb0"),
            "usb-redir,id=qxld-usb0,chardev=qxld-usb0-chardev,bus=qxld-usb.0",
        ]

    def test_an_agents_port_that_is_there_stays_alone(self, caplog):
        caplog.set_level(logging.INFO)
        present = ["-device", "virtserialport,chardev=a,name=com.redhat.spice.0"]
        assert port_arguments(PortsConfig(), FOLDER, present) == []
        assert "left alone" in caplog.text

    def test_commas(self):
        told = port_arguments(PortsConfig(), Path("/run/a,b"))
        assert any("path=/run/a,,b/qxld-agent.sock," in word for word in told)


def _chardev(label):
    return f"socket,id={label}-chardev,path=/run/qxld/{label}.sock,server=on,wait=off"


def _virtio(label, name):
    return (
        f"virtserialport,id={label},chardev={label}-chardev,name={name},"
        "bus=qxld-serial.0"
    )


@pytest.mark.asyncio
class TestServing:
    async def test_channels(self, tmp_path):
        server = Server(ServerConfig(port=0), RecordingSink())
        ports = Ports(ALL, tmp_path)
        ports.add_to(server, ScriptedPort("com.redhat.spice.0"))
        assert sorted(c.name for c in server._other_channels()) == [
            "PORT:0", "PORT:1", "SMARTCARD:0", "USBREDIR:0", "USBREDIR:1", "WEBDAV:0",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("way", "virtio", "shared"),
        [
            ("auto", True, True),
            ("virtio", True, False),
            ("ivshmem", False, True),
            ("none", False, False),
        ],
    )
    async def test_carriers_of_the_agent(self, tmp_path, way, virtio, shared):
        server = Server(ServerConfig(port=0), RecordingSink())
        ports = Ports(PortsConfig(agent=way), tmp_path)
        memory = ScriptedPort("com.redhat.spice.0")
        ports.add_to(server, memory)
        assert (ports.agent_port is not None) == virtio
        assert (memory.handler is not None) == shared


@pytest.mark.asyncio
class TestQemu:
    @pytest_asyncio.fixture
    async def monitor(self, tmp_path):
        qemu = QmpSocket(tmp_path / "qmp")
        monitor = QemuMonitor()
        await monitor.connect(qemu.path)
        monitor.played = qemu
        yield monitor
        await monitor.close()
        qemu.close()

    async def test_ends_that_are_open_and_events(self, monitor, tmp_path):
        monitor.played.answers["human-monitor-command"] = QTREE
        ports = Ports(PortsConfig(channels=("org.test.port.0",)), tmp_path)
        qemu = FakeChardev(tmp_path / "qxld-agent.sock")
        handler = RecordingPortHandler()
        ports.agent_port.attach(handler)
        await ports.connected(monitor, asyncio.get_running_loop())
        await handler.told("opened")
        assert not ports.ports["qxld-port0"].guest_open
        ports.event("VSERPORT_CHANGE", {"id": "qxld-port0", "open": True})
        ports.event("VSERPORT_CHANGE", {"id": "somebody's", "open": True})
        ports.event("RESET", {})
        assert ports.ports["qxld-port0"].guest_open
        ports.event("VSERPORT_CHANGE", {"id": "qxld-agent", "open": False})
        await handler.told("closed")
        ports.disconnected()
        assert not ports.ports["qxld-port0"].guest_open
        ports.remove_sockets()
        assert not qemu.path.exists()
        qemu.close()

    async def test_a_qemu_that_tells_nothing(self, monitor, tmp_path):
        monitor.played.answers["human-monitor-command"] = {
            "class": "CommandNotFound",
            "desc": "no",
        }
        ports = Ports(PortsConfig(), tmp_path)
        await ports.connected(monitor, asyncio.get_running_loop())
        assert not ports.agent_port.guest_open
        ports.disconnected()

    async def test_is_not_asked_if_there_are_no_ports(self, monitor, tmp_path):
        await Ports(NONE, tmp_path).connected(monitor, asyncio.get_running_loop())
        assert monitor.played.names() == []
