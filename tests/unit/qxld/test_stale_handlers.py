"""What QEMU is told after an unplug."""

from __future__ import annotations

import os

import pytest
import pytest_asyncio

from qmp_bridge.errors import QemuGone
from qmp_bridge.qemu_monitor import QemuMonitor
from qxld.stale_handlers import NUMBERS, clear_handlers
from tests.fakes.qmp_socket import QmpSocket

pytestmark = pytest.mark.asyncio

REFUSED = {"class": "GenericError", "desc": "no"}
FILES_OF_4_DISPLAYS = 17


@pytest_asyncio.fixture
async def qemu(tmp_path):
    played = QmpSocket(tmp_path / "qmp")
    yield played
    played.close()


@pytest_asyncio.fixture
async def monitor(qemu):
    connected = QemuMonitor()
    await connected.connect(qemu.path)
    yield connected
    await connected.close()


async def test_takes_numbers_all_at_once_and_gives_all_back(qemu, monitor):
    await clear_handlers(monitor)
    commands = [
        c["execute"] for c in qemu.commands if c["execute"] != "qmp_capabilities"
    ]
    assert commands == [
        *["getfd"] * NUMBERS,
        *["netdev_add"] * NUMBERS,
        *["netdev_del"] * NUMBERS,
    ]
    names = [given["fdname"] for given in qemu.arguments("getfd")]
    assert len(set(names)) == NUMBERS > FILES_OF_4_DISPLAYS
    assert [added["fd"] for added in qemu.arguments("netdev_add")] == names
    assert [gone["id"] for gone in qemu.arguments("netdev_del")] == names
    assert len(qemu.server.fds) == NUMBERS


async def test_sockets_are_silent_as_long_as_qemu_has_them(qemu, monitor):
    def look() -> None:
        fd = qemu.server.fds[0]
        os.set_blocking(fd, False)
        with pytest.raises(BlockingIOError):
            os.read(fd, 1)
        looked.append(True)

    looked: list[bool] = []
    qemu.after["netdev_del"] = look
    await clear_handlers(monitor)
    assert looked


@pytest.mark.parametrize("command", ["getfd", "netdev_add"])
async def test_qemu_that_cannot(qemu, monitor, command):
    qemu.answers[command] = REFUSED
    await clear_handlers(monitor)
    assert len(qemu.arguments("closefd")) == NUMBERS
    assert not qemu.arguments("netdev_del")


async def test_qemu_that_goes(qemu, monitor):
    qemu.after["netdev_add"] = qemu.close
    with pytest.raises(QemuGone):
        await clear_handlers(monitor)
