"""Bytes and fds over a non-blocking socket."""

from __future__ import annotations

import array
import asyncio
import os
import socket

import pytest
import pytest_asyncio

from qmp_bridge.message_socket import MessageSocket

pytestmark = pytest.mark.asyncio


class Owner:
    def __init__(self) -> None:
        self.data = b""
        self.fds: list[int] = []
        self.log: list[str] = []
        self.changed = asyncio.Event()

    def received(self, data, fds):
        self.data += data
        self.fds += fds
        self.changed.set()

    def ended(self):
        self._note("ended")

    def drained(self):
        self._note("drained")

    def failed(self, error):
        self._note(type(error).__name__)

    def _note(self, what):
        self.log.append(what)
        self.changed.set()

    async def until(self, condition):
        while not condition():
            self.changed.clear()
            await self.changed.wait()


@pytest.fixture
def owner() -> Owner:
    return Owner()


@pytest_asyncio.fixture
async def pair(owner):
    ours, peer = socket.socketpair()
    peer.setblocking(False)
    connection = MessageSocket(ours, asyncio.get_running_loop(), owner)
    yield connection, peer
    connection.close()
    peer.close()


async def _receive(peer, size):
    data = b""
    while len(data) < size:
        data += await asyncio.get_running_loop().sock_recv(peer, 1 << 20)
    return data


async def test_bytes_both_ways(pair, owner):
    connection, peer = pair
    connection.send(b"there")
    assert peer.recv(100) == b"there"
    peer.send(b"and back")
    await owner.until(lambda: owner.data == b"and back")
    assert connection.pending == 0


async def test_a_peer_that_does_not_read(pair, owner):
    connection, peer = pair
    block = os.urandom(8 << 20)
    connection.send(block)
    connection.send(b"end")
    assert connection.pending > 1 << 20
    assert await _receive(peer, len(block) + 3) == block + b"end"
    await owner.until(lambda: owner.log == ["drained"])
    assert connection.pending == 0


async def test_fds_come_with_their_bytes(pair, owner):
    connection, peer = pair
    pipes = [os.pipe() for _ in range(3)]
    sent = [fd for pipe in pipes for fd in pipe]
    socket.send_fds(peer, [b"x"], sent)
    await owner.until(lambda: owner.data == b"x")
    assert len(owner.fds) == 6
    for ours, theirs in zip(owner.fds, sent, strict=True):
        assert os.fstat(ours).st_ino == os.fstat(theirs).st_ino
        assert not os.get_inheritable(ours)
    for fd in owner.fds + sent:
        os.close(fd)
    assert not connection.closed


async def test_fds_go_with_the_first_byte_even_when_it_must_wait(pair):
    connection, peer = pair
    block = b"b" * (4 << 20)
    reader, writer = os.pipe()
    inode = os.fstat(writer).st_ino
    connection.send(block)
    connection.send(b"message", [writer])
    assert os.fstat(writer).st_ino == inode  # still ours: the kernel has not taken it
    data, fds = b"", array.array("i")
    while len(data) < len(block) + 7:
        await asyncio.sleep(0)
        try:
            chunk, control, *_rest = peer.recvmsg(1 << 20, 1024)
        except BlockingIOError:
            continue
        if control:
            fds.frombytes(control[0][2])
            assert chunk.endswith(b"message")
        data += chunk
    assert os.fstat(fds[0]).st_ino == inode
    os.close(fds[0])
    os.close(reader)


async def test_reading_can_pause(pair, owner):
    connection, peer = pair
    connection.pause_reading()
    connection.pause_reading()
    peer.send(b"later")
    await asyncio.sleep(0)
    assert owner.data == b""
    connection.resume_reading()
    connection.resume_reading()
    await owner.until(lambda: owner.data == b"later")


async def test_the_end(pair, owner):
    connection, peer = pair
    peer.shutdown(socket.SHUT_WR)
    await owner.until(lambda: owner.log == ["ended"])
    connection.send(b"still heard")
    assert peer.recv(100) == b"still heard"


async def test_a_peer_that_is_gone(pair, owner):
    connection, peer = pair
    peer.close()
    connection.send(b"x")
    assert owner.log == ["BrokenPipeError"]
    assert connection.closed


async def test_a_reset_while_reading(owner):
    listener = socket.create_server(("127.0.0.1", 0))
    peer = socket.create_connection(listener.getsockname())
    ours, _address = listener.accept()
    connection = MessageSocket(ours, asyncio.get_running_loop(), owner)
    peer.setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, array.array("i", [1, 0]).tobytes()
    )
    peer.close()
    await owner.until(lambda: bool(owner.log))
    assert owner.log == ["ConnectionResetError"]
    assert connection.closed
    listener.close()


async def test_closing_closes_fds_that_wait(pair):
    connection, _peer = pair
    reader, writer = os.pipe()
    late = os.dup(writer)
    connection.send(b"b" * (4 << 20))
    connection.send(b"m", [writer])
    connection.close()
    connection.close()
    connection.send(b"m", [late])
    for fd in writer, late:
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(fd)
    assert connection.pending == 0
    os.close(reader)
