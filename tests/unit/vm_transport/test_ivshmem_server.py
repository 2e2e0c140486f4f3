from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.fakes.fake_qemu import FakeQemu, RefusedError
from tests.fakes.no_descriptors import no_descriptors
from tests.fakes.recording_handler import RecordingHandler
from vm_transport.errors import LayoutError, PeerError
from vm_transport.guest_memory import GuestMemory
from vm_transport.ivshmem import server as ivshmem_server
from vm_transport.ivshmem.header import MAGIC, Feature, QxlIvshmemHeader
from vm_transport.ivshmem.layout import Layout
from vm_transport.ivshmem.server import IvshmemEvent, IvshmemServer
from vm_transport.unix_socket import has_closed

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.asyncio

MIB = 1 << 20
SMALL = {"ram_size": 8 * MIB, "vram_size": MIB}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ivshmem.sock"


async def attach(server: IvshmemServer) -> FakeQemu:
    qemu = FakeQemu(server.path, server.vectors)
    await asyncio.to_thread(qemu.realize)
    await asyncio.to_thread(
        qemu.read_vectors, server.layout.num_doorbells + server.layout.num_interrupts
    )
    return qemu


async def test_the_handshake_gives_memory_doorbells_and_interrupts(path: Path) -> None:
    server = IvshmemServer(path, Layout.plan(2, **SMALL))
    await server.start()
    qemu = await attach(server)
    assert qemu.id == 0
    assert {peer: len(fds) for peer, fds in qemu.peers.items()} == {1: 5, 0: 3}
    assert qemu.bar2 is not None
    header = QxlIvshmemHeader.unpack_from(qemu.bar2)
    assert header.magic == MAGIC
    assert (header.server_peer_id, header.server_epoch) == (1, 1)
    assert header.features == Feature.IO_RING
    assert header.size == len(qemu.bar2) == server.layout.size
    assert server.attachment is not None
    assert server.attachment.process.pid == os.getpid()
    qemu.close()
    await server.close()
    assert not path.exists()  # noqa: ASYNC240 - a local file


async def test_without_descriptors_qemu_waits_and_nothing_turns(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ivshmem_server, "PAUSE_S", 0.01)
    server = IvshmemServer(path, Layout.plan(1, **SMALL))
    await server.start()
    with socket.socket(socket.AF_UNIX) as qemu:
        with caplog.at_level(logging.WARNING), no_descriptors():
            qemu.connect(str(path))
            for _ in range(300):
                await asyncio.sleep(0)
        assert 1 <= len(caplog.records) < 150
        await server.wait_attached()
    await server.close()


async def test_a_driver_that_comes_and_goes_for_ever_logs_little(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = IvshmemServer(path, Layout.plan(1, **SMALL))
    device = RecordingHandler()
    server.displays[0].start(asyncio.get_running_loop(), device)
    await server.start()
    qemu = await attach(server)
    port = qemu.port(lambda: time.sleep(0.0001))
    with caplog.at_level(logging.INFO):
        for number in range(200):
            port.bind(bound=number % 2 == 0)
            assert await asyncio.to_thread(port.outb, 8, 1)
    assert 1 <= sum("guest driver" in r.getMessage() for r in caplog.records) < 100
    server.displays[0].stop()
    qemu.close()
    await server.close()


async def test_doorbells_requests_and_interrupts_of_each_display(path: Path) -> None:
    server = IvshmemServer(path, Layout.plan(2, **SMALL))
    devices = [RecordingHandler(), RecordingHandler()]
    loop = asyncio.get_running_loop()
    for display, device in zip(server.displays, devices, strict=True):
        display.start(loop, device)
    await server.start()
    qemu = await attach(server)
    done = threading.Event()
    ports = [qemu.port(lambda: done.wait(0.001) and None, display=k) for k in (0, 1)]
    for device in devices:
        # What may have been rung before the start is looked at once.
        await device.until(lambda calls: calls == ["notify"])
        device.calls.clear()
    ports[1].notify()
    await devices[1].until(lambda calls: calls == ["notify"])
    assert await asyncio.to_thread(ports[0].outb, 8, 1)
    assert not await asyncio.to_thread(ports[1].outb, 25, 255)
    assert devices[0].calls == [(8, 1)]
    assert devices[1].calls == ["notify", (25, 255)]
    server.displays[1].raise_interrupt()
    assert await asyncio.to_thread(ports[1].wait_interrupt, 60)
    assert not ports[0].wait_interrupt(0)
    assert not server.displays[0].driver_bound
    ports[0].bind(bound=True)
    assert server.displays[0].driver_bound
    for display in server.displays:
        display.stop()
    qemu.close()
    await server.close()


async def test_a_slot_is_an_offset_inside_the_displays_own_windows(path: Path) -> None:
    server = IvshmemServer(path, Layout.plan(2, **SMALL))
    first, second = (display.memory for display in server.displays)
    for region in (first.ram, first.vram):
        found = first.find_slot(region.address, region.end)
        assert found is not None
        assert found.size == region.size
        assert second.find_slot(region.address, region.end) is None
    assert first.find_slot(0, 4096) is None
    assert first.find_slot(first.rom.address, first.rom.end) is None
    await server.close()


async def test_a_second_qemu_is_refused_and_the_first_not_disturbed(
    path: Path,
) -> None:
    server = IvshmemServer(path, Layout.plan(**SMALL))
    await server.start()
    first = await attach(server)
    others = [FakeQemu(path) for _ in range(20)]
    for other in others:
        with pytest.raises(RefusedError):
            await asyncio.to_thread(other.realize)
    # Some are kept open until they have noticed, but not any number.
    with pytest.raises(ConnectionError):
        await asyncio.to_thread(others[-1].receive)
    assert not has_closed(others[0].socket)
    for other in others:
        other.close()
    server.displays[0].raise_interrupt()
    assert await asyncio.to_thread(first.wait_msix, 0, 60)
    first.close()
    await server.close()


async def test_the_end_of_qemu_resets_and_the_next_starts_afresh(path: Path) -> None:
    server = IvshmemServer(path, Layout.plan(**SMALL))
    (display,) = server.displays
    device = RecordingHandler()
    display.start(asyncio.get_running_loop(), device)
    events: list[IvshmemEvent] = []
    server.on_event(events.append)
    await server.start()
    qemu = await attach(server)
    qemu.port(lambda: None).bind(bound=True)
    memory = display.memory
    memory.rom.view[:4] = memory.ram.view[:4] = memory.vram.view[:4] = b"left"
    qemu.close()
    await server.wait_detached()
    assert events == [IvshmemEvent.ATTACHED, IvshmemEvent.DETACHED]
    assert device.calls[-1] == "reset"
    assert not display.driver_bound
    for region in (memory.rom, memory.ram, memory.vram):
        assert not any(region.view[:4096])
    again = await attach(server)
    assert again.id == 0
    assert again.bar2 is not None
    assert QxlIvshmemHeader.unpack_from(again.bar2).magic == MAGIC
    again.close()
    display.stop()
    await server.close()


async def test_the_next_vm_finds_nothing_of_the_last_ones(path: Path) -> None:
    server = IvshmemServer(path, Layout.plan(2, **SMALL))
    await server.start()
    qemu = await attach(server)
    assert qemu.bar2 is not None
    for page in range(0, len(qemu.bar2), 4096):
        qemu.bar2[page + 4088 : page + 4096] = b"left it!"
    qemu.close()
    await server.wait_detached()
    again = await attach(server)
    assert again.bar2 is not None
    assert again.bar2.find(b"left it!") < 0
    assert QxlIvshmemHeader.unpack_from(again.bar2).magic == MAGIC
    again.close()
    await server.close()


async def test_a_machine_reset_heals_the_header(path: Path) -> None:
    server = IvshmemServer(path, Layout.plan(**SMALL))
    await server.start()
    qemu = await attach(server)
    assert qemu.bar2 is not None
    before = QxlIvshmemHeader.unpack_from(qemu.bar2)
    qemu.bar2[: QxlIvshmemHeader.SIZE] = bytes(QxlIvshmemHeader.SIZE)
    await server.machine_reset()
    assert QxlIvshmemHeader.unpack_from(qemu.bar2) == before
    qemu.close()
    await server.close()


async def test_a_qemu_that_comes_as_the_last_one_dies_is_served(path: Path) -> None:
    server = IvshmemServer(path, Layout.plan(**SMALL))
    await server.start()
    first = await attach(server)
    # Both happen before the server's loop runs again.
    first.close()
    second = await attach(server)
    assert second.id == 0
    second.close()
    await server.close()


async def test_dying_in_the_handshake_leaves_the_server_whole(path: Path) -> None:
    server = IvshmemServer(path, Layout.plan(**SMALL))
    await server.start()
    for _ in range(20):
        FakeQemu(path).close()
    qemu = await attach(server)
    qemu.close()
    await server.close()


async def test_a_qemu_that_speaks_is_not_listened_to(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = IvshmemServer(path, Layout.plan(**SMALL))
    await server.start()
    qemu = await attach(server)
    qemu.socket.sendall(b"x" * 100_000)
    qemu.socket.sendall(b"y")
    server.displays[0].raise_interrupt()
    assert await asyncio.to_thread(qemu.wait_msix, 0, 60)
    qemu.close()
    await server.wait_detached()
    assert sum("speaks; ignored" in r.message for r in caplog.records) <= 1
    await server.close()


async def test_a_machine_reset_brings_the_displays_to_their_first_state(
    path: Path,
) -> None:
    server = IvshmemServer(path, Layout.plan(**SMALL))
    (display,) = server.displays
    device = RecordingHandler()
    display.start(asyncio.get_running_loop(), device)
    await server.start()
    qemu = await attach(server)
    port = qemu.port(lambda: None)
    port.bind(bound=True)
    port.ram.view[:4] = b"left"
    await server.machine_reset()
    assert device.calls[-1] == "reset"
    assert not any(port.ram.view[:4096])
    assert not display.driver_bound
    assert await asyncio.to_thread(port.outb, 5, 0)
    display.stop()
    qemu.close()
    await server.close()


async def test_requests_made_without_a_device_are_served_when_it_starts(
    path: Path,
) -> None:
    server = IvshmemServer(path, Layout.plan(**SMALL))
    await server.start()
    qemu = await attach(server)
    waiting = threading.Event()
    answer = asyncio.create_task(asyncio.to_thread(qemu.port(waiting.set).outb, 5, 0))
    await asyncio.to_thread(waiting.wait)
    device = RecordingHandler()
    server.displays[0].start(asyncio.get_running_loop(), device)
    assert await answer
    await device.until(lambda calls: (5, 0) in calls and "notify" in calls)
    server.displays[0].stop()
    qemu.close()
    await server.close()


async def test_a_device_in_a_thread_of_its_own_is_reset_there(path: Path) -> None:
    server = IvshmemServer(path, Layout.plan(**SMALL))
    threads: list[int] = []

    class Noting(RecordingHandler):
        def guest_reset(self) -> None:
            threads.append(threading.get_ident())

    loop = asyncio.new_event_loop()
    started = threading.Event()

    def run() -> None:
        server.displays[0].start(loop, Noting())
        loop.call_soon(started.set)
        loop.run_forever()
        server.displays[0].stop()
        loop.close()

    worker = threading.Thread(target=run)
    worker.start()
    started.wait()
    await server.machine_reset()
    assert threads == [worker.ident]
    loop.call_soon_threadsafe(loop.stop)
    worker.join()
    await server.machine_reset()
    assert threads == [worker.ident]
    await server.close()


async def test_a_reconnecting_qemu_gets_fresh_peer_and_spare_vectors(
    path: Path,
) -> None:
    layout = Layout.plan(**SMALL)
    first = IvshmemServer(path, layout)
    fd = os.dup(first.memory.fileno())
    await first.start()
    qemu = await attach(first)
    port = qemu.port(lambda: None)
    port.bind(bound=True)
    port.ram.view[:4] = b"kept"
    assert first.attachment is not None
    attachment = dataclasses.replace(first.attachment)
    await first.close()

    second = IvshmemServer(path, layout, memory=GuestMemory(fd), resume=attachment)
    device = RecordingHandler()
    second.displays[0].start(asyncio.get_running_loop(), device)
    await second.start()
    # The same process connects: what FakeQemu's chardev does by itself in QEMU.
    qemu.socket.close()
    again = FakeQemu(path)
    qemu.socket = again.socket
    await asyncio.to_thread(qemu.read_vectors, 5)
    assert {peer: len(fds) for peer, fds in qemu.peers.items()} == {1: 3, 2: 3, 0: 4}
    assert "reset" not in device.calls
    assert bytes(second.displays[0].memory.ram.view[:4]) == b"kept"
    assert second.displays[0].driver_bound
    assert qemu.bar2 is not None
    header = QxlIvshmemHeader.unpack_from(qemu.bar2)
    assert (header.server_peer_id, header.server_epoch) == (2, 2)
    device.calls.clear()
    port.notify()
    await device.until(lambda calls: "notify" in calls)
    second.displays[0].raise_interrupt()
    assert port.descriptor.irq_vector == 2
    assert await asyncio.to_thread(port.wait_interrupt, 60)
    second.displays[0].stop()
    qemu.close()
    await second.close()


async def test_another_process_instead_of_the_reconnecting_one_is_fresh(
    path: Path,
) -> None:
    layout = Layout.plan(**SMALL)
    first = IvshmemServer(path, layout)
    fd = os.dup(first.memory.fileno())
    await first.start()
    child = subprocess.Popen(  # noqa: ASYNC220 - starts at once
        [
            sys.executable,
            "-c",
            "import socket,sys; s=socket.socket(socket.AF_UNIX);"
            "s.connect(sys.argv[1]); sys.stdin.read()",
            str(path),
        ],
        stdin=subprocess.PIPE,
    )
    await first.wait_attached()
    assert first.attachment is not None
    attachment = dataclasses.replace(first.attachment)
    assert attachment.process.pid == child.pid
    await first.close()
    child.communicate()

    second = IvshmemServer(path, layout, memory=GuestMemory(fd), resume=attachment)
    second.displays[0].memory.ram.view[:4] = b"left"
    await second.start()
    qemu = await attach(second)
    assert {peer: len(fds) for peer, fds in qemu.peers.items()} == {1: 3, 0: 2}
    assert not any(second.displays[0].memory.ram.view[:4])
    qemu.close()
    await second.close()


async def test_running_out_of_vectors_is_said(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    layout = Layout.plan(**SMALL)
    first = IvshmemServer(path, layout, vectors=3)
    fd = os.dup(first.memory.fileno())
    await first.start()
    qemu = await attach(first)
    assert first.attachment is not None
    attachment = dataclasses.replace(first.attachment)
    await first.close()
    second = IvshmemServer(
        path, layout, vectors=3, memory=GuestMemory(fd), resume=attachment
    )
    await second.start()
    again = FakeQemu(path)
    again.peers, qemu.peers = qemu.peers, {}
    again.id = 0
    again.vectors = 3
    await asyncio.to_thread(again.read_vectors, 4)
    await second.wait_attached()
    assert "no MSI-X vectors are left" in caplog.text
    again.close()
    qemu.close()
    await second.close()


async def test_a_path_in_use_is_said(path: Path) -> None:
    first = IvshmemServer(path, Layout.plan(**SMALL))
    await first.start()
    second = IvshmemServer(path, Layout.plan(**SMALL))
    with pytest.raises(PeerError, match="another process listens"):
        await second.start()
    await second.close()
    assert path.exists()  # noqa: ASYNC240 - a local file
    await first.close()


async def test_memory_of_another_size_is_refused(path: Path) -> None:
    memory = GuestMemory.create(MIB)
    with pytest.raises(LayoutError, match="memory of 1048576 bytes"):
        IvshmemServer(path, Layout.plan(**SMALL), memory=memory)
    memory.close()


async def test_closing_lets_qemu_go_on(path: Path) -> None:
    server = IvshmemServer(path, Layout.plan(**SMALL))
    (display,) = server.displays
    device = RecordingHandler()
    display.start(asyncio.get_running_loop(), device)
    await server.start()
    qemu = await attach(server)
    port = qemu.port(lambda: None)
    display.stop()
    await server.close()
    port.ram.view[:4] = b"mine"
    port.notify()
    assert "reset" not in device.calls
    assert bytes(port.ram.view[:4]) == b"mine"
    qemu.close()
