"""SPICE_MIGRATE_COMPLETED: management that gave clients a target waits for it.

A QEMU migrates into nothing.  What a QEMU with SPICE says is the measure; in front of one
without, the bridge has to find out for itself how the migration goes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from qmp_bridge.proxy import Bridge
from spice_server.config import ServerConfig
from spice_server.inputs.no_input import NoInput
from spice_server.server import Server
from tests.fakes.qmp_client import QmpClient
from tests.fakes.spice_channels import SilentCursor, SilentDisplay
from tests.peers import gtk_client, stock_qemu
from tests.peers.gtk_client import GtkClient
from tests.peers.newer_qemu import newer_qemu
from tests.peers.plain_qemu import PlainQemu, Program, missing, without_spice
from tests.peers.programs import free_port

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.interop,
    pytest.mark.skipif(bool(missing()), reason=missing()),
]

MACHINE = ("-machine", "pc", "-m", "16", "-nodefaults", "-vga", "std")
COMPLETED = "SPICE_MIGRATE_COMPLETED"
TARGET = {"protocol": "spice", "hostname": "127.0.0.1", "port": 1}
WAYS = ["qmp", "qmp, with events", "hmp"]


class Monitor:
    """A monitor client that keeps events."""

    def __init__(self, client: QmpClient) -> None:
        self.client = client
        self.events: list[str] = []

    async def ask(self, command: str, **arguments: object):
        message = {"execute": command, "arguments": arguments}
        await self.client.send(json.dumps(message).encode() + b"\n")
        while "event" in (message := json.loads(await self.client.line())):
            self.events.append(message["event"])
        return message

    async def until(self, event: str) -> None:
        while event not in self.events:
            message = json.loads(await self.client.line())
            self.events.append(message["event"])

    async def migrate(self, way: str, uri: str = "exec:cat >/dev/null") -> None:
        if way == "hmp":
            line = f'migrate -d "{uri}"'
            assert await self.ask(
                "human-monitor-command", **{"command-line": line}
            ) == {"return": ""}
            return
        if "events" in way:
            capabilities = [{"capability": "events", "state": True}]
            await self.ask("migrate-set-capabilities", capabilities=capabilities)
        await self.ask("migrate", uri=uri)

    async def ended(self) -> str:
        """Wait for the end of the migration."""
        while True:
            status = (await self.ask("query-migrate"))["return"].get("status")
            if status in {"completed", "failed", "cancelled"}:
                return status


@pytest_asyncio.fixture(params=["7.2", "11.1"])
async def version(request):
    return request.param


@contextlib.asynccontextmanager
async def running(program: Program, path: Path, *options: str):
    qemu = PlainQemu(path, (*MACHINE, *options), program)
    try:
        yield
    finally:
        await asyncio.to_thread(qemu.close)


@contextlib.asynccontextmanager
async def server_of(folder: Path):
    server = Server(ServerConfig(addr="127.0.0.1", port=0, ticketing=False), NoInput())
    for channel in (SilentDisplay(), SilentCursor()):
        server.add_channel(channel)
    await server.start()
    yield server
    await server.stop()


@contextlib.asynccontextmanager
async def ours(version: str, folder: Path):
    """The bridge and a SPICE server before a QEMU without SPICE; gives both."""
    program = (
        without_spice(folder)
        if version == "7.2"
        else Program([str(newer_qemu("plain"))])
    )
    async with running(program, folder / "qemu"), server_of(folder) as server:
        bridge = Bridge(folder / "qemu", folder / "bridge", server.control)
        await bridge.start()
        client = await QmpClient.connect(folder / "bridge")
        yield Monitor(client), server
        client.close()
        bridge.stop()


@contextlib.asynccontextmanager
async def stock(version: str, folder: Path):
    if version == "7.2" and (reason := stock_qemu.missing()):
        pytest.skip(reason)
    program = Program() if version == "7.2" else Program([str(newer_qemu())])
    spice = f"addr=127.0.0.1,port={free_port()},disable-ticketing=on"
    async with running(program, folder / "qemu", "-spice", spice):
        client = await QmpClient.connect(folder / "qemu")
        yield Monitor(client), None
        client.close()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("whose", [ours, stock])
async def test_without_clients(version, tmp_path, whose, way):
    async with whose(version, tmp_path) as (monitor, _server):
        assert await monitor.ask("client_migrate_info", **TARGET) == {"return": {}}
        await monitor.migrate(way)
        await monitor.until(COMPLETED)
        assert await monitor.ended() == "completed"
        told = (await monitor.ask("query-spice"))["return"]
        assert told["migrated"]
        assert monitor.events.count(COMPLETED) == 1


@pytest.mark.parametrize("whose", [ours, stock])
async def test_nobody_waits_without_a_target(version, tmp_path, whose):
    async with whose(version, tmp_path) as (monitor, _server):
        await monitor.migrate("qmp, with events")
        assert await monitor.ended() == "completed"
        assert not (await monitor.ask("query-spice"))["return"]["migrated"]
        assert COMPLETED not in monitor.events


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("whose", [ours, stock])
async def test_a_migration_that_fails(version, tmp_path, whose, way):
    async with whose(version, tmp_path) as (monitor, _server):
        await monitor.ask("client_migrate_info", **TARGET)
        await monitor.migrate(way, "exec:false")
        assert await monitor.ended() == "failed"
        # Without clients libspice-server has nothing left to do, and says so.
        await monitor.until(COMPLETED)
        # The next one needs a new target.
        await monitor.migrate(way)
        assert await monitor.ended() == "completed"
        await monitor.ask("query-name")
        assert monitor.events.count(COMPLETED) == 1


@pytest.mark.skipif(gtk_client.missing() is not None, reason=str(gtk_client.missing()))
@pytest.mark.parametrize("way", WAYS)
async def test_a_client_is_sent_to_the_target(version, tmp_path, way):
    arrived = asyncio.Semaphore(0)
    (tmp_path / "target").mkdir()
    async with (
        ours(version, tmp_path) as (monitor, server),
        server_of(tmp_path / "target") as target,
    ):
        target.control.on_channel_event(
            lambda event: event.channel is not None and arrived.release()
        )
        options = {"host": "127.0.0.1", "port": str(server.control.port)}
        client = await asyncio.to_thread(GtkClient, **options)
        while monitor.events.count("SPICE_INITIALIZED") < 4:
            monitor.events.append(json.loads(await monitor.client.line())["event"])
        where = TARGET | {"port": target.control.port}
        assert await monitor.ask("client_migrate_info", **where) == {"return": {}}
        await monitor.migrate(way)
        await monitor.until(COMPLETED)
        assert await monitor.ended() == "completed"
        while monitor.events.count("SPICE_DISCONNECTED") < 4:
            monitor.events.append(json.loads(await monitor.client.line())["event"])
        told = (await monitor.ask("query-spice"))["return"]
        assert (told["migrated"], told["channels"]) == (True, [])
        for _channel in range(4):
            await arrived.acquire()
        await asyncio.to_thread(client.close)


@pytest.mark.skipif(gtk_client.missing() is not None, reason=str(gtk_client.missing()))
async def test_a_client_stays_if_the_migration_fails(version, tmp_path):
    async with ours(version, tmp_path) as (monitor, server):
        options = {"host": "127.0.0.1", "port": str(server.control.port)}
        client = await asyncio.to_thread(GtkClient, **options)
        while monitor.events.count("SPICE_INITIALIZED") < 4:
            monitor.events.append(json.loads(await monitor.client.line())["event"])
        await monitor.ask("client_migrate_info", **TARGET)
        await monitor.migrate("qmp, with events", "exec:false")
        assert await monitor.ended() == "failed"
        assert len((await monitor.ask("query-spice"))["return"]["channels"]) == 4
        assert COMPLETED not in monitor.events
        await asyncio.to_thread(client.close)
