"""SPICE's commands through the bridge, compared with a QEMU that has SPICE itself.

Two QEMUs of a version run: one with libspice-server, one without SPICE behind the bridge.
Whatever is said to both must be answered by the same line.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from qmp_bridge.proxy import Bridge
from spice_server.config import ServerConfig
from spice_server.inputs.no_input import NoInput
from spice_server.server import Server
from tests.fakes.qmp_client import QmpClient
from tests.fakes.qmp_transcript import COMPILED, normalized
from tests.fakes.spice_control import FakeSpiceControl
from tests.peers import stock_qemu
from tests.peers.newer_qemu import newer_qemu
from tests.peers.plain_qemu import (
    NO_MACHINE,
    PlainQemu,
    Program,
    missing,
    without_spice,
)
from tests.peers.programs import free_port

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.interop,
    pytest.mark.skipif(bool(missing()), reason=missing()),
]


def plain(version: str, folder: Path) -> Program:
    return (
        without_spice(folder)
        if version == "7.2"
        else Program([str(newer_qemu("plain"))])
    )


def stock(version: str) -> Program:
    return Program() if version == "7.2" else Program([str(newer_qemu())])


def built_without(version: str) -> Program:
    own = "qemu-system-x86_64-microvm"
    program = str(newer_qemu("microvm")) if version == "11.1" else own
    return Program([program], accelerator="qtest")


@pytest_asyncio.fixture(params=["7.2", "11.1"])
async def version(request):
    return request.param


def _start(folder: Path, options, program: Program) -> PlainQemu:
    folder.mkdir(exist_ok=True)
    return PlainQemu(folder / "qemu", options, program)


@contextlib.asynccontextmanager
async def bridged(program: Program, folder: Path, control, version, options=NO_MACHINE):
    """Run the bridge before a QEMU; gives a monitor client of it."""
    qemu = _start(folder, options, program)
    compiled = COMPILED[version]
    bridge = Bridge(
        folder / "qemu", folder / "bridge", control, compiled_version=compiled
    )
    try:
        await bridge.start()
        client = await QmpClient.connect(folder / "bridge")
        yield client
        client.close()
    finally:
        bridge.stop()
        await asyncio.to_thread(qemu.close)


@contextlib.asynccontextmanager
async def direct(program: Program, folder: Path, options=NO_MACHINE):
    qemu = _start(folder, options, program)
    try:
        client = await QmpClient.connect(folder / "qemu")
        yield client
        client.close()
    finally:
        await asyncio.to_thread(qemu.close)


@pytest_asyncio.fixture
async def pair(version, tmp_path):
    """A client of the bridge and one of a QEMU with SPICE, configured alike."""
    if version == "7.2" and (reason := stock_qemu.missing()):
        pytest.skip(reason)
    config = ServerConfig(addr="127.0.0.1", port=0)
    server = Server(config, NoInput())
    await server.start()
    where = f"addr=127.0.0.1,port={free_port()},password-secret=p"
    spice = (*NO_MACHINE, "-object", "secret,id=p,data=x", "-spice", where)
    async with (
        direct(stock(version), tmp_path / "stock", spice) as other,
        bridged(
            plain(version, tmp_path), tmp_path / "b", server.control, version
        ) as ours,
    ):
        yield ours, other
    await server.stop()


NOBODY = r"warning: Spice: main:0 (0x0): no peer connected\r\n"


async def both(pair, command: object) -> list[str]:
    answers = []
    for client in pair:
        await client.send(json.dumps(command).encode() + b"\n")
        answer = normalized((await client.reply()).decode())
        # libspice-server says it where there is a display, and there is none here.
        answers.append(answer.replace(NOBODY, ""))
    return answers


VALUES = [
    "spice", "vnc", "bogus", "", "x", "a" * 60, "a" * 61, "é", "now", "never", "+60", "5",
    "keep", "fail", "disconnect", 0, 1, -1, 5900, 65536, 2**31, 2**63 - 1, 2**63, 2**64,
    1.0, 1.5, True, False, None, [], {}, ["spice"], {"a": 1}, "127.0.0.1", "CN=x", "ppm",
]  # fmt: skip
MEMBERS = {
    "set_password": ("protocol", "password", "connected"),
    "expire_password": ("protocol", "time"),
    "client_migrate_info": ("protocol", "hostname", "port", "tls-port", "cert-subject"),
    "add_client": ("protocol", "fdname", "skipauth", "tls"),
    "query-spice": (),
}
LIKELY = {
    "protocol": "spice",
    "hostname": "127.0.0.1",
    "port": 1,
    "password": "x",
    "time": "never",
}


def _arguments(generator: random.Random, names: tuple[str, ...]) -> dict:
    arguments = {}
    for name in names:
        chance = generator.random()
        if chance < 0.6:
            arguments[name] = LIKELY.get(name, generator.choice(VALUES))
        elif chance < 0.8:
            arguments[name] = generator.choice(VALUES)
    if generator.random() < 0.1:
        arguments[generator.choice(["x", "display", "port", "Protocol"])] = 1
    return arguments


async def test_arguments_are_refused_in_the_same_words(pair):
    generator = random.Random(5)
    for number in range(1500):
        name = generator.choice(list(MEMBERS))
        command = {
            "execute": name,
            "arguments": _arguments(generator, MEMBERS[name]),
            "id": number,
        }
        ours, theirs = await both(pair, command)
        assert ours == theirs, command


HMP_WORDS = [
    "spice", "vnc", "bogus", "x", '"x y"', '"a', '"a\\n"', '"\\q"', '""', "-d", "-d x",
    "-x", "-", "keep", "fail", "disconnect", "now", "never", "+60", "5", "abc", "0x10",
    "010", "08", "1234", "-1", "4294967295", "4294967296", "99999999999999999999", "1x", "(1+2)", "~0", "2*3", "7/0", "7%4", "(1", "'a'", "&3", "|4", "^5", "-3", "+",
    "127.0.0.1", "CN=x", "info", "help", "?", "/", "a/b", "é",
]  # fmt: skip
HMP_COMMANDS = [
    "info spice", "info  spice", "set_password", "expire_password",
    "client_migrate_info", "set_password spice x", "expire_password spice",
    "client_migrate_info spice h 1", "help info", "help", "info", "help info spice",
    "? set_password", "help client_migrate_info", "set_passwor", "info spice2",
]  # fmt: skip
BLANKS = [" ", " ", " ", "  ", "\t", "\n"]


async def test_human_commands_are_answered_in_the_same_words(pair):
    generator = random.Random(6)
    for _ in range(1500):
        parts = [generator.choice(HMP_COMMANDS)]
        parts += generator.choices(HMP_WORDS, k=generator.randint(0, 4))
        line = "".join(part + generator.choice(BLANKS) for part in parts)
        if generator.random() < 0.8:
            line = line.rstrip()
        command = {
            "execute": "human-monitor-command",
            "arguments": {"command-line": line},
        }
        ours, theirs = await both(pair, command)
        assert ours == theirs, line


async def _ask_all(client: QmpClient, commands: list[dict]) -> list[bytes]:
    lines = []
    for command in commands:
        await client.send(json.dumps(command).encode() + b"\n")
        lines.append(await client.reply())
    return lines


LISTS = [
    {"execute": "query-commands", "id": 1},
    {"execute": "query-qmp-schema"},
    *(
        {"execute": "human-monitor-command", "arguments": {"command-line": line}}
        for line in ("help", "help info", "info", "help info spice", "info spice x")
    ),
    {"execute": "query-commands", "arguments": {"x": 1}},
    {"execute": "query-events"},
]


async def test_what_qemu_lists_itself_passes_as_its_bytes(version, tmp_path):
    control = FakeSpiceControl()
    async with (
        direct(plain(version, tmp_path), tmp_path / "alone") as alone,
        bridged(Program(plain_again(version, tmp_path)), tmp_path / "b", control, version)
        as ours,
    ):  # fmt: skip
        assert await _ask_all(ours, LISTS) == await _ask_all(alone, LISTS)


def plain_again(version: str, folder: Path) -> list[str]:
    return ["qemu-system-x86_64"] if version == "7.2" else [str(newer_qemu("plain"))]


def _resolve(schema: dict, name: str, depth: int = 0) -> object:
    """Describe a type by what it is made of: numbers differ from QEMU to QEMU."""
    entry = dict(schema[name])
    assert depth < 10
    for member in ("arg-type", "ret-type", "element-type"):
        if member in entry:
            entry[member] = _resolve(schema, entry[member], depth + 1)
    if entry["meta-type"] == "object":
        entry["members"] = [
            {**member, "type": _resolve(schema, member["type"], depth + 1)}
            for member in entry["members"]
        ]
    if entry["meta-type"] not in {"command", "event", "builtin"}:
        del entry["name"]
    return entry


async def test_what_a_qemu_built_without_spice_does_not_list_is_added(
    version, tmp_path
):
    control = FakeSpiceControl()
    async with (
        direct(built_without(version), tmp_path / "bare") as bare,
        direct(stock(version), tmp_path / "alone") as alone,
        bridged(built_without(version), tmp_path / "b", control, version) as ours,
    ):
        answers = [await _ask_all(client, LISTS) for client in (ours, alone, bare)]
    added, full, without = ([json.loads(line) for line in lines] for lines in answers)
    commands, schema, help_, *info = added
    assert commands["id"] == 1
    names = [entry["name"] for entry in commands["return"]]
    assert names.count("query-spice") == 1
    assert [name for name in names if name != "query-spice"] == [
        entry["name"] for entry in without[0]["return"]
    ]
    entries = schema["return"]
    assert entries[: len(without[1]["return"])] == without[1]["return"]
    types = {entry["name"]: entry for entry in entries}
    assert len(types) == len(entries)
    judge = {entry["name"]: entry for entry in full[1]["return"]}
    events = ("CONNECTED", "INITIALIZED", "DISCONNECTED", "MIGRATE_COMPLETED")
    for name in ("query-spice", *(f"SPICE_{event}" for event in events)):
        assert _resolve(types, name) == _resolve(judge, name)
    assert help_ == without[2]
    line = "info spice  -- show the spice server status\r\n"
    for number in (0, 1):
        text, before = info[number]["return"], without[3 + number]["return"]
        assert text.count(line) == 1
        assert text.replace(line, "") == before
        # In its place among QEMU's own.
        theirs = full[3 + number]["return"].splitlines()
        listed = text.splitlines()
        assert (
            listed[listed.index(line.rstrip()) - 1]
            == (theirs[theirs.index(line.rstrip()) - 1])
        )
    assert info[2:4] == full[5:7]
    assert info[4:] == without[7:]
