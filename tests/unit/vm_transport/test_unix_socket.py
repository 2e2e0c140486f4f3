from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING

import pytest

from vm_transport.errors import PeerError
from vm_transport.unix_socket import (
    has_closed,
    listen,
    peer_process,
    receive_with_fds,
    send_with_fd,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


def test_one_descriptor_goes_with_its_message(pair) -> None:
    ours, theirs = pair
    read_end, write_end = os.pipe()

    async def send() -> None:
        await send_with_fd(ours, b"12345678", write_end)
        await send_with_fd(ours, b"abcdefgh", None)

    asyncio.run(send())
    data, (fd,) = receive_with_fds(theirs, 8)
    assert data == b"12345678"
    os.write(fd, b"!")
    assert os.read(read_end, 1) == b"!"
    assert not os.get_inheritable(fd)
    assert receive_with_fds(theirs, 8) == (b"abcdefgh", [])
    for descriptor in (fd, read_end, write_end):
        os.close(descriptor)


def test_a_full_socket_is_waited_for(pair) -> None:
    ours, theirs = pair
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    messages = 2000

    async def both() -> int:
        loop = asyncio.get_running_loop()

        async def read() -> int:
            theirs.setblocking(False)
            total = 0
            while total < 8 * messages:
                total += len(await loop.sock_recv(theirs, 4096))
            return total

        async def write() -> None:
            for _ in range(messages):
                await send_with_fd(ours, b"12345678", None)

        writer = asyncio.create_task(write())
        # The writer gets stuck before anybody reads.
        for _ in range(10):
            await asyncio.sleep(0)
        total = await read()
        await writer
        return total

    assert asyncio.run(both()) == 8 * messages


def test_a_peer_that_is_gone_is_an_os_error(pair) -> None:
    ours, theirs = pair
    theirs.close()
    with pytest.raises(BrokenPipeError):
        asyncio.run(send_with_fd(ours, b"x", None))


def test_closing_is_noticed_without_reading(pair) -> None:
    ours, theirs = pair
    assert not has_closed(ours)
    theirs.send(b"x")
    assert not has_closed(ours)
    assert ours.recv(1) == b"x"
    theirs.close()
    assert has_closed(ours)


def test_the_peer_is_a_process_with_a_start_time(pair) -> None:
    ours, _theirs = pair
    process = peer_process(ours)
    assert process.pid == os.getpid()
    assert process.uid == os.getuid()
    assert process.start_time > 0
    assert process == peer_process(ours)


def test_listening_is_private_and_replaces_a_dead_socket(tmp_path: Path) -> None:
    path = tmp_path / "sock"
    with listen(path):
        assert path.stat().st_mode & 0o777 == 0o600
    assert path.is_socket()
    with listen(path, 0o660) as listener:
        assert path.stat().st_mode & 0o777 == 0o660
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            listener.accept()[0].close()


def test_a_live_listener_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "sock"
    with listen(path), pytest.raises(PeerError, match="another process"):
        listen(path)


def test_an_ordinary_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "sock"
    path.write_text("mine")
    with pytest.raises(OSError, match="in use"):
        listen(path)
    assert path.read_text() == "mine"
