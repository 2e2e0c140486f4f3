"""The ivshmem server with the real device of an installed QEMU; no guest runs."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from qemu.qmp import QMPClient

from tests.fakes.qtest_guest import QTest, QTestIvshmem
from tests.fakes.recording_handler import RecordingHandler
from vm_transport.errors import AttachError
from vm_transport.guest_memory import GuestMemory
from vm_transport.ivshmem.attach import (
    AttachOptions,
    attach_commands,
    hot_attach,
    hot_detach,
    qemu_arguments,
)
from vm_transport.ivshmem.header import MAGIC, QxlIvshmemDisplay, QxlIvshmemHeader
from vm_transport.ivshmem.layout import Layout
from vm_transport.ivshmem.server import IvshmemEvent, IvshmemServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

pytestmark = [
    pytest.mark.system,
    pytest.mark.asyncio,
    pytest.mark.skipif(
        not shutil.which("qemu-system-x86_64"), reason="qemu-system-x86_64 is missing"
    ),
]

MIB = 1 << 20
VECTORS = 16
LAYOUT = Layout.plan(2, ram_size=8 * MIB, vram_size=MIB)


class Qemu:
    """A stopped QEMU with a monitor and qtest; a ``Monitor`` for hot-plug."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.client = QMPClient("test")
        self._waiting: list[tuple[str, Mapping[str, Any], asyncio.Future[object]]] = []

    async def spawn(self, *arguments: str) -> None:
        """Start the program without monitor and qtest."""
        self.process = await asyncio.create_subprocess_exec(
            *("qemu-system-x86_64", "-M", "pc", "-accel", "tcg", "-m", "64"),
            *("-nodefaults", "-display", "none", "-S", *arguments),
            stderr=asyncio.subprocess.PIPE,
        )

    async def start(self, *arguments: str) -> None:
        """Start the program; it connects its monitor and qtest to us."""
        loop = asyncio.get_running_loop()
        connected: asyncio.Future[QTest] = loop.create_future()
        listener = await asyncio.start_unix_server(
            lambda reader, writer: connected.set_result(QTest(reader, writer)),
            self.folder / "qtest",
        )
        await self.client.start_server(str(self.folder / "qmp"))
        await self.spawn(
            *("-qmp", f"unix:{self.folder}/qmp"),
            *("-qtest", f"unix:{self.folder}/qtest", "-qtest-log", os.devnull),
            *arguments,
        )
        accepted = asyncio.ensure_future(self.client.accept())
        ended = asyncio.ensure_future(self.process.wait())
        await asyncio.wait({accepted, ended}, return_when=asyncio.FIRST_COMPLETED)
        assert self.process.returncode is None, await self.error_text()
        await accepted
        ended.cancel()
        self.qtest = await connected
        listener.close()

    async def execute(self, name: str, arguments: Mapping[str, Any]) -> object:
        return await self.client.execute(name, dict(arguments))

    async def wait_event(self, name: str, data: Mapping[str, Any]) -> object:
        with self.client.listener(name) as events:
            async for event in events:
                found = event["data"]
                assert isinstance(found, dict)
                if data.items() <= found.items():
                    return found
        raise AssertionError

    async def error_text(self) -> str:
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def close(self) -> None:
        if hasattr(self, "qtest"):
            self.qtest.close()
        await self.kill()
        # QEMU was killed: its monitor has ended without a goodbye.
        with contextlib.suppress(EOFError, ConnectionError):
            await self.client.disconnect()


@pytest_asyncio.fixture
async def qemu(tmp_path: Path) -> AsyncIterator[Qemu]:
    qemu = Qemu(tmp_path)
    yield qemu
    await qemu.close()


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[IvshmemServer]:
    server = IvshmemServer(tmp_path / "ivshmem", LAYOUT, vectors=VECTORS)
    await server.start()
    yield server
    await server.close()


def options(server: IvshmemServer) -> AttachOptions:
    return AttachOptions(server.path, vectors=server.vectors)


async def check_device(server: IvshmemServer, guest: QTestIvshmem, irq: int) -> None:
    """Use everything: header, doorbells, I/O requests, interrupts of both displays."""
    header = QxlIvshmemHeader.unpack(await guest.bar2(0, QxlIvshmemHeader.SIZE))
    assert header.magic == MAGIC
    assert header.size == LAYOUT.size
    assert await guest.iv_position() == 0
    peer = header.server_peer_id
    loop = asyncio.get_running_loop()
    for number, display in enumerate(server.displays):
        device = RecordingHandler()
        display.start(loop, device)
        await device.until(lambda calls: calls[:1] == ["notify"])
        device.calls.clear()
        place = QxlIvshmemDisplay.unpack(
            await guest.bar2(
                header.display_desc_offset + number * header.display_desc_size,
                header.display_desc_size,
            )
        )
        await guest.bar2_write(place.ram_offset, 0xC0FFEE00 + number)
        assert bytes(display.memory.ram.view[:4]) == (0xC0FFEE00 + number).to_bytes(
            4, "little"
        )
        await guest.doorbell(peer, place.notify_vector)
        await device.until(lambda calls: calls == ["notify"])
        assert await guest.outb(place.io_offset, place.io_vector, (8, 1)) == 0
        assert await guest.outb(place.io_offset, place.io_vector, (99, 2)) == 1
        assert device.calls == ["notify", (8, 1), (99, 2)]
        assert place.irq_vector == irq + number
        display.raise_interrupt()
        await guest.wait_msix(place.irq_vector)
        assert not await guest.had_msix(irq + 1 - number)
        display.stop()


async def test_from_the_command_line(server: IvshmemServer, qemu: Qemu) -> None:
    await qemu.start(*qemu_arguments(options(server)))
    await server.wait_attached()
    guest = await QTestIvshmem.probe(qemu.qtest, VECTORS)
    await check_device(server, guest, irq=0)
    assert server.attachment is not None
    assert server.attachment.process.pid == qemu.process.pid


async def test_hot_attach_and_detach_twice_on_one_loop(
    server: IvshmemServer, qemu: Qemu
) -> None:
    events: list[IvshmemEvent] = []
    server.on_event(events.append)
    await qemu.start()
    for _ in range(2):
        await hot_attach(qemu, options(server), server.wait_attached())
        guest = await QTestIvshmem.probe(qemu.qtest, VECTORS)
        await check_device(server, guest, irq=0)
        detach = asyncio.create_task(hot_detach(qemu, options(server)))
        # device_del only asks; the guest lets go when it has seen the request.
        while await qemu.qtest.inl(0xAE04) == 0:
            pass
        await QTestIvshmem.eject(qemu.qtest, guest.slot)
        await detach
        await server.wait_detached()
        assert not any(server.displays[0].memory.ram.view[:4])
    assert events == [IvshmemEvent.ATTACHED, IvshmemEvent.DETACHED] * 2
    status = await qemu.execute("query-status", {})
    assert status == {"running": False, "singlestep": False, "status": "prelaunch"}


async def test_the_death_of_qemu_is_noticed_and_the_next_is_served(
    server: IvshmemServer, qemu: Qemu, tmp_path: Path
) -> None:
    await qemu.start(*qemu_arguments(options(server)))
    await server.wait_attached()
    await qemu.kill()
    await server.wait_detached()
    folder = tmp_path / "second"
    folder.mkdir()
    second = Qemu(folder)
    await second.start(*qemu_arguments(options(server)))
    guest = await QTestIvshmem.probe(second.qtest, VECTORS)
    await check_device(server, guest, irq=0)
    await second.close()


async def test_a_second_qemu_ends_with_an_error_instead_of_hanging(
    server: IvshmemServer, qemu: Qemu, tmp_path: Path
) -> None:
    await qemu.start(*qemu_arguments(options(server)))
    await server.wait_attached()
    folder = tmp_path / "second"
    folder.mkdir()
    second = Qemu(folder)
    await second.spawn(*qemu_arguments(options(server)))
    error = await second.error_text()
    assert await second.process.wait() == 1
    assert "server sent version 1, expecting 0" in error
    guest = await QTestIvshmem.probe(qemu.qtest, VECTORS)
    await check_device(server, guest, irq=0)


async def test_a_second_device_in_one_vm_is_refused_and_the_vm_lives(
    server: IvshmemServer, qemu: Qemu
) -> None:
    await qemu.start(*qemu_arguments(options(server)))
    await server.wait_attached()
    again = dataclasses.replace(options(server), chardev_id="c2", device_id="d2")

    async def at_once() -> None:
        """The chardev connects by itself; the refusal waits in its socket."""

    with pytest.raises(AttachError, match="server sent version 1, expecting 0"):
        await hot_attach(qemu, again, at_once())
    guest = await QTestIvshmem.probe(qemu.qtest, VECTORS)
    await check_device(server, guest, irq=0)


async def test_qemu_goes_on_with_the_next_server(qemu: Qemu, tmp_path: Path) -> None:
    first = IvshmemServer(tmp_path / "ivshmem", LAYOUT, vectors=VECTORS)
    await first.start()
    await qemu.start()
    await hot_attach(qemu, options(first), first.wait_attached())
    guest = await QTestIvshmem.probe(qemu.qtest, VECTORS)
    await check_device(first, guest, irq=0)
    attachment = first.attachment
    fd = os.dup(first.memory.fileno())
    await first.close()
    second = IvshmemServer(
        tmp_path / "ivshmem",
        LAYOUT,
        vectors=VECTORS,
        memory=GuestMemory(fd),
        resume=attachment,
    )
    await second.start()
    await second.wait_attached()
    await check_device(second, guest, irq=LAYOUT.num_interrupts)
    await second.close()


async def test_the_largest_memory_is_accepted(qemu: Qemu, tmp_path: Path) -> None:
    layout = Layout.plan(bar_size=2048 * MIB)
    server = IvshmemServer(tmp_path / "ivshmem", layout, vectors=3)
    await server.start()
    await qemu.start(*qemu_arguments(options(server)))
    await server.wait_attached()
    (bus,) = await qemu.execute("query-pci", {})  # type: ignore[misc]
    (device,) = [d for d in bus["devices"] if d["id"]["device"] == 0x1110]
    assert [r["size"] for r in device["regions"] if r["bar"] == 2] == [layout.size]
    await qemu.close()
    await server.close()


async def test_chardev_and_device_commands_are_qemus(
    server: IvshmemServer, qemu: Qemu
) -> None:
    """The installed QEMU knows every option that ``attach_commands`` gives it."""
    await qemu.start()
    _chardev_add, device_add = attach_commands(options(server), (7, 2))
    listed = await qemu.execute(
        "device-list-properties", {"typename": device_add.arguments["driver"]}
    )
    assert isinstance(listed, list)
    known = {entry["name"] for entry in listed}
    assert set(device_add.arguments) - {"driver", "id", "bus"} <= known
