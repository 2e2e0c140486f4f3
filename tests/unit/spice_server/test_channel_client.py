from __future__ import annotations

import asyncio
import logging
import socket
import struct

import pytest
import pytest_asyncio

from spice_server.channel.channel_client import MAX_PINGS, ChannelClient
from spice_server.channel.connection import Connection
from spice_server.channel.link_info import LinkInfo
from spice_server.channel.pipe import Message
from spice_server.errors import ClientError
from tests.fakes.raw_client import RawClient
from vd_interfaces.control import SpiceEndpoint

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("close_clients")]

HERE = SpiceEndpoint("127.0.0.1", "1", "ipv4")
SET_ACK, PING = 3, 4
ACK_SYNC, ACK, PONG, DISCONNECTING = 1, 2, 3, 6
ECHO, REFUSE, BUG = 101, 102, 103


class EchoClient(ChannelClient):
    """Sends back what it is sent."""

    def __init__(self, connection, link):
        super().__init__(connection, link)
        self.pongs = []
        self.cleaned = 0

    def handlers(self):
        return super().handlers() | {
            ECHO: lambda body: self.send(ECHO, bytes(body)),
            REFUSE: self.refuse,
            BUG: lambda body: body[1000],
        }

    def refuse(self, body):
        raise ClientError("not today")

    def pong(self, ping_id, round_trip):
        self.pongs.append((ping_id, round_trip))

    def cleanup(self):
        self.cleaned += 1


class Windowed(EchoClient):
    ack_window = 5


class Bench:
    """A client of ours and its peer."""

    def __init__(self, kind, *, mini=True):
        ours, self.theirs = socket.socketpair()
        link = LinkInfo(0xABC, 2, 0, (), (), mini, tls=False)
        self.client = kind(Connection(ours, HERE, HERE), link)
        self.closed = asyncio.get_running_loop().create_future()

    async def start(self):
        self.peer = RawClient(
            *await asyncio.open_unix_connection(sock=self.theirs, limit=1 << 22)
        )
        self.peer.mini = self.client.link.mini_header
        self.client.start(asyncio.get_running_loop(), self.closed.set_result)
        return self


@pytest_asyncio.fixture
async def bench():
    benches = []

    async def make(kind=EchoClient, **options):
        benches.append(await Bench(kind, **options).start())
        return benches[-1]

    yield make
    for one in benches:
        one.client.close()
        one.peer.close()
        await one.closed


@pytest.mark.parametrize("mini", [True, False])
async def test_messages_find_their_handler(bench, mini):
    one = await bench(mini=mini)
    one.peer.send(ECHO, b"hello")
    one.peer.send(ECHO)
    assert await one.peer.receive() == (ECHO, b"hello")
    assert await one.peer.receive() == (ECHO, b"")


@pytest.mark.parametrize(("mini", "header"), [(True, 6), (False, 18)])
async def test_what_is_sent_is_counted(bench, mini, header):
    one = await bench(mini=mini)
    one.peer.send(ECHO, b"hello")
    one.peer.send(ECHO)
    await one.peer.receive()
    await one.peer.receive()
    assert one.client.sent_messages == 2
    assert one.client.sent_bytes == 2 * header + len(b"hello")


@pytest.mark.parametrize(
    ("kind", "body", "line"),
    [
        (9999, b"abcd", "DISPLAY.unknown(9999): not allowed on this channel"),
        (REFUSE, b"", "DISPLAY.STREAM_REPORT(102): not today"),
        (ACK_SYNC, b"\1", "DISPLAY.ACK_SYNC(1): SpiceMsgcAckSync needs 4 bytes"),
        (4, b"", "DISPLAY.MIGRATE_FLUSH_MARK(4): not allowed"),
        (ECHO, bytes(1025), "announces 1025 bytes, at most 1024"),
    ],
)
async def test_a_bad_message_ends_this_client(bench, caplog, kind, body, line):
    one = await bench()
    one.peer.send(kind, body)
    one.peer.send(ECHO, b"not handled any more")
    assert await one.peer.rest() == b""
    assert await one.closed is one.client
    assert line in caplog.text
    assert "client 0xabc DISPLAY:0: closed:" in caplog.text
    assert one.client.cleaned == 1


async def test_a_mistake_of_ours_ends_only_this_client(bench, caplog):
    one, other = await bench(), await bench()
    one.peer.send(BUG, b"x")
    assert await one.peer.rest() == b""
    assert "IndexError" in caplog.text
    other.peer.send(ECHO, b"alive")
    assert await other.peer.receive() == (ECHO, b"alive")


async def test_records_carry_ids_for_machines(bench, caplog):
    caplog.set_level(logging.DEBUG)
    one = await bench()
    one.peer.send(DISCONNECTING, bytes(12))
    await one.closed
    record = next(r for r in caplog.records if "is leaving" in r.message)
    assert (record.client, record.channel) == ("0xabc", "DISPLAY:0")


async def test_the_peers_end_cleans_up_once(bench):
    one = await bench()
    one.peer.close()
    await one.closed
    one.client.close()
    one.client.push(Message(1, b"too late"))
    assert one.client.cleaned == 1
    assert one.client.pipe.cost == 0


# -- windows -------------------------------------------------------------------


async def test_set_ack_comes_first_and_two_windows_follow(bench):
    one = await bench(Windowed)
    for number in range(30):
        one.client.send(ECHO, struct.pack("<I", number))
    assert await one.peer.receive() == (SET_ACK, struct.pack("<II", 1, 5))
    got = [await one.peer.receive() for _ in range(9)]
    assert got == [(ECHO, struct.pack("<I", n)) for n in range(9)]
    one.peer.send(ACK, b"")  # does not count before ACK_SYNC
    one.peer.send(ACK_SYNC, struct.pack("<I", 1))
    one.peer.send(ECHO, b"")
    one.peer.send(ACK, b"")
    assert (await one.peer.receive())[1] == struct.pack("<I", 9)
    assert len(one.client.pipe) >= 16


async def test_who_never_acknowledges_is_owed_a_bounded_amount(bench):
    one = await bench(Windowed)
    one.client.pipe_limit = 100_000
    for _ in range(100):
        one.client.send(ECHO, bytes(10_000))
    await one.closed
    got = await one.peer.rest()
    assert len(got) <= 10 * 10_006


# -- slow clients --------------------------------------------------------------


async def test_a_client_that_does_not_read_is_ended_at_the_pipes_limit(bench, caplog):
    one = await bench()
    sent = 0
    while not one.client.closed:
        one.client.send(ECHO, bytes(100_000))
        one.client.pump()
        sent += 100_000
        waiting = one.client.connection.pending + one.client.pipe.cost
        assert waiting < one.client.pipe_limit + 1_000_000
        assert sent < 1 << 26
    await one.closed
    assert "bytes wait for it" in caplog.text


async def test_answers_nobody_reads_are_bounded_too(bench):
    one = await bench()
    try:
        while True:
            one.peer.send(ECHO, bytes(1000))
            await one.peer.writer.drain()
            waiting = one.client.connection.pending + one.client.pipe.cost
            assert waiting < one.client.pipe_limit + 1_000_000
    except ConnectionError:
        pass
    await one.closed


async def test_a_subclass_may_drop_instead(bench):
    class Dropping(EchoClient):
        def pipe_overflow(self):
            self.pipe.discard(lambda item: item.type == ECHO)

    one = await bench(Dropping)
    for _ in range(200):
        one.client.send(ECHO, bytes(100_000))
        one.client.pump()
        assert one.client.pipe.cost <= one.client.pipe_limit
    one.client.send(PING, b"the last")
    while (message := await one.peer.receive())[0] == ECHO:
        assert len(message[1]) == 100_000
    assert message == (PING, b"the last")


async def test_a_slow_reader_gets_everything_in_the_end(bench):
    one = await bench()
    data = bytes(range(256)) * 3900
    one.client.send(ECHO, data)
    for number in range(50):
        one.client.send(PING, struct.pack("<I", number))
    assert await one.peer.receive() == (ECHO, data)
    got = [await one.peer.receive() for _ in range(50)]
    assert got == [(PING, struct.pack("<I", n)) for n in range(50)]


# -- pings ---------------------------------------------------------------------


async def test_a_ping_measures_the_round_trip(bench):
    one = await bench()
    assert one.client.ping(b"ballast") == 1
    kind, body = await one.peer.receive()
    assert (kind, body[:4], body[12:]) == (PING, b"\1\0\0\0", b"ballast")
    one.peer.send(PONG, body[:12])
    one.peer.send(PONG, body[:12])  # the second says nothing
    one.peer.send(PONG, struct.pack("<IQ", 77, 0))
    one.peer.send(ECHO)
    await one.peer.receive()
    ((ping_id, round_trip),) = one.client.pongs
    assert ping_id == 1
    assert round_trip >= 0


async def test_unanswered_pings_are_not_remembered_for_ever(bench):
    one = await bench()
    for _ in range(1000):
        one.client.ping()
    assert len(one.client._pings) == MAX_PINGS
