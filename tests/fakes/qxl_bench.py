"""A QXL device on a bench: every field of its RAM and every port in reach.

Where a driver would be polite, this is not: it writes any bytes anywhere.
"""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Self

from qxl_device.device import QXLDevice
from spice_common.command_batch import CommandBatch
from spice_protocol.qxl_dev import (
    QXLCommand,
    QXLHead,
    QxlInterrupt,
    QxlIo,
    QXLRam,
    QXLSurfaceCreate,
)
from tests.fakes.recording_worker import RecordingWorker
from vm_transport.in_process import InProcessTransport

if TYPE_CHECKING:
    from types import TracebackType

    from qxl_device.mode import Mode
    from qxl_device.rom import RomParameters

MIB = 1 << 20
RAM_SLOT, VRAM_SLOT = 1, 2


def physical(slot: int, offset: int) -> int:
    """Return the QXLPHYSICAL of *offset* in a slot of generation 0."""
    return slot << 56 | offset


class QxlBench:
    """Device, transport and worker, attached; use as a context manager."""

    def __init__(
        self,
        parameters: RomParameters | int = 0,
        *,
        ram_size: int = 2 * MIB,
        vram_size: int = MIB,
        heads: int = 64,
    ) -> None:
        self.transport = InProcessTransport(ram_size=ram_size, vram_size=vram_size)
        self.memory = self.transport.memory
        self.device = QXLDevice(self.transport, parameters, heads=heads)
        self.worker = RecordingWorker()
        self.batch = CommandBatch()
        self.interrupts = 0
        self.transport.guest_on_interrupt(self._on_interrupt)
        self.loop = asyncio.new_event_loop()
        self.device.attach(self.worker, self.loop)
        self.header = self.device.parts.ram.header

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Detach and let go of the memory."""
        self.device.detach()
        self.loop.close()
        self.transport.close()

    def _on_interrupt(self) -> None:
        self.interrupts += 1

    @property
    def mode(self) -> Mode:
        """The device's mode."""
        return self.device.mode

    # ---- QXLRam

    def put(self, field: str, code: str, *values: int) -> None:
        """Write a field of QXLRam."""
        struct.pack_into("<" + code, self.header, QXLRam.offset(field), *values)

    def get(self, field: str, code: str = "I") -> int:
        """Read a field of QXLRam."""
        value = struct.unpack_from("<" + code, self.header, QXLRam.offset(field))
        return int(value[0])

    def take_pending(self) -> QxlInterrupt:
        """Take int_pending as a driver's interrupt handler does."""
        pending = QxlInterrupt(self.get("int_pending"))
        self.put("int_pending", "I", 0)
        return pending

    # ---- ports

    def io(self, port: QxlIo | int, value: int = 0) -> bool:
        """Write to a port."""
        return self.transport.guest_io_write(int(port), value)

    def add_slot(self, slot: int, start: int, end: int, *, wait: bool = True) -> bool:
        """Add a memory slot of guest addresses."""
        self.put("mem_slot", "QQ", start, end)
        port = QxlIo.MEMSLOT_ADD if wait else QxlIo.MEMSLOT_ADD_ASYNC
        return self.io(port, slot)

    def add_slots(self) -> None:
        """Add the two slots that Linux' qxl.ko uses."""
        ram, vram = self.memory.ram, self.memory.vram
        header = self.device.parts.rom.parameters.ram_header_offset
        assert self.add_slot(RAM_SLOT, ram.address, ram.address + header)
        assert self.add_slot(VRAM_SLOT, vram.address, vram.end)

    def put_primary(
        self,
        width: int = 64,
        height: int = 64,
        stride: int = 256,
        surface_format: int = 32,
        mem: int = physical(VRAM_SLOT, 0),
    ) -> None:
        """Write QXLRam.create_surface."""
        create = QXLSurfaceCreate(
            width, height, stride, surface_format, 0, 0, 1, 0, mem
        )
        create.pack_into(self.header, QXLRam.offset("create_surface"))

    def create_primary(self, width: int = 64, height: int = 64) -> None:
        """Make a primary surface in VRAM, as a driver would."""
        self.put_primary(width, height, width * 4)
        assert self.io(QxlIo.CREATE_PRIMARY)

    def put_monitors(self, heads: list[QXLHead], offset: int = 0x1000) -> None:
        """Write a QXLMonitorsConfig into RAM and point QXLRam at it."""
        body = struct.pack("<HH", len(heads), 0) + b"".join(h.pack() for h in heads)
        self.memory.ram.view[offset : offset + len(body)] = body
        self.put("monitors_config", "Q", physical(RAM_SLOT, offset))

    # ---- rings

    def push(self, ring: str, *commands: QXLCommand) -> None:
        """Put commands into cmd_ring or cursor_ring, without a look at cons."""
        prod = self.get(f"{ring}.prod")
        for command in commands:
            item = QXLRam.offset(f"{ring}.items") + prod % 32 * QXLCommand.SIZE
            command.pack_into(self.header, item)
            prod = (prod + 1) & 0xFFFFFFFF
        self.put(f"{ring}.prod", "I", prod)
