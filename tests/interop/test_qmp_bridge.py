"""The bridge in front of a real QEMU, compared with QEMU alone.

Two QEMUs run with the same options: what a client hears from the one through the bridge
must be, byte for byte, what it hears from the other directly.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
from pathlib import Path

import pytest
import pytest_asyncio
from qemu.qmp import ExecuteError, QMPClient

from qmp_bridge.errors import QemuGone
from qmp_bridge.proxy import Bridge
from qmp_bridge.qemu_monitor import QemuMonitor
from tests.fakes.qmp_client import QmpClient
from tests.fakes.spice_control import FakeSpiceControl
from tests.peers.plain_qemu import NO_MACHINE, PlainQemu, missing

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.interop,
    pytest.mark.skipif(bool(missing()), reason=missing()),
]

VECTORS = Path(__file__).parents[1] / "vectors" / "qmp" / "7.2"
PATIENCE_S = 300.0
"""Ends a hang; a loaded machine is never that slow."""


@pytest.fixture
def start(tmp_path):
    with contextlib.ExitStack() as stack:

        def start(name, options=NO_MACHINE) -> PlainQemu:
            qemu = PlainQemu(tmp_path / f"{name}.sock", options)
            stack.callback(qemu.close)
            return qemu

        yield start


@pytest.fixture
def control() -> FakeSpiceControl:
    return FakeSpiceControl()


@pytest_asyncio.fixture
async def bridged(start, control, tmp_path):
    """Start a bridge in front of a QEMU with options; returns the bridge."""
    async with contextlib.AsyncExitStack() as stack:

        async def bridged(options=NO_MACHINE) -> Bridge:
            bridge.qemu = start("behind", options)
            await asyncio.wait_for(bridge.start(), PATIENCE_S)
            stack.callback(bridge.stop)
            return bridge

        bridge = Bridge(tmp_path / "behind.sock", tmp_path / "bridge.sock", control)
        yield bridged


@pytest_asyncio.fixture
async def connect(tmp_path):
    with contextlib.ExitStack() as stack:

        async def connect(name="bridge", **options) -> QmpClient:
            client = await QmpClient.connect(tmp_path / f"{name}.sock", **options)
            stack.callback(client.close)
            return client

        yield connect


@pytest_asyncio.fixture
async def pair(start, bridged, connect):
    """A client through the bridge and one directly, negotiated alike."""
    await bridged()
    start("alone")
    return await connect(), await connect("alone")


SENTINEL = b'\n\x00\n\x00\n{"execute":"query-name","id":"sentinel-%d"}\n'


async def _until_sentinel(client: QmpClient, data: bytes, number: int) -> list[bytes]:
    await client.send(data + SENTINEL % number)
    lines = [await client.reply()]
    while b'"sentinel-%d"' % number not in lines[-1]:
        lines.append(await client.reply())
    return lines


ATOMS = [
    b'{"execute":"query-name"}', b'{"execute":"query-name","id":%s}', b'{"execute":"x"}',
    b'{"execute":"query-spice","arguments":{"x":1}}', b'{"execute":"qmp_capabilities"}',
    b"{", b"}", b"[", b"]", b":", b",", b'"a"', b"'b'", b'"', b"'", b"\\", b"1", b"-",
    b"0", b"01", b"1.5", b"1e3", b"1E-2", b"-0", b".", b"e", b"true", b"nul", b"null",
    b" ", b"\n", b"\r\n", b"\t", b"\x00", b"\x1f", b"\x7f", b"\xff", b"\xfe", b"\xe9",
    b"\xc3\xa9", b"\xc0\x80", b'"\\u00e9"', b'"\\ud83d\\ude00"', b'"\\ud800"', b'"\\q"',
    b'"\\u12"', b'"execute"', b'"id"', b'"query-name"', b'"arguments"', b"{}", b"[]",
    b"A", b"@", b"%d", b"99999999999999999999", b'"a":1', b'"\xf0\x9f\x98\x80"',
    b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"\xef\xb7\x90"', b'{"a":1,"a":nul}',
    b'{"minor":1,"micro":2,"major":3}', b'"exec-oob":"x"', b'{"exec-oob":"query-name"}',
]  # fmt: skip


def _garbage(generator: random.Random) -> bytes:
    parts = []
    for _ in range(generator.randint(1, 7)):
        atom = generator.choice(ATOMS)
        if b"%s" in atom:
            atom = atom.replace(b"%s", generator.choice(ATOMS))
        parts.append(atom)
    return b"".join(parts)


async def test_garbage_is_answered_as_by_qemu(pair):
    generator = random.Random(20)
    for number in range(1500):
        data = _garbage(generator)
        heard = [await _until_sentinel(client, data, number) for client in pair]
        assert heard[0] == heard[1], data


async def test_garbage_before_the_negotiation(start, bridged, connect):
    await bridged()
    start("alone")
    generator = random.Random(21)
    clients = [await connect(name, negotiate=False) for name in ("bridge", "alone")]
    for number in range(300):
        data = _garbage(generator).replace(b"qmp_capabilities", b"query-x")
        heard = [await _until_sentinel(client, data, number) for client in clients]
        assert heard[0] == heard[1], data


async def test_negotiation_is_answered_as_by_qemu(start, bridged, connect):
    await bridged()
    start("alone")
    clients = [await connect(name, negotiate=False) for name in ("bridge", "alone")]
    assert clients[0].greeting == clients[1].greeting
    for enable in (["bogus"], 5, [5], ["oob", "bogus"], [None], {}, "oob", ["oob"], []):
        arguments = {"enable": enable}
        command = {"execute": "qmp_capabilities", "arguments": arguments, "id": 1}
        answers = [await client.ask(command) for client in clients]
        assert answers[0] == answers[1]
    for command in (
        {"execute": "qmp_capabilities", "arguments": {"x": 1}},
        {"exec-oob": "query-name", "id": "x"},
        {"exec-oob": "migrate-pause", "id": {"a": [1.5]}},
        {"exec-oob": "nothing"},
        {"exec-oob": 5, "id": 1},
        {"exec-oob": "x", "execute": "query-name"},
        {"exec-oob": "query-spice", "arguments": 1},
    ):
        answers = [await client.ask(command) for client in clients]
        assert answers[0] == answers[1], command


def _recorded_commands() -> list[bytes]:
    lines = []
    for name in ("spice-active", "spice-absent"):
        lines += (VECTORS / f"{name}.txt").read_text().splitlines()
    return [
        line[3:].encode()
        for line in lines
        if line.startswith("-> ") and "SCM_RIGHTS" not in line
    ]


async def test_recorded_commands_are_answered_as_by_qemu(start, bridged, connect):
    """All but what SPICE is concerned with: the QEMUs here have none."""
    options = ("-nodefaults", "-vga", "std", "-usb", "-device", "usb-tablet", "-S")
    await bridged(options)
    start("alone", options)
    clients = [await connect(), await connect("alone")]
    forwarded = 0
    for command in _recorded_commands():
        if b"spice" in command:
            continue
        heard = []
        for client in clients:
            await client.send(command + b"\r\n")
            lines = [await client.reply()]
            if command == b"not json":
                lines.append(await client.reply())
            heard.append(lines)
        assert heard[0] == heard[1], command
        forwarded += 1
    assert forwarded > 40


async def test_spice_commands_are_those_of_a_qemu_with_spice(bridged, connect):
    """The answers of spice-active.txt, from a QEMU that was started without SPICE."""
    await bridged()
    client = await connect()
    section = (VECTORS / "spice-active.txt").read_text()
    section = section[section.index("## set_password") : section.index("## client_mig")]
    lines = [line for line in section.splitlines() if not line.startswith("##")]
    for command, answer in zip(lines[::2], lines[1::2], strict=True):
        if "vnc" in command:  # this QEMU has no VNC server either
            continue
        await client.send(command[3:].encode() + b"\n")
        assert (await client.line()).decode() == answer[3:] + "\r\n"


async def _long_id(client: QmpClient, command: bytes, size: int) -> bytes:
    identity = b"x\\n" * (size // 3)
    message = b'{"execute":"%s","id":"%s"}\r\n' % (command, identity)
    _none, line = await asyncio.gather(client.send(message), client.reply())
    assert identity in line
    return line


async def test_long_lines(pair):
    schema = []
    for client in pair:
        await client.send(b'{"execute": "query-qmp-schema"}\n')
        schema.append(await client.reply())
    assert schema[0] == schema[1]
    assert len(schema[0]) > 150_000
    mebibyte = [_long_id(client, b"query-name", 1 << 20) for client in pair]
    heard = await asyncio.gather(*mebibyte)
    assert heard[0] == heard[1]
    await _long_id(pair[0], b"query-spice", 10 << 20)


@pytest.mark.slow  # QEMU 7.2 itself needs half a minute for it
async def test_ten_mebibytes_through_qemu(bridged, connect):
    await bridged()
    client, other = await connect(), await connect()
    long = asyncio.ensure_future(_long_id(client, b"query-name", 10 << 20))
    # Meanwhile others are answered here; by QEMU only when it has read the long one.
    for _ in range(1000):
        assert "return" in await other.ask({"execute": "query-spice"})
    assert await long


async def test_pipelining_keeps_the_order(bridged, connect):
    await bridged()
    commands = ["query-name", "query-spice", "query-status", "nothing", "query-version"]
    clients = [await connect() for _ in range(3)]

    async def run(client: QmpClient) -> None:
        count = 700
        flood = b"".join(
            json.dumps({"execute": commands[number % 5], "id": number}).encode()
            for number in range(count)
        )
        sending = asyncio.ensure_future(client.send(flood))
        for number in range(count):
            assert json.loads(await client.reply())["id"] == number
        await sending

    await asyncio.gather(*map(run, clients))


async def test_fds_are_matched_with_their_commands(bridged, connect, tmp_path):
    bridge = await bridged()
    clients = [await connect() for _ in range(2)]
    files = []
    for number in range(20):
        file = (tmp_path / f"f{number}").open("w+")
        command = {
            "execute": "add-fd",
            "arguments": {"fdset-id": number, "opaque": file.name},
        }
        message = b' {"execute":"query-name"}' + json.dumps(command).encode()
        socket.send_fds(clients[number % 2].socket, [message], [file.fileno()])
        files.append(file)
    for number in range(20):
        client = clients[number % 2]
        assert json.loads(await client.reply())["return"] == {"name": "clients"}
        assert json.loads(await client.reply())["return"]["fdset-id"] == number
    sets = (await clients[0].ask({"execute": "query-fdsets"}))["return"]
    for fdset in sets:
        (entry,) = fdset["fds"]
        target = bridge.qemu.open_file(entry["fd"])
        assert target == entry["opaque"] == files[fdset["fdset-id"]].name
    for file in files:
        file.close()


async def test_getfd_and_what_becomes_of_it(bridged, connect):
    await bridged()
    client = await connect()
    getfd = b'{"execute":"getfd","arguments":{"fdname":"%s"}}\r\n'
    pipe = os.pipe()
    for name, answer in ((b"a", "return"), (b"1abc", "error"), (b"", "return")):
        socket.send_fds(client.socket, [getfd % name], list(pipe))
        assert answer in json.loads(await client.reply())
    await client.send(getfd % b"none")
    desc = json.loads(await client.reply())["error"]["desc"]
    assert desc == "No file descriptor supplied via SCM_RIGHTS"
    closefd = {"execute": "closefd", "arguments": {"fdname": "a"}}
    assert await client.ask(closefd) == {"return": {}}
    desc = (await client.ask(closefd))["error"]["desc"]
    assert desc == "File descriptor named 'a' not found"
    for fd in pipe:
        os.close(fd)


async def test_events_reach_every_monitor_as_qemu_wrote_them(bridged, connect):
    await bridged(("-nodefaults", "-S"))
    clients = [await connect() for _ in range(2)]
    await clients[0].send(b'{"execute":"cont"}{"execute":"stop"}')
    events = [await clients[1].line() for _ in range(2)]
    own = [await clients[0].line() for _ in range(4)]
    assert [json.loads(line)["event"] for line in events] == ["RESUME", "STOP"]
    assert [line for line in own if b"timestamp" in line] == events


async def test_qemu_is_killed(bridged, connect):
    bridge = await bridged()
    clients = [await connect() for _ in range(2)]
    gone = asyncio.get_running_loop().create_future()
    bridge.on_qemu_gone(gone.set_result)
    bridge.qemu.process.send_signal(signal.SIGKILL)
    assert isinstance(await gone, QemuGone)
    for client in clients:
        assert await client.line() == b""


async def test_quit_is_answered(bridged, connect):
    bridge = await bridged()
    gone = asyncio.get_running_loop().create_future()
    bridge.on_qemu_gone(gone.set_result)
    client = await connect()
    await client.send(b'{"execute": "quit", "id": 1}')
    assert await client.reply() == b'{"return": {}, "id": 1}\r\n'
    assert isinstance(await gone, QemuGone)


async def test_pretty_printing_qemu(start, control, tmp_path, connect):
    """``-mon pretty=on``: replies are blocks of lines and pass as they are."""
    behind, alone = tmp_path / "pretty.sock", tmp_path / "pretty2.sock"
    options = [*NO_MACHINE]
    for path in (behind, alone):
        options += ["-qmp-pretty", f"unix:{path},server=on,wait=off"]
    start("unused", options)
    bridge = Bridge(behind, tmp_path / "bridge.sock", control)
    while True:
        try:
            await bridge.start()
            break
        except QemuGone:
            await asyncio.sleep(0.01)
    text = []
    for path in (tmp_path / "bridge.sock", alone):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(path))
            client = QmpClient(sock)
            await client.send(b'{"execute":"qmp_capabilities"}{"execute":"query-name"}')
            await client.send(
                b'nul {"execute":"query-name","id":{"a":[1,[],{}],"b":2}}'
            )
            lines = [await client.line()]
            while lines.count(b"}\r\n") < 5:
                lines.append(await client.line())
            text.append(lines)
    assert text[0] == text[1]
    assert b'    "QMP": {\r\n' in text[0]
    bridge.stop()


async def test_a_client_written_with_qemu_qmp(bridged, control, tmp_path):
    await bridged()
    client = QMPClient("test")
    await client.connect(str(tmp_path / "bridge.sock"))
    arguments = {"protocol": "spice", "password": "x"}
    assert await client.execute("set_password", arguments) == {}
    assert control.password == "x"
    assert len(await client.execute("query-qmp-schema")) > 500
    identity = {"execute": "query-name", "id": "y" * 300_000}
    assert (await client._raw(identity, assign_id=False))["id"] == identity["id"]
    with pytest.raises(ExecuteError, match="has not been found"):
        await client.execute("nothing")
    reader, writer = os.pipe()
    client.send_fd_scm(writer)
    assert await client.execute("getfd", {"fdname": "a"}) == {}
    os.close(reader)
    os.close(writer)
    await client.disconnect()


async def test_hot_plugging_through_our_own_session(bridged, tmp_path):
    bridge = await bridged(("-nodefaults", "-machine", "pc", "-S"))
    monitor = QemuMonitor()
    await monitor.connect(bridge.own_session())
    deleted = asyncio.get_running_loop().create_future()
    monitor.on_event(lambda name, data: deleted.set_result((name, data)))
    with (tmp_path / "memory").open("wb+") as file:
        file.truncate(1 << 20)
        await monitor.give_fd("shared", file.fileno())
        await monitor.execute("closefd", {"fdname": "shared"})
    devices = await monitor.execute("query-pci")
    assert isinstance(devices, list)
    await monitor.execute("device_add", {"driver": "usb-ehci", "id": "usb"})
    await monitor.execute("device_add", {"driver": "usb-tablet", "id": "tablet"})
    await monitor.execute("device_del", {"id": "tablet"})
    name, data = await deleted
    assert name == "DEVICE_DELETED"
    assert data["device"] == "tablet"
    await monitor.close()
