"""Our own commands, through qemu.qmp and the bridge."""

from __future__ import annotations

import asyncio
import gc
import os
import socket

import pytest
import pytest_asyncio

from qmp_bridge.errors import CommandFailed, QemuGone
from qmp_bridge.proxy import Bridge
from qmp_bridge.qemu_monitor import QemuMonitor
from tests.fakes.qmp_server import FakeQmpServer
from tests.fakes.spice_control import FakeSpiceControl

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def qemu():
    server = FakeQmpServer()
    server.serve(asyncio.get_running_loop())
    yield server
    server.close()


@pytest_asyncio.fixture
async def monitor(qemu):
    bridge = Bridge(qemu.client, None, FakeSpiceControl())
    await bridge.start()
    monitor = QemuMonitor()
    await monitor.connect(bridge.own_session())
    yield monitor
    await monitor.close()
    bridge.stop()


async def test_execute(qemu, monitor):
    qemu.answer = lambda command: command.get("arguments", "none")
    assert await monitor.execute("x") == "none"
    assert await monitor.execute("x", {"a": [1]}) == {"a": [1]}
    spice = await monitor.execute("query-spice")
    assert isinstance(spice, dict)
    assert spice["auth"] == "spice"


async def test_errors_are_chained(qemu, monitor):
    qemu.answer = lambda _command: {"class": "DeviceNotFound", "desc": "no such"}
    with pytest.raises(CommandFailed, match="x: no such") as caught:
        await monitor.execute("x")
    assert caught.value.error_class == "DeviceNotFound"
    assert caught.value.__cause__ is not None


async def test_events(qemu, monitor):
    future = asyncio.get_running_loop().create_future()
    monitor.on_event(lambda name, data: future.set_result((name, dict(data))))
    event = {"event": "DEVICE_DELETED", "data": {"device": "d"}}
    qemu.send({"timestamp": {"seconds": 1, "microseconds": 2}, **event})
    assert await future == ("DEVICE_DELETED", {"device": "d"})


async def test_events_are_not_kept(qemu, monitor):
    loop = asyncio.get_running_loop()
    before = count_of(dict)
    seen, done = [], loop.create_future()

    def on_event(name, _data):
        seen.append(name)
        if name == "LAST":
            done.set_result(None)

    monitor.on_event(on_event)
    stamp = {"seconds": 1, "microseconds": 2}
    for _ in range(500):
        qemu.send({"timestamp": stamp, "event": "SPICE_CONNECTED", "data": {}})
    qemu.send({"timestamp": stamp, "event": "LAST"})
    await done
    assert len(seen) == 501
    assert count_of(dict) - before < 500


def count_of(kind):
    gc.collect()
    return sum(type(thing) is kind for thing in gc.get_objects())


async def test_give_fd(qemu, monitor):
    reader, writer = os.pipe()
    await monitor.give_fd("name", writer)
    assert os.fstat(qemu.fds[0]).st_ino == os.fstat(writer).st_ino
    assert qemu.commands[-1]["arguments"] == {"fdname": "name"}
    os.close(reader)
    os.close(writer)


async def test_qemu_dies_meanwhile(qemu, monitor):
    qemu.held = True
    waiting = asyncio.ensure_future(monitor.execute("x"))
    await qemu.taken(2)
    qemu.close()
    with pytest.raises(QemuGone):
        await waiting
    with pytest.raises(QemuGone):
        await monitor.execute("y")
    with pytest.raises(QemuGone):
        await monitor.give_fd("y", 0)


async def test_nobody_there(tmp_path):
    monitor = QemuMonitor()
    with pytest.raises(QemuGone):
        await monitor.connect(tmp_path / "none")
    await monitor.close()


async def test_cancelled_while_qemu_goes(monkeypatch):
    """The package tells of a lost connection then; who cancelled must not miss it."""
    ours, theirs = socket.socketpair()
    monitor = QemuMonitor()

    async def lost() -> None:
        raise EOFError

    monkeypatch.setattr(monitor._client, "disconnect", lost)
    task = asyncio.create_task(monitor.connect(ours))
    await asyncio.sleep(0.01)  # it waits for a greeting
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    monkeypatch.undo()
    await monitor.close()
    theirs.close()
