"""The connection to QEMU: greeting, events, its end."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio

from qmp_bridge.errors import QemuError, QemuGone, QemuProtocolError
from qmp_bridge.qemu_link import QemuLink, connect_unix
from tests.fakes.qmp_server import FakeQmpServer

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def qemu():
    server = FakeQmpServer()
    yield server
    server.close()


@pytest_asyncio.fixture
async def link(qemu):
    link = QemuLink(qemu.client)
    yield link
    link.close()


async def _lost(link) -> QemuError:
    future = asyncio.get_running_loop().create_future()
    link.on_closed(future.set_result)
    return await future


async def test_commands_and_events(qemu, link):
    qemu.serve(asyncio.get_running_loop())
    assert (await link.greeting()).version == (7, 2, 22)
    assert (await link.greeting()).version == (7, 2, 22)
    events: list[bytes] = []
    link.on_event(events.append)
    reply = asyncio.get_running_loop().create_future()
    link.pipe().submit(b'{"execute": "query-name"}', reply.set_result)
    qemu.send({"timestamp": {}, "event": "STOP"})
    assert await reply == b'{"return": {}}\r\n'
    assert events == [b'{"timestamp": {}, "event": "STOP"}\r\n']
    assert qemu.commands[-1] == {"execute": "query-name"}


async def test_qemu_goes_away(qemu, link):
    qemu.serve(asyncio.get_running_loop())
    await link.greeting()
    waiting = asyncio.ensure_future(_lost(link))
    await asyncio.sleep(0)
    qemu.close()
    assert isinstance(await waiting, QemuGone)
    assert link.closed
    link.pipe().submit(b"{}", pytest.fail)


async def test_qemu_goes_away_before_it_greets(qemu, link):
    qemu.close()
    with pytest.raises(QemuGone):
        await link.greeting()


async def test_no_qmp(qemu, link):
    qemu.greeting = b"220 smtp\r\n"
    qemu.serve(asyncio.get_running_loop())
    with pytest.raises(QemuProtocolError):
        await link.greeting()
    assert link.closed


async def test_nonsense_later(qemu, link):
    qemu.serve(asyncio.get_running_loop())
    await link.greeting()
    link.session.submit_oob({"exec-oob": "x"}, pytest.fail)
    waiting = asyncio.ensure_future(_lost(link))
    await asyncio.sleep(0)
    marker = link.session._oob_prefix.encode()
    qemu.send(b"{ not json " + marker)
    assert isinstance(await waiting, QemuError)


async def test_closing_cancels_who_waits(qemu, link):
    waiting = asyncio.ensure_future(link.greeting())
    await asyncio.sleep(0)
    link.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_nobody_listens(tmp_path):
    with pytest.raises(QemuGone, match="cannot reach"):
        await connect_unix(tmp_path / "none")
