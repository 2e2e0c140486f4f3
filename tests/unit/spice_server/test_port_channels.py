"""Port, webdav and usbredir channels: bytes, events, one holder, bounds both ways."""

from __future__ import annotations

import asyncio
import struct

import pytest
import pytest_asyncio

from spice_common import lz4_block
from spice_server.port.channel import DATA_LIMIT
from spice_server.port.data import MAX_DATA
from spice_server.port.port_channel import PortChannel, WebdavChannel
from spice_server.port.usbredir import UsbredirChannel
from tests.fakes.raw_client import RawClient
from tests.fakes.scripted_port import ScriptedPort
from tests.fakes.spice_channels import running_server

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("close_clients")]

USBREDIR, PORT, WEBDAV = 9, 10, 11
DATA, COMPRESSED, INIT, EVENT, MSGC_EVENT = 101, 102, 201, 202, 201
CAN_LZ4 = (1,)


class Bench:
    """A server with one channel of each kind, and a client's session."""

    def __init__(self, server, ports):
        self.server = server
        self.ports = ports
        self.where = server.control.port

    async def session(self) -> int:
        main = await RawClient.tcp(self.where)
        assert await main.link(1, password="sekret") == 0
        return struct.unpack_from("<I", (await main.receive())[1])[0]

    async def open(self, kind, session, channel=(), channel_id=0):
        client = await RawClient.tcp(self.where)
        result = await client.link(
            kind, channel_id, session, password="sekret", channel=channel
        )
        assert result == 0
        return client

    async def usb(self, channel=()):
        session = await self.session()
        client = await self.open(USBREDIR, session, channel)
        await self.ports[USBREDIR].attached()
        return client


@pytest_asyncio.fixture
async def bench():
    ports = {
        USBREDIR: ScriptedPort("qxld-usb0", opened=True),
        PORT: ScriptedPort("org.test.port.0", opened=True),
        WEBDAV: ScriptedPort("org.spice-space.webdav.0"),
    }
    channels = (
        UsbredirChannel(ports[USBREDIR]),
        PortChannel(ports[PORT]),
        WebdavChannel(ports[WEBDAV]),
    )
    async with running_server(*channels, multi_client=True) as server:
        yield Bench(server, ports)


class TestPort:
    @pytest.mark.parametrize(
        ("kind", "init"),
        [
            # As QEMU 7.2 with libspice-server 0.15 sent them (capture gi-full).
            (PORT, b"\x10\0\0\0\x09\0\0\0\x01org.test.port.0\0"),
            (WEBDAV, b"\x19\0\0\0\x09\0\0\0\x00org.spice-space.webdav.0\0"),
        ],
    )
    async def test_begins_with_its_name(self, bench, kind, init):
        client = await bench.open(kind, await bench.session())
        assert await client.receive() == (INIT, init)

    async def test_tells_what_the_guest_does(self, bench):
        port = bench.ports[WEBDAV]
        client = await bench.open(WEBDAV, await bench.session())
        await client.receive()
        port.open()
        assert await client.receive() == (EVENT, b"\0")
        port.guest_writes(b"data")
        assert await client.receive() == (DATA, b"data")
        port.close()
        assert await client.receive() == (EVENT, b"\x01")

    async def test_passes_data_and_breaks(self, bench):
        port = bench.ports[PORT]
        client = await bench.open(PORT, await bench.session())
        client.send(DATA, b"ping")
        client.send(MSGC_EVENT, b"\x02")
        client.send(MSGC_EVENT, b"\x00")
        client.send(MSGC_EVENT, b"\x07")
        client.send(DATA, b"pong")
        await port.taken(b"ping<break>pong")

    async def test_ends_clients_that_send_no_event(self, bench):
        client = await bench.open(PORT, await bench.session())
        client.send(MSGC_EVENT, b"")
        await client.rest()


class TestHolders:
    async def test_the_second_is_refused_and_the_first_goes_on(self, bench):
        session, other = await bench.session(), await bench.session()
        first = await bench.open(PORT, session)
        await first.receive()
        second = await bench.open(PORT, other)
        await second.rest()
        first.send(DATA, b"still here")
        await bench.ports[PORT].taken(b"still here")
        first.close()
        await bench.ports[PORT].attached(None)
        third = await bench.open(PORT, other)
        assert (await third.receive())[0] == INIT

    async def test_are_not_offered_what_others_hold(self, bench):
        session = await bench.session()
        held = await bench.open(PORT, session)
        await held.receive()
        main = await RawClient.tcp(bench.where)
        await main.link(1, password="sekret")
        main.send(104)
        listed = await main.expect(104)
        kinds = {listed[4 + 2 * i] for i in range(struct.unpack_from("<I", listed)[0])}
        assert kinds == {3, USBREDIR, WEBDAV}


class TestCompression:
    async def test_for_clients_that_can(self, bench):
        client = await bench.usb(CAN_LZ4)
        port = bench.ports[USBREDIR]
        port.guest_writes(b"a" * 1000)
        assert await client.receive() == (DATA, b"a" * 1000)
        port.guest_writes(b"a" * 1001)
        kind, body = await client.receive()
        assert kind == COMPRESSED
        assert body[:5] == struct.pack("<BI", 1, 1001)
        assert lz4_block.unpack(body[5:], 1001) == b"a" * 1001
        noise = bytes(i * i * 7919 >> 5 & 255 for i in range(1200))
        port.guest_writes(noise)
        assert await client.receive() == (DATA, noise)

    async def test_not_for_others(self, bench):
        client = await bench.usb()
        bench.ports[USBREDIR].guest_writes(b"a" * 5000)
        assert await client.receive() == (DATA, b"a" * 5000)

    async def test_of_the_client_is_undone(self, bench):
        client = await bench.usb(CAN_LZ4)
        block = lz4_block.pack(b"b" * 70_000, 70_000)
        client.send(COMPRESSED, struct.pack("<BI", 1, 70_000) + block)
        await bench.ports[USBREDIR].taken(b"b" * 70_000)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"\x01\x10\0\0",
            struct.pack("<BI", 0, 4) + b"data",
            struct.pack("<BI", 2, 4) + b"data",
            struct.pack("<BI", 1, 4) + b"\xff\xff\xff\xff",
            struct.pack("<BI", 1, MAX_DATA + 1) + b"\0",
            struct.pack("<BI", 1, 0xFFFFFFFF),
            struct.pack("<BI", 1, 69_999) + lz4_block.pack(b"b" * 70_000, 70_000),
            struct.pack("<BI", 1, 70_001) + lz4_block.pack(b"b" * 70_000, 70_000),
        ],
    )
    async def test_that_is_wrong_ends_the_client(self, bench, body):
        client = await bench.usb(CAN_LZ4)
        client.send(COMPRESSED, body)
        await client.rest()
        await bench.ports[USBREDIR].attached(None)
        assert bench.ports[USBREDIR].written == b""


class TestBounds:
    async def test_a_client_that_does_not_read_stops_the_guest(self, bench):
        client = await bench.usb()
        client.writer.transport.pause_reading()
        port = bench.ports[USBREDIR]
        sent = b""
        while not port.paused:
            sent += b"g" * 30_000
            port.guest_writes(b"g" * 30_000)
            await asyncio.sleep(0)
        (held,) = bench.server._channels[USBREDIR, 0].clients.values()
        assert held.pipe.cost < DATA_LIMIT + 40_000
        assert len(sent) < 16_000_000
        client.writer.transport.resume_reading()
        got = b""
        while len(got) < len(sent):
            got += (await client.receive())[1]
        assert got == sent
        await port.resumed()

    async def test_a_guest_that_does_not_read_stops_the_client(self, bench):
        client = await bench.usb()
        port = bench.ports[USBREDIR]
        port.full = True
        client.send(DATA, b"first")
        await port.taken(b"first")
        (held,) = bench.server._channels[USBREDIR, 0].clients.values()
        for _ in range(100):
            client.send(DATA, b"c" * 100_000)
        for _ in range(100):
            await asyncio.sleep(0)
        # No more than was read in the same turn.
        assert len(port.written) < 200_000
        assert not held.closed
        port.full = False
        held.port_writable()
        await port.taken(b"first" + b"c" * 10_000_000)

    async def test_bombs_for_a_guest_that_does_not_read(self, bench):
        client = await bench.usb(CAN_LZ4)
        port = bench.ports[USBREDIR]
        port.full = True
        block = struct.pack("<BI", 1, MAX_DATA)
        block += lz4_block.pack(bytes(MAX_DATA), MAX_DATA)
        for _ in range(100):  # 400 MiB
            client.send(COMPRESSED, block)
        for _ in range(100):
            await asyncio.sleep(0)
        # What fits into one turn's reading: 64 KiB, packed 255 to 1 at best.
        assert MAX_DATA <= len(port.written) <= 5 * MAX_DATA

    async def test_messages_that_are_too_long(self, bench):
        client = await bench.usb()
        client.writer.write(struct.pack("<HI", DATA, MAX_DATA + 100))
        await client.rest()


class TestUsbredir:
    async def test_waits_for_qemu(self, bench):
        port = bench.ports[USBREDIR]
        port.opened = False
        client = await bench.usb()
        port.open()
        port.guest_writes(b"hello")
        assert await client.receive() == (DATA, b"hello")

    async def test_ends_with_qemus_port(self, bench):
        client = await bench.usb()
        bench.ports[USBREDIR].close()
        await client.rest()
