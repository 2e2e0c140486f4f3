"""How a fake guest reaches its display: in this process, or through an ivshmem BAR2."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Protocol

from spice_common.atomics import AtomicU32
from vm_transport.guest_memory import MemoryRegion
from vm_transport.ivshmem.header import (
    DESC_OFFSET,
    IO_ENTRIES,
    GuestStatus,
    IoStatus,
    QxlIvshmemDisplay,
    QxlIvshmemHeader,
    QxlIvshmemIoEntry,
    QxlIvshmemIoRing,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from vm_transport.in_process import InProcessTransport

__all__ = ["GuestPort", "InProcessPort", "IvshmemPort"]


class GuestPort(Protocol):
    """What a driver needs of the machine."""

    @property
    def rom(self) -> MemoryRegion: ...
    @property
    def ram(self) -> MemoryRegion: ...
    @property
    def vram(self) -> MemoryRegion: ...

    def bind(self, *, bound: bool) -> None:
        """Say whether a driver serves the display."""

    def notify(self) -> None:
        """Ring: the command or the cursor ring has work."""

    def outb(self, port: int, value: int) -> bool:
        """Write to an I/O port and wait; whether it was legal."""

    def wait_interrupt(self, timeout: float) -> bool:
        """Wait for an interrupt; False: none came in *timeout* seconds."""


class InProcessPort:
    """A guest behind an ``InProcessTransport``."""

    def __init__(self, transport: InProcessTransport) -> None:
        self._transport = transport
        self.rom = transport.memory.rom
        self.ram = transport.memory.ram
        self.vram = transport.memory.vram

    def bind(self, *, bound: bool) -> None:
        self._transport.guest_bind(bound=bound)

    def notify(self) -> None:
        self._transport.guest_notify()

    def outb(self, port: int, value: int) -> bool:
        return self._transport.guest_io_write(port, value)

    def wait_interrupt(self, timeout: float) -> bool:
        return self._transport.guest_wait_interrupt(timeout)


class IvshmemPort:
    """A guest that has BAR2 mapped, as qxl_ivshmem.h tells it to behave.

    *ring* is the Doorbell register: it takes ``peer << 16 | vector``.  *wait* waits for
    MSI-X *vector* some seconds.  *wait_done* is called while a request is unfinished.
    """

    def __init__(
        self,
        bar2: memoryview,
        *,
        display: int = 0,
        ring: Callable[[int], None],
        wait: Callable[[int, float], bool],
        wait_done: Callable[[], None],
    ) -> None:
        self._bar2 = bar2
        self._display = display
        self._ring = ring
        self._wait = wait
        self._wait_done = wait_done
        header = QxlIvshmemHeader.unpack_from(bar2)
        assert header.header_size >= QxlIvshmemHeader.SIZE
        place = self.descriptor
        self.rom = _region(bar2, place.rom_offset, place.rom_size)
        self.ram = _region(bar2, place.ram_offset, place.ram_size)
        self.vram = _region(bar2, place.vram_offset, place.vram_size)
        self._io = _region(bar2, place.io_offset, place.io_size).view
        self._prod = AtomicU32(self._io, QxlIvshmemIoRing.offset("prod"))
        self._done = AtomicU32(self._io, QxlIvshmemIoRing.offset("done"))

    @property
    def descriptor(self) -> QxlIvshmemDisplay:
        offset = DESC_OFFSET + self._display * QxlIvshmemDisplay.SIZE
        return QxlIvshmemDisplay.unpack_from(self._bar2, offset)

    def bind(self, *, bound: bool) -> None:
        offset = QxlIvshmemHeader.offset("guest_status")
        AtomicU32(self._bar2, offset).store(int(GuestStatus.DRIVER) if bound else 0)

    def notify(self) -> None:
        self._doorbell(self.descriptor.notify_vector)

    def outb(self, port: int, value: int) -> bool:
        index = self._prod.load()
        entries = QxlIvshmemIoRing.offset("entries")
        entry = entries + index % IO_ENTRIES * QxlIvshmemIoEntry.SIZE
        struct.pack_into("<II", self._io, entry, port, value)
        self._prod.store((index + 1) & 0xFFFFFFFF)
        self._doorbell(self.descriptor.io_vector)
        while self._done.load() - index - 1 & 0x80000000:
            self._wait_done()
        return QxlIvshmemIoEntry.unpack_from(self._io, entry).status == IoStatus.OK

    def wait_interrupt(self, timeout: float) -> bool:
        return self._wait(self.descriptor.irq_vector, timeout)

    def _doorbell(self, vector: int) -> None:
        peer = QxlIvshmemHeader.unpack_from(self._bar2).server_peer_id
        self._ring(peer << 16 | vector)


def _region(bar2: memoryview, offset: int, size: int) -> MemoryRegion:
    return MemoryRegion(bar2, 0).sub(offset, size)
