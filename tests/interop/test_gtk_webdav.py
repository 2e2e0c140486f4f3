"""A folder that spice-gtk shares, read as spice-webdavd in a guest reads it."""

from __future__ import annotations

import asyncio
import random
import re
import struct

import pytest
import pytest_asyncio

from spice_server.port.port_channel import WebdavChannel
from tests.fakes.chardev import FakeChardev
from tests.fakes.spice_channels import SilentDisplay, running_server
from tests.peers import gtk_client
from tests.peers.gtk_client import GtkPortsClient
from vm_transport.chardev.port import ChardevPort

pytestmark = [pytest.mark.asyncio, pytest.mark.interop]

NAME = "org.spice-space.webdav.0"


class Webdavd:
    """The guest's end: HTTP connections in one stream (id, size, bytes)."""

    def __init__(self, qemu: FakeChardev) -> None:
        self.qemu = qemu

    async def send(self, number: int, data: bytes) -> None:
        await self.qemu.write(struct.pack("<qH", number, len(data)) + data)

    async def ask(self, number: int, method: str, path: str, *more: str) -> bytes:
        """Send a request on connection *number*; the answer, headers included."""
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *more, "", ""]
        await self.send(number, "\r\n".join(lines).encode())
        answer = b""
        while True:
            got, size = struct.unpack("<qH", await self.qemu.read(10))
            piece = await self.qemu.read(size)
            if got != number:
                assert not piece  # another connection's end
                continue
            answer += piece
            head, _, body = answer.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
            if length and len(body) == int(length[1]):
                return answer


@pytest_asyncio.fixture
async def qemu(tmp_path):
    chardev = FakeChardev(tmp_path / "webdav.sock")
    yield chardev
    chardev.close()


async def test_a_shared_folder_is_listed_and_read(tmp_path, qemu):
    if reason := gtk_client.missing():
        pytest.skip(reason)
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "small file.txt").write_text("read in the guest")
    large = random.Random(3).randbytes(100_000) + b"and again " * 300_000
    (shared / "large").write_bytes(large)
    port = ChardevPort(NAME, qemu.path, follows_guest=True)
    port.start(asyncio.get_running_loop())
    async with running_server(
        WebdavChannel(port), SilentDisplay(), ticketing=False
    ) as server:
        client = await asyncio.to_thread(
            GtkPortsClient,
            shared_dir=str(shared),
            host="127.0.0.1",
            port=str(server.control.port),
        )
        try:
            await qemu.accept()
            port.set_guest_open(True)
            guest = Webdavd(qemu)
            listing = await guest.ask(1, "PROPFIND", "/", "Depth: 1")
            assert listing.startswith(b"HTTP/1.1 207 ")
            assert b"small%20file.txt" in listing
            answer = await guest.ask(1, "GET", "/small%20file.txt")
            assert answer.endswith(b"\r\n\r\nread in the guest")
            answer = await guest.ask(2, "GET", "/large")
            assert answer.partition(b"\r\n\r\n")[2] == large
        finally:
            await asyncio.to_thread(client.close)
        assert len(await qemu.read(1000)) < 1000  # up to the end
    port.stop()
