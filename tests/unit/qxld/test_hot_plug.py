"""Plugging in and out, with a played QEMU."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
import pytest_asyncio

from qmp_bridge.qemu_monitor import QemuMonitor
from qxld import hot_plug
from qxld.errors import QxldError
from qxld.hot_plug import attach, clear_away, detach
from tests.fakes.qmp_socket import QmpSocket
from vm_transport.ivshmem.attach import AttachOptions

pytestmark = pytest.mark.asyncio

OPTIONS = AttachOptions(Path("/run/qxld/ivshmem.sock"), vectors=32)
DEAD = {"label": "qxld-ivshmem", "filename": "disconnected:unix:/x,server=off"}
ALIVE = {"label": "qxld-ivshmem", "filename": "unix:/x"}
OTHER = {"label": "serial0", "filename": "disconnected:unix:/y"}
PLUGGED = [{"name": "type", "type": "string"}, {"name": "qxld0", "type": "child<x>"}]
NOT_FOUND = {"class": "DeviceNotFound", "desc": "Device 'qxld0' not found"}
REFUSED = {"class": "GenericError", "desc": "no"}


@pytest_asyncio.fixture
async def qemu(tmp_path):
    played = QmpSocket(tmp_path / "qmp")
    yield played
    played.close()


class StubTransport:
    async def wait_attached(self) -> None:
        return


class StubDaemon:
    """As much of a ``Daemon`` as plugging needs."""

    def __init__(self, monitor: QemuMonitor, options: AttachOptions) -> None:
        self.own_monitor = monitor
        self.attach_options = options
        self.transport = StubTransport()
        self.qemu_gone = asyncio.Event()


@pytest_asyncio.fixture
async def daemon(qemu):
    monitor = QemuMonitor()
    await monitor.connect(qemu.path)
    yield StubDaemon(monitor, OPTIONS)
    await monitor.close()


class TestClearAway:
    async def test_nothing_there(self, qemu):
        qemu.answers["query-chardev"] = [OTHER]
        await clear_away(qemu.path, OPTIONS)
        assert qemu.names() == ["query-chardev", "qom-list"]
        assert not qemu.arguments("netdev_add")

    async def test_dead_display_is_unplugged(self, qemu, caplog):
        caplog.set_level(logging.INFO)
        qemu.answers |= {"query-chardev": [OTHER, DEAD], "qom-list": PLUGGED}
        qemu.after["device_del"] = lambda: (
            qemu.event("DEVICE_DELETED", device="another"),
            qemu.event("DEVICE_DELETED", device="qxld0", path="/x"),
        )
        await clear_away(qemu.path, OPTIONS)
        assert qemu.names()[2:] == ["device_del", "chardev-remove"]
        assert qemu.arguments("chardev-remove") == [{"id": "qxld-ivshmem"}]
        assert qemu.arguments("netdev_del")
        assert "an earlier qxld left" in caplog.text

    async def test_unplugging_that_has_begun_already(self, qemu):
        qemu.answers |= {"query-chardev": [DEAD], "qom-list": PLUGGED}
        qemu.answers["device_del"] = REFUSED
        qemu.after["device_del"] = lambda: qemu.event("DEVICE_DELETED", device="qxld0")
        await clear_away(qemu.path, OPTIONS)
        assert qemu.names()[-1] == "chardev-remove"

    async def test_only_its_connection_is_left(self, qemu):
        qemu.answers["query-chardev"] = [DEAD]
        await clear_away(qemu.path, OPTIONS)
        assert qemu.names()[2:] == ["chardev-remove"]
        # The guest let go when nobody looked.
        assert qemu.arguments("netdev_del")

    async def test_another_qxld_at_work_is_left_alone(self, qemu):
        qemu.answers |= {"query-chardev": [ALIVE], "qom-list": PLUGGED}
        with pytest.raises(QxldError, match="display of another qxld"):
            await clear_away(qemu.path, OPTIONS)
        assert "device_del" not in qemu.names()

    async def test_guest_that_does_not_let_go(self, qemu, monkeypatch):
        monkeypatch.setattr(hot_plug, "DETACH_SECONDS", 0.01)
        qemu.answers |= {"query-chardev": [DEAD], "qom-list": PLUGGED}
        with pytest.raises(QxldError, match=r"does not let go .* guest is restarted"):
            await clear_away(qemu.path, OPTIONS)
        assert "chardev-remove" not in qemu.names()

    async def test_monitor_is_free_afterwards(self, qemu):
        await clear_away(qemu.path, OPTIONS)
        await clear_away(qemu.path, OPTIONS)

    async def test_no_socket(self, tmp_path):
        with pytest.raises(QxldError, match=r"none: there is no such socket$"):
            await clear_away(tmp_path / "none", OPTIONS)

    async def test_nobody_listens(self, qemu, tmp_path):
        qemu.path.rename(tmp_path / "kept")
        qemu.close()
        with pytest.raises(QxldError, match=r"kept: no QEMU listens there$"):
            await clear_away(tmp_path / "kept", OPTIONS)

    async def test_something_else_listens(self, tmp_path):
        def greet(_reader, writer) -> None:
            writer.write(b"220 hello\r\n")
            writer.close()

        path = tmp_path / "smtp"
        async with await asyncio.start_unix_server(greet, path):
            with pytest.raises(QxldError, match=f"^{path}: "):
                await clear_away(path, OPTIONS)


class TestAttach:
    async def test_goes_in(self, qemu, daemon):
        qemu.answers["query-chardev"] = [ALIVE]
        await attach(daemon)
        assert qemu.names() == [
            "query-version",
            "chardev-add",
            "query-chardev",
            "device_add",
        ]

    async def test_bus_that_takes_nothing(self, qemu, daemon):
        desc = "Bus 'pcie.0' does not support hotplugging"
        qemu.answers |= {
            "query-chardev": [ALIVE],
            "device_add": {"class": "GenericError", "desc": desc},
        }
        with pytest.raises(QxldError, match="give --bus, the id of a pcie-root-port"):
            await attach(daemon)
        assert qemu.names()[-1] == "chardev-remove"

    async def test_refusal(self, qemu, daemon):
        qemu.answers["chardev-add"] = REFUSED
        with pytest.raises(QxldError, match=r"cannot connect to .*: chardev-add: no"):
            await attach(daemon)
        assert qemu.names()[-1] == "chardev-add"


class TestDetach:
    async def test_goes_out(self, qemu, daemon, caplog):
        qemu.after["device_del"] = lambda: qemu.event("DEVICE_DELETED", device="qxld0")
        await detach(daemon)
        assert qemu.names() == ["device_del", "chardev-remove"]
        assert qemu.commands[-1]["execute"] == "netdev_del"
        assert not [r for r in caplog.records if r.levelno >= logging.WARNING]

    async def test_guest_that_does_not_let_go(self, qemu, daemon, caplog, monkeypatch):
        monkeypatch.setattr(hot_plug, "DETACH_SECONDS", 0.01)
        await detach(daemon)
        assert qemu.names() == ["device_del"]
        assert "the guest does not let go" in caplog.text

    async def test_display_that_is_gone(self, qemu, daemon, caplog):
        qemu.answers["device_del"] = NOT_FOUND
        await detach(daemon)
        assert "Device 'qxld0' not found" in caplog.text

    async def test_qemu_that_goes_meanwhile(self, qemu, daemon, caplog):
        def end() -> None:
            qemu.close()
            daemon.qemu_gone.set()

        qemu.after["device_del"] = end
        await detach(daemon)
        assert "does not let go" not in caplog.text
