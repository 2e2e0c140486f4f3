"""Draw a picture that any SPICE client can look at, with no VM at all.

``python examples/draw_to_a_client.py`` prints where; ``remote-viewer`` that address.
``draw`` is what a QXL driver does in a guest; the rest is what qxld does on the host.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct

from qxl_device.device import QXLDevice
from spice_common.ipc_ring import Producer
from spice_protocol.enums import SpiceBrushType, SpiceRopd, SpiceSurfaceFmt
from spice_protocol.qxl_dev import (
    QXL_COMMAND_RING_SIZE,
    QXLCmdType,
    QXLCommand,
    QXLDrawable,
    QxlDrawType,
    QXLEffectType,
    QXLFill,
    QxlIo,
    QXLMemSlot,
    QXLRam,
    QXLRect,
    QXLReleaseInfo,
    QXLRom,
    QXLSurfaceCreate,
)
from spice_server.config import ServerConfig
from spice_server.display.worker import DisplayWorker
from spice_server.inputs.no_input import NoInput
from spice_server.server import Server
from vm_transport.in_process import InProcessTransport

WIDTH, HEIGHT = 640, 480
BARS = (0xFFFFFF, 0xFFFF00, 0x00FFFF, 0x00FF00, 0xFF00FF, 0xFF0000, 0x0000FF, 0x000000)
SLOT = 1 << 56  # QXLPHYSICAL of memory slot 1


def draw(guest: InProcessTransport) -> None:
    """Be the guest's driver: show colour bars."""
    memory = guest.memory
    rom = QXLRom.unpack_from(memory.rom.view)
    ram = memory.ram.view[rom.ram_header_offset :]
    slot = QXLMemSlot(memory.ram.address, memory.ram.address + rom.ram_header_offset)
    slot.pack_into(ram, QXLRam.offset("mem_slot"))
    guest.guest_io_write(QxlIo.MEMSLOT_ADD, 1)
    xrgb = SpiceSurfaceFmt.FMT_32_xRGB
    screen = QXLSurfaceCreate(WIDTH, HEIGHT, WIDTH * 4, xrgb, 0, 0, 0, 0, SLOT)
    screen.pack_into(ram, QXLRam.offset("create_surface"))
    guest.guest_io_write(QxlIo.CREATE_PRIMARY, 0)
    ring = ram[QXLRam.offset("cmd_ring") :]
    commands = Producer(ring, num_items=QXL_COMMAND_RING_SIZE, item_size=16)
    for number, color in enumerate(BARS):
        address = rom.surface0_area_size + number * 256
        fill = QXLFill.zero()
        fill.brush.type, fill.brush.u = SpiceBrushType.SOLID, struct.pack("<I", color)
        fill.rop_descriptor = SpiceRopd.OP_PUT
        bar = QXLDrawable.zero()
        bar.release_info = QXLReleaseInfo(address)
        bar.type, bar.effect = QxlDrawType.DRAW_FILL, QXLEffectType.OPAQUE
        bar.bbox = QXLRect(0, number * WIDTH // 8, HEIGHT, (number + 1) * WIDTH // 8)
        bar.surfaces_dest = (-1, -1, -1)
        bar.u = fill.pack()
        bar.pack_into(memory.ram.view, address)
        if commands.push([QXLCommand(SLOT | address, QXLCmdType.DRAW).pack()]).notify:
            guest.guest_notify()
    guest.guest_io_write(QxlIo.FLUSH_SURFACES_ASYNC, 0)  # returns when all is drawn


async def serve() -> None:
    """Be the host: one QXL device, one worker, one SPICE server on a free port."""
    transport = InProcessTransport()
    worker = DisplayWorker(QXLDevice(transport))
    server = Server(ServerConfig(port=0, ticketing=False), NoInput())
    server.add_channel(worker.display)
    server.add_channel(worker.cursor)
    worker.start()
    await server.start()
    await asyncio.to_thread(draw, transport)
    print(f"spice://127.0.0.1:{server.control.port}", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await server.stop()
        worker.stop()
        transport.close()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())
