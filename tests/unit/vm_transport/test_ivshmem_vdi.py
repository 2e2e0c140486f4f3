from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from spice_protocol.vdi_dev import VDI_PORT_MAGIC, VDIPortRam
from tests.fakes.fake_qemu import FakeQemu
from tests.fakes.vdi_guest import RecordingPortHandler, VdiGuest
from vdiport.port import VdiPort
from vm_transport.ivshmem.header import Feature, QxlIvshmemHeader
from vm_transport.ivshmem.layout import Layout
from vm_transport.ivshmem.server import IvshmemServer

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.asyncio

MIB = 1 << 20


class Vm:
    """A server with a port, and a QEMU with a guest that uses it."""

    def __init__(self, path: Path) -> None:
        layout = Layout.plan(1, ram_size=8 * MIB, vram_size=MIB)
        self.server = IvshmemServer(path, layout)
        self.port = VdiPort(self.server.vdi)
        self.handler = RecordingPortHandler()

    async def start(self) -> None:
        self.port.attach(self.handler)
        self.port.start(asyncio.get_running_loop())
        await self.server.start()

    async def attach(self) -> VdiGuest:
        server = self.server
        self.qemu = FakeQemu(server.path, server.vectors)
        await asyncio.to_thread(self.qemu.realize)
        layout = server.layout
        await asyncio.to_thread(
            self.qemu.read_vectors, layout.num_doorbells + layout.num_interrupts
        )
        assert self.qemu.bar2 is not None
        header = QxlIvshmemHeader.unpack_from(self.qemu.bar2)
        assert header.features == Feature.IO_RING | Feature.VDI_PORT
        assert header.vdi_size >= VDIPortRam.SIZE
        self.header = header
        doorbell = header.server_peer_id << 16 | header.vdi_vector
        place = slice(header.vdi_offset, header.vdi_offset + VDIPortRam.SIZE)
        memory = memoryview(self.qemu.bar2)[place]
        return VdiGuest(memory, lambda: self.qemu.doorbell(doorbell))

    async def stop(self) -> None:
        self.port.stop()
        await self.server.close()


@pytest.fixture
def vm(tmp_path: Path) -> Vm:
    return Vm(tmp_path / "ivshmem.sock")


async def test_without_a_port_guests_are_not_offered_one(vm: Vm) -> None:
    await vm.server.start()
    header = QxlIvshmemHeader.unpack_from(vm.server.memory.view)
    assert header.features == Feature.IO_RING
    vm.server.vdi.reset()
    await vm.server.close()


async def test_doorbells_and_interrupts_reach_the_other_side(vm: Vm) -> None:
    await vm.start()
    guest = await vm.attach()
    guest.open()
    await vm.handler.until("opened")
    assert await asyncio.to_thread(vm.qemu.wait_msix, vm.header.vdi_irq_vector, 60.0)
    assert guest.connected
    guest.write(b"ping")
    await vm.handler.until("opened", data=b"ping")
    vm.port.write(b"pong")
    assert guest.read() == b"pong"
    vm.qemu.close()
    await vm.handler.until("opened", "closed")
    await vm.stop()


async def test_a_reset_machine_finds_an_empty_port(vm: Vm) -> None:
    await vm.start()
    guest = await vm.attach()
    guest.open()
    await vm.handler.until("opened")
    assert guest.connected
    guest.memory[-1] = 77
    await vm.server.machine_reset()
    assert vm.handler.events == ["opened", "closed"]
    assert guest.words["magic"].load() == VDI_PORT_MAGIC
    assert not any(guest.words[name].load() for name in ("guest_open", "generation"))
    assert guest.memory[-1] == 0
    vm.qemu.close()
    await vm.stop()


async def test_the_next_qemu_finds_nothing_of_the_last_ones(vm: Vm) -> None:
    await vm.start()
    guest = await vm.attach()
    guest.open()
    await vm.handler.until("opened")
    guest.memory[-1] = 77
    vm.qemu.close()
    await vm.server.wait_detached()
    guest = await vm.attach()
    assert guest.memory[-1] == 0
    guest.open()
    await vm.handler.until("opened", "closed", "opened")
    assert guest.connected
    vm.qemu.close()
    await vm.stop()
