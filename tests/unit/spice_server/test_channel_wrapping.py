"""A connection with a WebSocket around its bytes."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio
from websockets.protocol import State
from websockets.server import ServerProtocol

from spice_server.channel.connection import LOW_WATER
from spice_server.websocket.stream import WebSocketStream
from tests.fakes.connected_pair import ConnectedPair
from tests.fakes.websocket_client import frame

pytestmark = pytest.mark.asyncio

BINARY, CLOSE, PING = 2, 8, 9


class Pair(ConnectedPair):
    """A wrapped connection, and its peer's socket."""

    def __init__(self):
        super().__init__()
        self.attach()

    def wrap(self, data=b""):
        stream = WebSocketStream(ServerProtocol(state=State.OPEN))
        self.connection.wrap(stream, data)

    async def send(self, data):
        await self.loop.sock_sendall(self.peer, data)

    async def rest(self):
        data = b""
        while chunk := await self.loop.sock_recv(self.peer, 65536):
            data += chunk
        return data


@pytest_asyncio.fixture
async def pair():
    pair = Pair()
    pair.wrap()
    yield pair
    pair.connection.abort()
    pair.peer.close()


async def test_bytes_pass_both_ways(pair):
    pair.connection.write([b"ab", b"cd"])
    assert await pair.read(6) == b"\x82\x04abcd"
    await pair.send(frame(BINARY, b"hel")[:7])
    await pair.send(frame(BINARY, b"hel")[7:] + frame(BINARY, b"lo"))
    while pair.receiver.data != b"hello":
        pair.receiver.came.clear()
        await pair.receiver.came.wait()


async def test_what_was_read_already_is_not_lost():
    pair = Pair()
    pair.wrap(frame(BINARY, b"early") + frame(BINARY, b"late")[:5])
    pair.connection.detach()
    pair.connection.attach(pair.loop, pair.receiver)
    await pair.receiver.came.wait()
    assert pair.receiver.data == b"early"
    pair.receiver.came.clear()
    await pair.send(frame(BINARY, b"late")[5:])
    await pair.receiver.came.wait()
    assert pair.receiver.data == b"earlylate"
    pair.connection.abort()
    pair.peer.close()


async def test_what_is_put_back_is_not_unwrapped_again(pair):
    pair.connection.put_back(b"plain")
    pair.connection.detach()
    pair.connection.attach(pair.loop, pair.receiver)
    await pair.receiver.came.wait()
    assert pair.receiver.data == b"plain"


async def test_close_says_so(pair):
    pair.connection.write([b"last"])
    pair.connection.close()
    pair.connection.write([b"nothing more"])
    assert await pair.rest() == b"\x82\x04last\x88\x02\x03\xe8"
    pair.peer.close()
    assert await pair.receiver.lost is None


async def test_the_peer_closes_after_its_last_words(pair):
    await pair.send(frame(BINARY, b"bye") + frame(CLOSE, b"\x03\xe8"))
    assert await pair.rest() == b"\x88\x02\x03\xe8"
    assert pair.receiver.data == b"bye"
    assert not pair.connection.is_open
    pair.peer.close()
    assert await pair.receiver.lost is None


async def test_the_end_is_found_by_whoever_serves_next():
    pair = Pair()
    pair.wrap(frame(BINARY, b"bye") + frame(CLOSE))
    pair.connection.write([b"not after the end"])
    pair.connection.detach()
    pair.connection.attach(pair.loop, pair.receiver)
    assert await pair.rest() == b"\x88\0"
    assert pair.receiver.data == b"bye"
    pair.peer.close()
    assert await pair.receiver.lost is None


async def test_close_after_the_peer_is_gone():
    pair = Pair()
    pair.wrap()
    pair.loop.remove_reader(pair.connection._sock)
    pair.peer.close()
    pair.connection.close()
    assert isinstance(await pair.receiver.lost, OSError)


async def test_pongs_wait_for_room_and_only_the_last_ones_come(pair):
    pair.connection.write([bytes(1 << 20)])
    assert pair.connection.pending > LOW_WATER
    before = pair.connection.pending
    for number in range(1000):
        await pair.send(frame(PING, b"%03d" % number))
        await asyncio.sleep(0)
    await pair.send(frame(BINARY, b"all came"))
    await pair.receiver.came.wait()
    assert pair.connection.pending <= before
    await pair.read(10 + (1 << 20))
    pongs = [await pair.read(5)]
    while pongs[-1] != b"\x8a\x03999":
        pongs.append(await pair.read(5))
    assert len(pongs) < 100
