"""A chardev's stream: life of the connection, both ends' state, bounds both ways."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio

from tests.fakes.chardev import FakeChardev, RecordingPortHandler
from vm_transport.chardev import last_words, port as port_module
from vm_transport.chardev.port import HIGH_WATER, READ_SIZE, ChardevPort

pytestmark = pytest.mark.asyncio


async def turns(count: int = 3) -> None:
    """Let what was scheduled run."""
    for _ in range(count):
        await asyncio.sleep(0)


@pytest_asyncio.fixture
async def qemu(tmp_path):
    chardev = FakeChardev(tmp_path / "port.sock")
    yield chardev
    chardev.close()


@pytest_asyncio.fixture
async def handler():
    return RecordingPortHandler()


def make(qemu, *, follows_guest: bool) -> ChardevPort:
    port = ChardevPort("org.test.0", qemu.path, follows_guest=follows_guest)
    port.start(asyncio.get_running_loop())
    return port


@pytest_asyncio.fixture
async def plain(qemu):
    port = make(qemu, follows_guest=False)
    yield port
    port.stop()


@pytest_asyncio.fixture
async def virtio(qemu):
    port = make(qemu, follows_guest=True)
    yield port
    port.stop()


class TestConnection:
    async def test_is_made_for_who_serves(self, qemu, plain, handler):
        assert not plain.opened
        plain.attach(handler)
        await qemu.accept()
        await handler.told("opened")
        assert plain.opened
        await qemu.write(b"hello")
        await handler.told(b"hello")
        assert plain.write(b"there")
        assert await qemu.read(5) == b"there"
        plain.attach(None)
        assert await qemu.read(1) == b""
        assert not plain.opened
        assert handler.calls == []

    async def test_waits_for_qemu(self, qemu, handler):
        port = ChardevPort("x", qemu.path, follows_guest=False)
        port.attach(handler)
        assert not port.opened
        port.start(asyncio.get_running_loop())
        await qemu.accept()
        await handler.told("opened")
        port.stop()
        assert await qemu.read(1) == b""
        await handler.told("closed")
        port.start(asyncio.get_running_loop())
        await qemu.accept()
        await handler.told("opened")
        port.stop()

    async def test_looks_again_for_a_qemu_that_hung_up(
        self, qemu, plain, handler, monkeypatch
    ):
        monkeypatch.setattr(port_module, "RETRY_S", 0)
        plain.attach(handler)
        await qemu.accept()
        await handler.told("opened")
        qemu.hang_up()
        await handler.told("closed", "opened")
        await qemu.accept()
        assert plain.write(b"again")
        assert await qemu.read(5) == b"again"

    async def test_looks_again_where_nobody_listened(
        self, tmp_path, handler, monkeypatch
    ):
        monkeypatch.setattr(port_module, "RETRY_S", 0)
        port = ChardevPort("x", tmp_path / "late", follows_guest=False)
        port.start(asyncio.get_running_loop())
        port.attach(handler)
        await turns()
        assert not port.opened
        qemu = FakeChardev(tmp_path / "late")
        await qemu.accept()
        await handler.told("opened")
        port.stop()
        qemu.close()

    async def test_another_handler_gets_a_new_one(self, qemu, plain, handler):
        plain.attach(handler)
        await qemu.accept()
        await handler.told("opened")
        other = RecordingPortHandler()
        plain.attach(other)
        assert await qemu.read(1) == b""
        await qemu.accept()
        await other.told("opened")
        await qemu.write(b"x")
        await other.told(b"x")
        assert handler.calls == []


class TestGuestEnd:
    async def test_is_told(self, qemu, virtio, handler):
        virtio.attach(handler)
        await qemu.accept()
        await turns()
        assert not virtio.opened
        assert virtio.write(b"nobody there")
        virtio.set_guest_open(True)
        await handler.told("opened")
        virtio.write(b"now")
        assert await qemu.read(3) == b"now"
        virtio.set_guest_open(False)
        await handler.told("closed")
        virtio.set_guest_open(False)
        assert handler.calls == []

    async def test_was_open_before(self, qemu, virtio, handler):
        virtio.set_guest_open(True)
        virtio.attach(handler)
        assert virtio.opened
        await handler.told("opened")

    async def test_is_proved_by_data(self, qemu, virtio, handler):
        virtio.attach(handler)
        await qemu.accept()
        await qemu.write(b"x")
        await handler.told("opened", b"x")
        assert virtio.opened
        virtio.set_guest_open(True)  # QEMU's word comes later
        assert handler.calls == []

    async def test_opened_twice_was_closed_between(self, qemu, virtio, handler):
        virtio.set_guest_open(True)
        virtio.attach(handler)
        await handler.told("opened")
        virtio.set_guest_open(True)
        assert handler.calls == ["closed", "opened"]

    async def test_last_words_come_before_the_end(self, qemu, virtio, handler):
        virtio.set_guest_open(True)
        virtio.attach(handler)
        await qemu.accept()
        await qemu.write(b"x" * (READ_SIZE + 5))
        virtio.set_guest_open(False)
        assert handler.calls == ["opened", b"x" * (READ_SIZE + 5), "closed"]
        await turns()
        assert not virtio.opened

    async def test_the_next_one_gets_nothing_of_the_last(self, qemu, virtio, handler):
        virtio.set_guest_open(True)
        virtio.attach(handler)
        await qemu.accept()
        virtio.write(b"not read")
        virtio.set_guest_open(False)
        await qemu.accept()
        virtio.set_guest_open(True)
        virtio.write(b"new")
        assert await qemu.read(3) == b"new"

    async def test_nor_does_the_host_while_paused(self, qemu, virtio, handler):
        virtio.set_guest_open(True)
        virtio.attach(handler)
        await qemu.accept()
        await handler.told("opened")
        virtio.pause()
        await qemu.write(b"old")
        virtio.set_guest_open(False)
        await qemu.accept()
        virtio.resume()
        await turns()
        assert handler.calls == ["closed"]


class TestBounds:
    async def test_a_guest_that_does_not_read(self, qemu, plain, handler):
        plain.attach(handler)
        await qemu.accept()
        await handler.told("opened")
        written = 0
        while plain.write(b"z" * 10_000):
            written += 10_000
        written += 10_000
        assert written < HIGH_WATER + 1_000_000
        assert not plain.write(b"!")
        assert await qemu.read(written) == b"z" * written
        await handler.told("writable")
        assert await qemu.read(1) == b"!"
        assert plain.write(b"?")

    async def test_a_host_that_does_not_read(self, qemu, plain, handler):
        plain.attach(handler)
        await qemu.accept()
        await handler.told("opened")
        plain.pause()
        flood = b"y" * 4_000_000
        writing = asyncio.ensure_future(qemu.write(flood))
        await turns(20)
        assert not writing.done()
        assert handler.calls == []
        plain.resume()
        await handler.told(flood)
        await writing

    async def test_who_waits_is_not_forgotten_when_qemu_goes(
        self, qemu, plain, handler
    ):
        plain.attach(handler)
        await qemu.accept()
        await handler.told("opened")
        while plain.write(b"z" * 10_000):
            pass
        qemu.hang_up()
        await handler.told("closed", "writable")

    async def test_writing_to_a_qemu_that_went(self, qemu, plain, handler):
        plain.attach(handler)
        await qemu.accept()
        await handler.told("opened")
        qemu.hang_up()
        assert plain.write(b"x")
        await handler.told("closed")


class TestLastWords:
    @pytest_asyncio.fixture
    async def lingering(self, qemu):
        port = ChardevPort("x", qemu.path, follows_guest=False, lingers=True)
        port.start(asyncio.get_running_loop())
        yield port
        port.stop()

    async def test_reach_qemu(self, qemu, lingering, handler):
        lingering.attach(handler)
        await qemu.accept()
        await handler.told("opened")
        while lingering.write(b"z" * 10_000):
            pass
        lingering.write(b"the end")
        lingering.attach(None)
        assert not lingering.opened
        told = await qemu.read(10_000_000)  # up to the end
        assert told.strip(b"z") == b"the end"
        assert handler.calls == []

    async def test_of_nobody(self, qemu, lingering, handler):
        lingering.attach(handler)
        await qemu.accept()
        lingering.attach(None)
        assert await qemu.read(1) == b""

    async def test_are_lost_with_qemu(self, qemu, lingering, handler):
        lingering.attach(handler)
        await qemu.accept()
        await handler.told("opened")
        while lingering.write(b"z" * 10_000):
            pass
        lingering.attach(None)
        qemu.hang_up()
        await turns()

    async def test_have_a_limit(self, qemu, lingering, handler, monkeypatch):
        monkeypatch.setattr(last_words, "LINGER_S", 0.0)
        lingering.attach(handler)
        await qemu.accept()
        await handler.told("opened")
        written = 10_000
        while lingering.write(b"z" * 10_000):
            written += 10_000
        lingering.attach(None)
        await turns(10)
        assert len(await qemu.read(10_000_000)) < written
