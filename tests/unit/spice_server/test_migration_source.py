"""Clients of a VM that migrated away are told where it went."""

from __future__ import annotations

import asyncio

import pytest

from spice_protocol.messages.main import MainMsg, SpiceMigrationDstInfo
from spice_server import migration
from spice_server.migration import MigrationSource
from vd_interfaces.control import (
    ChannelEvent,
    ChannelEventKind,
    MigrationTarget,
    SpiceEndpoint,
)

pytestmark = pytest.mark.asyncio

TARGET = MigrationTarget("h", 5900)
NOWHERE = SpiceEndpoint("", "", "unix")


class Client:
    def __init__(self) -> None:
        self.sent = []

    def send(self, kind, body):
        self.sent.append((kind, SpiceMigrationDstInfo.unpack(body)))


class World:
    """A main channel and a session table with as many sessions as clients."""

    def __init__(self, clients: int) -> None:
        self.clients = {number: Client() for number in range(clients)}
        self.ended = 0
        self.completed = 0
        self.source = MigrationSource(self, self)
        self.source.on_completed(self._complete)

    def _complete(self):
        self.completed += 1

    def __len__(self):
        return len(self.clients)

    def on_event(self, callback):
        self.callback = callback

    def end_all(self):
        self.ended += 1
        self.clients.clear()

    def leave(self, number):
        del self.clients[number]
        self.tell(ChannelEventKind.DISCONNECTED)

    def tell(self, kind):
        self.callback(ChannelEvent(kind, NOWHERE, NOWHERE, "", None))


@pytest.mark.parametrize("completed", [True, False])
async def test_without_clients_all_is_done(completed):
    world = World(0)
    world.source.set_target(TARGET)
    world.source.start()
    world.source.end(completed=completed)
    assert (world.completed, world.source.migrated) == (1, True)
    world.source.end(completed=True)
    assert world.completed == 1


async def test_without_a_target_nothing_happens():
    world = World(1)
    world.source.end(completed=True)
    assert not world.completed
    assert not world.source.migrated
    assert not world.clients[0].sent


async def test_clients_are_sent_and_awaited():
    world = World(2)
    world.source.set_target(MigrationTarget("host", 70000, None, "CN=x"))
    world.source.end(completed=True)
    for client in world.clients.values():
        ((kind, message),) = client.sent
        assert kind == MainMsg.MIGRATE_SWITCH_HOST
        assert (message.port, message.sport) == (70000 % 65536, 0)
        assert bytes(message.host_data) == b"host\0"
        assert bytes(message.cert_subject_data) == b"CN=x\0"
    world.tell(ChannelEventKind.CONNECTED)
    world.leave(0)
    assert not world.completed
    world.leave(1)
    assert (world.completed, world.source.migrated) == (1, True)
    world.tell(ChannelEventKind.DISCONNECTED)
    assert world.completed == 1


async def test_a_client_that_stays_is_ended(monkeypatch, caplog):
    monkeypatch.setattr(migration, "LEAVE_TIMEOUT", 0)
    world = World(1)
    world.source.set_target(TARGET)
    done = asyncio.Event()
    world.source.on_completed(done.set)
    world.source.end(completed=True)
    await done.wait()
    assert world.ended == 1
    assert "1 clients did not leave in time" in caplog.text
    assert world.source.migrated


async def test_a_failure_leaves_clients_alone():
    world = World(1)
    world.source.set_target(TARGET)
    world.source.end(completed=False)
    assert not world.clients[0].sent
    assert not world.completed
