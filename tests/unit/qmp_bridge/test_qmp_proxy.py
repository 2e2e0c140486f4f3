"""The bridge on real sockets, between monitor clients and a played QEMU."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import stat

import pytest
import pytest_asyncio

from qmp_bridge import monitor_client, proxy
from qmp_bridge.errors import MonitorSocketError, QemuGone
from qmp_bridge.proxy import Bridge
from tests.fakes.qmp_client import QmpClient
from tests.fakes.qmp_server import GREETING, FakeQmpServer
from tests.fakes.spice_control import FakeSpiceControl
from vd_interfaces.control import ChannelEvent, ChannelEventKind, SpiceEndpoint

pytestmark = pytest.mark.asyncio

EVENT = ChannelEvent(
    ChannelEventKind.CONNECTED,
    SpiceEndpoint("127.0.0.1", "5930", "ipv4"),
    SpiceEndpoint("127.0.0.1", "5000", "ipv4"),
    "spice",
    None,
)


@pytest.fixture
def control() -> FakeSpiceControl:
    return FakeSpiceControl()


@pytest_asyncio.fixture
async def qemu():
    server = FakeQmpServer()
    server.serve(asyncio.get_running_loop())
    yield server
    server.close()


@pytest_asyncio.fixture
async def bridge(qemu, control, tmp_path):
    bridge = Bridge(qemu.client, tmp_path / "monitor", control)
    await bridge.start()
    yield bridge
    bridge.stop()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "monitor"


@pytest_asyncio.fixture
async def connect(bridge, path):
    async with contextlib.AsyncExitStack() as stack:

        async def connect(**options) -> QmpClient:
            client = await QmpClient.connect(path, **options)
            stack.callback(client.socket.close)
            return client

        yield connect


async def test_spice_is_answered_here_and_the_rest_there(connect, qemu, control):
    client = await connect()
    arguments = {"protocol": "spice", "password": "x"}
    command = {"execute": "set_password", "arguments": arguments, "id": 1}
    assert await client.ask(command) == {"return": {}, "id": 1}
    assert control.password == "x"
    assert await client.ask({"execute": "query-name", "id": 2}) == {
        "return": {},
        "id": 2,
    }
    names = [command["execute"] for command in qemu.commands]
    assert names == ["qmp_capabilities", "query-name"]


async def test_several_monitors_at_once(connect, qemu, bridge):
    qemu.answer = lambda command: command["arguments"]
    clients = [await connect() for _ in range(5)]
    assert bridge.monitors == 5
    asked = [
        client.ask({"execute": "x", "arguments": {"n": number}})
        for number, client in enumerate(clients)
    ]
    assert await asyncio.gather(*asked) == [{"return": {"n": n}} for n in range(5)]


async def test_events_of_both_sides_in_order(connect, qemu, control):
    clients = [await connect() for _ in range(2)]
    silent = await connect(negotiate=False)
    qemu.send({"timestamp": {}, "event": "STOP"})
    assert b"STOP" in await clients[0].line()
    control.emit(EVENT)
    assert b"SPICE_CONNECTED" in await clients[0].line()
    assert b"STOP" in await clients[1].line()
    assert b"SPICE_CONNECTED" in await clients[1].line()
    assert silent.buffer == b""


async def test_events_that_a_command_causes_come_before_its_reply(connect, control):
    client = await connect()
    control.on_disconnect = lambda: control.emit(EVENT)
    arguments = {"protocol": "spice", "password": "z", "connected": "disconnect"}
    first = await client.ask({"execute": "set_password", "arguments": arguments})
    assert first["event"] == "SPICE_CONNECTED"
    assert json.loads(await client.line()) == {"return": {}}


async def test_fds_reach_qemu(connect, qemu):
    client = await connect()
    reader, writer = os.pipe()
    inode = os.fstat(writer).st_ino
    command = b'{"execute":"getfd","arguments":{"fdname":"a"}}'
    socket.send_fds(client.socket, [command], [writer, reader])
    os.close(writer)
    os.close(reader)
    assert json.loads(await client.line()) == {"return": {}}
    assert os.fstat(qemu.fds[0]).st_ino == inode
    assert len(qemu.fds) == 2


async def test_a_script_may_write_and_leave(connect, qemu, bridge):
    client = await connect(negotiate=False)
    await client.send(
        b'{"execute":"qmp_capabilities"}{"execute":"stop"}{"execute":"quit"}'
    )
    client.socket.shutdown(socket.SHUT_WR)
    for _ in range(3):
        assert await client.line() == b'{"return": {}}\r\n'
    assert await client.line() == b""
    assert [command["execute"] for command in qemu.commands][1:] == ["stop", "quit"]
    assert bridge.monitors == 0


async def test_commands_of_a_client_that_closed_are_executed(connect, qemu, bridge):
    client = await connect()
    other = await connect()
    qemu.held = True
    await client.send(b'{"execute":"a"}{"execute":"b"}')
    client.socket.close()
    assert await asyncio.gather(other.ask({"execute": "c"}), _release(qemu, 3))
    names = {command["execute"] for command in qemu.commands}
    assert {"a", "b", "c"} <= names


async def _release(qemu, count):
    await qemu.taken(count + 1)
    qemu.release()


async def test_a_monitor_that_reads_nothing_is_dropped(
    connect, control, bridge, monkeypatch
):
    monkeypatch.setattr(monitor_client, "_MAX_UNREAD", 1 << 20)
    client, deaf = await connect(), await connect()
    events = 0
    while bridge.monitors == 2:
        control.emit(EVENT)
        assert b"SPICE_CONNECTED" in await client.line()
        events += 1
    heard = 0
    while await deaf.line():
        heard += 1
    assert heard < events < 20_000
    assert await client.ask({"execute": "x"}) == {"return": {}}


async def test_a_monitor_that_reads_no_replies_is_not_read(connect, qemu, bridge):
    qemu.answer = lambda _command: "y" * 100_000
    client, other = await connect(), await connect()
    flood = asyncio.ensure_future(client.send(b'{"execute":"x"}' * 1000))
    await qemu.taken(10)
    for _ in range(100):
        assert (await other.ask({"execute": "x"}))["return"]
    assert len(qemu.commands) < 200
    for _ in range(1000):
        assert len(await client.line()) > 100_000
    await flood


async def test_qemu_dies(connect, qemu, bridge, path):
    clients = [await connect() for _ in range(2)]
    errors = []
    bridge.on_qemu_gone(errors.append)
    qemu.held = True
    await clients[0].send(b'{"execute":"x"}')
    qemu.close()
    for client in clients:
        assert await client.line() == b""
    assert [type(error) for error in errors] == [QemuGone]
    assert bridge.monitors == 0
    assert not path.exists()


async def test_own_session(bridge, qemu):
    client = QmpClient(bridge.own_session())
    assert await client.line() == GREETING
    assert await client.ask({"execute": "qmp_capabilities"}) == {"return": {}}
    assert (await client.ask({"execute": "query-spice"}))["return"]["enabled"]
    client.socket.close()


async def test_the_socket_is_the_owners_only_and_goes_with_the_bridge(bridge, path):
    mode = path.stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600
    bridge.stop()
    assert not path.exists()


async def test_no_more_than_so_many(connect, path, monkeypatch, bridge):
    monkeypatch.setattr(proxy, "_MAX_MONITORS", 2)
    clients = [await connect() for _ in range(2)]
    third = asyncio.ensure_future(QmpClient.connect(path))
    await clients[0].ask({"execute": "x"})
    assert bridge.monitors == 2
    assert not third.done()
    clients[0].socket.close()
    (await third).socket.close()


async def test_a_dead_socket_is_replaced(qemu, control, path):
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    bridge = Bridge(qemu.client, path, control)
    await bridge.start()
    (await QmpClient.connect(path)).socket.close()
    bridge.stop()


@pytest.mark.parametrize("what", ["served", "file", "directory"])
async def test_a_path_that_cannot_be_used(qemu, control, tmp_path, what):
    path = tmp_path / "monitor"
    with contextlib.ExitStack() as stack:
        if what == "served":
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(path))
            listener.listen()
        elif what == "file":
            path.touch()
        else:
            path = tmp_path / "no" / "monitor"
        bridge = Bridge(qemu.client, path, control)
        with pytest.raises(MonitorSocketError):
            await bridge.start()
    assert bridge.link.closed


async def test_a_listening_socket_may_be_given(qemu, control, tmp_path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "given"))
    listener.listen()
    bridge = Bridge(qemu.client, listener, control)
    await bridge.start()
    (await QmpClient.connect(tmp_path / "given")).socket.close()
    bridge.stop()
    assert (tmp_path / "given").exists()


async def test_no_listening_socket_at_all(qemu, control):
    bridge = Bridge(qemu.client, None, control)
    await bridge.start()
    assert bridge.monitors == 0
    bridge.stop()


async def test_no_qemu(control, tmp_path):
    bridge = Bridge(tmp_path / "none", None, control)
    with pytest.raises(QemuGone):
        await bridge.start()
    bridge.stop()


async def test_what_getfd_named_goes_with_qemu(connect, qemu, bridge, control):
    """Also what waits for QEMU to forget a name: nothing is left open."""
    client = await connect()
    served, end = socket.socketpair()
    getfd = b'{"execute":"getfd","arguments":{"fdname":"a"}}'
    socket.send_fds(client.socket, [getfd], [served.fileno()])
    served.close()
    assert await client.line() == b'{"return": {}}\r\n'
    assert "a" in bridge._named_fds
    qemu.held = True
    add = {"execute": "add_client", "arguments": {"protocol": "spice", "fdname": "a"}}
    await client.send(json.dumps(add).encode())
    await qemu.taken(3)
    assert qemu.commands[-1]["execute"] == "closefd"
    qemu.close()
    assert await client.line() == b""
    assert not control.added
    end.setblocking(False)
    assert await asyncio.get_running_loop().sock_recv(end, 1) == b""
    end.close()
