from __future__ import annotations

import asyncio
import socket
import struct

import pytest
import pytest_asyncio

from spice_server.channel import connection as module
from spice_server.channel.connection import LOW_WATER
from tests.fakes.connected_pair import ConnectedPair, RecordingReceiver

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def pair():
    pair = ConnectedPair()
    yield pair
    pair.connection.abort()
    pair.peer.close()


async def test_bytes_pass_both_ways(pair):
    pair.attach()
    pair.connection.write([b"ab", memoryview(b"cd"), b"", b"ef"])
    assert await pair.read(6) == b"abcdef"
    await pair.loop.sock_sendall(pair.peer, b"hello")
    await pair.receiver.wait_for(5)
    assert pair.receiver.data == b"hello"


async def test_more_than_the_kernel_takes_stays_pending(pair):
    pair.attach()
    data = bytes(range(256)) * 16384
    pair.connection.write([data])
    assert 0 < pair.connection.pending < len(data)
    assert await pair.read(len(data)) == data
    await pair.receiver.drained.wait()
    assert pair.connection.pending <= LOW_WATER


async def test_thousands_of_buffers_keep_their_order(pair):
    pair.attach()
    buffers = [struct.pack("<I", i) for i in range(5000)]
    pair.connection.write(buffers)
    assert await pair.read(20000) == b"".join(buffers)


async def test_writable_is_told_only_at_low_water(pair):
    pair.attach()
    pair.connection.write([bytes(4 << 20)])
    pending = pair.connection.pending
    await pair.read(64 * 1024)
    for _ in range(10):
        await asyncio.sleep(0)
    assert pair.connection.pending > LOW_WATER
    assert pair.connection.pending <= pending
    assert pair.receiver.writable_calls == 0


async def test_the_peers_end_is_told_once(pair):
    pair.attach()
    pair.peer.close()
    assert await pair.receiver.lost is None
    assert not pair.connection.is_open
    pair.connection.write([b"into the void"])
    pair.connection.close()
    pair.connection.abort()


async def test_a_failed_write_is_told_from_the_loop(pair):
    pair.attach()
    pair.loop.remove_reader(pair.connection._sock)
    pair.peer.close()
    pair.connection.write([b"x"])
    assert not pair.receiver.lost.done()
    assert isinstance(await pair.receiver.lost, OSError)


async def test_abort_loses_what_is_pending(pair):
    pair.attach()
    pair.connection.write([bytes(4 << 20)])
    pair.connection.abort()
    assert pair.connection.pending == 0
    assert await pair.receiver.lost is None


async def test_close_delivers_what_is_pending(pair):
    pair.attach()
    data = bytes(4 << 20)
    pair.connection.write([data])
    pair.connection.close()
    pair.connection.write([b"too late"])
    assert await pair.read(len(data)) == data
    assert await pair.loop.sock_recv(pair.peer, 10) == b""
    pair.peer.close()
    await pair.receiver.lost


async def test_close_throws_away_what_still_comes(pair):
    pair.attach()
    pair.connection.close()
    await pair.loop.sock_sendall(pair.peer, b"more")
    pair.peer.close()
    await pair.receiver.lost
    assert pair.receiver.data == b""


async def test_a_peer_that_goes_on_sending_is_cut_off(pair):
    pair.attach()
    pair.connection.close()
    with pytest.raises(OSError, match=r"Broken pipe|reset"):
        await pair.loop.sock_sendall(pair.peer, bytes(module.LINGER_BYTES * 3))
    await pair.receiver.lost


async def test_a_peer_that_does_not_read_is_given_up(pair, monkeypatch):
    monkeypatch.setattr(module, "LINGER_TIME", 0.0)
    pair.attach()
    pair.connection.write([bytes(4 << 20)])
    pair.connection.close()
    await pair.receiver.lost


async def test_bytes_put_back_come_first(pair):
    pair.attach()
    await pair.loop.sock_sendall(pair.peer, b"link")
    await pair.receiver.wait_for(4)
    pair.connection.detach()
    pair.connection.put_back(b"ead")
    pair.connection.put_back(b"ah")
    await pair.loop.sock_sendall(pair.peer, b" of time")
    other = RecordingReceiver()
    pair.connection.attach(pair.loop, other)
    await other.wait_for(13)
    assert other.data == b"ahead of time"


async def test_a_detached_connection_is_left_alone(pair):
    pair.attach()
    pair.connection.write([bytes(4 << 20)])
    pair.connection.detach()
    pending = pair.connection.pending
    await pair.loop.sock_sendall(pair.peer, b"x")
    await pair.read(100_000)
    for _ in range(10):
        await asyncio.sleep(0)
    assert pair.receiver.data == b""
    assert pair.connection.pending == pending
    pair.attach()
    await pair.read((4 << 20) - 100_000)
    await pair.receiver.wait_for(1)


async def test_a_connection_may_be_detached_while_it_is_read(pair):
    class Mover(RecordingReceiver):
        def data_received(self, data):
            super().data_received(data)
            pair.connection.detach()
            pair.connection.put_back(data)
            pair.connection.attach(pair.loop, pair.receiver)

    pair.connection.attach(pair.loop, Mover())
    await pair.loop.sock_sendall(pair.peer, b"moved")
    await pair.receiver.wait_for(5)
    assert pair.receiver.data == b"moved"


async def test_closed_before_it_was_attached(pair):
    pair.connection.close()
    pair.attach()
    assert await pair.receiver.lost is None


async def test_it_moves_to_another_thread_with_all_it_has(pair):
    pair.attach()
    data = bytes(range(256)) * 8192
    pair.connection.write([data])
    pair.connection.detach()
    pair.connection.put_back(b"early ")
    await pair.loop.sock_sendall(pair.peer, b"late")

    async def serve():
        receiver = RecordingReceiver()
        pair.connection.attach(asyncio.get_running_loop(), receiver)
        await receiver.wait_for(10)
        await receiver.lost
        return receiver.data

    worker = asyncio.create_task(asyncio.to_thread(asyncio.run, serve()))
    assert await pair.read(len(data)) == data
    pair.peer.close()
    assert await worker == b"early late"


async def test_a_paused_peer_has_to_wait(pair):
    pair.attach()
    pair.connection.pause_reading()
    flood = bytes(range(256)) * 20_000
    sending = asyncio.ensure_future(pair.loop.sock_sendall(pair.peer, flood))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not sending.done()
    assert pair.receiver.data == b""
    pair.connection.resume_reading()
    await pair.receiver.wait_for(len(flood))
    await sending
    assert pair.receiver.data == flood


async def test_pausing_while_bytes_come(pair):
    pair.attach()
    whole = pair.receiver.data_received

    def stop(data):
        whole(data)
        pair.connection.pause_reading()

    pair.receiver.data_received = stop
    pair.connection.put_back(b"first")
    pair.connection.attach(pair.loop, pair.receiver)
    await pair.receiver.wait_for(5)
    pair.connection.put_back(b"second")
    for _ in range(5):
        await asyncio.sleep(0)
    assert pair.receiver.data == b"first"
    pair.connection.resume_reading()
    await pair.receiver.wait_for(11)
    assert pair.receiver.data == b"firstsecond"


async def test_closing_reads_again(pair):
    pair.attach()
    pair.connection.pause_reading()
    pair.connection.close()
    pair.peer.shutdown(socket.SHUT_WR)
    assert await pair.receiver.lost is None
