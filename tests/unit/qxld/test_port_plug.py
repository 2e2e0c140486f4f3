"""Ports plugged in and out, with a played QEMU."""

from __future__ import annotations

import logging

import pytest
import pytest_asyncio

from qmp_bridge.qemu_monitor import QemuMonitor
from qxld import port_plug
from qxld.config import PortsConfig
from qxld.errors import QxldError
from qxld.port_plug import PortPlug
from qxld.ports import Ports
from tests.fakes.qmp_socket import QmpSocket
from tests.unit.qxld.test_qtree import QTREE

pytestmark = pytest.mark.asyncio

NO_HOTPLUG = {
    "class": "GenericError",
    "desc": "Bus 'pcie.0' does not support hotplugging",
}
BRIDGES = [
    {
        "bus": 0,
        "devices": [
            {"qdev_id": "", "slot": 0},
            {"qdev_id": "rp1", "pci_bridge": {"devices": [{"qdev_id": "qxld0"}]}},
            {"qdev_id": "rp2", "pci_bridge": {"bus": {}}},
        ],
    }
]


class Bench:
    def __init__(self, folder, config, qemu, monitor):
        self.folder = folder
        self.ports = Ports(config, folder)
        self.qemu = qemu
        self.plug = PortPlug(self.ports, monitor)

    def added(self):
        return [(a["driver"], a.get("bus")) for a in self.qemu.arguments("device_add")]


@pytest_asyncio.fixture
async def bench(tmp_path):
    qemu = QmpSocket(tmp_path / "qmp")
    qemu.answers |= {"human-monitor-command": "", "query-pci": BRIDGES}
    qemu.after["device_del"] = lambda: qemu.event(
        "DEVICE_DELETED", device=qemu.arguments("device_del")[-1]["id"], path="/x"
    )
    monitor = QemuMonitor()
    await monitor.connect(qemu.path)
    made = []

    def make(**config):
        made.append(Bench(tmp_path, PortsConfig(**config), qemu, monitor))
        return made[-1]

    yield make
    for each in made:
        each.ports.disconnected()
    await monitor.close()
    qemu.close()


async def test_nothing_to_plug(bench):
    made = bench(agent="none")
    await made.plug.plug_in()
    await made.plug.unplug()
    assert made.qemu.names() == []


async def test_in_and_out(bench):
    made = bench(usbredir=1, smartcard=True)
    await made.plug.plug_in()
    assert made.added() == [
        ("virtio-serial-pci", None),
        ("virtserialport", "qxld-serial.0"),
        ("qemu-xhci", None),
        ("usb-redir", "qxld-usb.0"),
        ("usb-ccid", "qxld-usb.0"),
        ("ccid-card-passthru", "qxld-ccid.0"),
    ]
    assert made.qemu.arguments("chardev-add")[0] == {
        "id": "qxld-agent-chardev",
        "backend": {
            "type": "socket",
            "data": {
                "addr": {
                    "type": "unix",
                    "data": {"path": str(made.folder / "qxld-agent.sock")},
                },
                "server": True,
                "wait": False,
            },
        },
    }
    # usb-redir has removed its chardev itself.
    made.qemu.answers["query-chardev"] = [
        {"label": f"{name}-chardev", "filename": f"disconnected:unix:/{name},server=on"}
        for name in ("qxld-agent", "qxld-card")
    ]
    await made.plug.unplug()
    assert [a["id"] for a in made.qemu.arguments("device_del")] == [
        "qxld-card", "qxld-usb0", "qxld-agent", "qxld-ccid", "qxld-usb", "qxld-serial",
    ]  # fmt: skip
    assert [a["id"] for a in made.qemu.arguments("chardev-remove")] == [
        "qxld-card-chardev",
        "qxld-agent-chardev",
    ]


async def test_controllers_of_the_vm_are_used(bench):
    made = bench(usbredir=1)
    made.qemu.answers["human-monitor-command"] = (
        "bus: a.0\n  type virtio-serial-bus\nbus: b.0\n  type usb-bus\n"
    )
    await made.plug.plug_in()
    assert made.added() == [("virtserialport", None), ("usb-redir", None)]


async def test_what_an_earlier_qxld_left_is_taken_over(bench, caplog):
    caplog.set_level(logging.INFO)
    made = bench()
    made.qemu.answers |= {
        "human-monitor-command": QTREE,
        "qom-list": [{"name": "qxld-agent", "type": "child<virtserialport>"}],
        "query-chardev": [
            {
                "label": "qxld-agent-chardev",
                "filename": "disconnected:unix:/run/old/qxld-agent.sock,server=on",
            }
        ],
    }
    await made.plug.plug_in()
    assert made.added() == []
    assert str(made.ports.agent_port.path) == "/run/old/qxld-agent.sock"
    assert made.ports.agent_port.guest_open
    assert "taking over" in caplog.text


class TestRefusals:
    async def test_a_free_root_port_is_found(self, bench):
        made = bench()
        answers = made.qemu.answers
        answers["device_add"] = NO_HOTPLUG

        def relent() -> None:
            answers["device_add"] = {}

        made.qemu.after["device_add"] = relent
        await made.plug.plug_in()
        assert made.added() == [
            ("virtio-serial-pci", None),
            ("virtio-serial-pci", "rp2"),
            ("virtserialport", "qxld-serial.0"),
        ]

    async def test_an_agents_port_that_nobody_asked_for(self, bench, caplog):
        made = bench()
        made.qemu.answers |= {"device_add": NO_HOTPLUG, "query-pci": []}
        await made.plug.plug_in()
        assert "no virtio-serial port for the guest's agent" in caplog.text
        assert made.qemu.arguments("chardev-remove") == [{"id": "qxld-agent-chardev"}]

    async def test_one_that_somebody_asked_for(self, bench):
        made = bench(agent="virtio")
        made.qemu.answers |= {"device_add": NO_HOTPLUG, "query-pci": []}
        with pytest.raises(
            QxldError, match=r"hotplugging; start QEMU with .* virtio-serial-pci$"
        ):
            await made.plug.plug_in()

    async def test_a_name_that_is_taken(self, bench):
        made = bench(agent="none", channels=("org.test.port.0",))
        made.qemu.answers["human-monitor-command"] = QTREE.replace(
            "qxld-port0", "theirs"
        )
        with pytest.raises(QxldError, match="has a port of that name already"):
            await made.plug.plug_in()

    async def test_a_port_that_does_not_go(self, bench, monkeypatch, caplog):
        monkeypatch.setattr(port_plug, "UNPLUG_SECONDS", 0.01)
        made = bench()
        await made.plug.plug_in()
        del made.qemu.after["device_del"]
        await made.plug.unplug()
        assert "port com.redhat.spice.0 stays in QEMU" in caplog.text
        assert not made.qemu.arguments("chardev-remove")
