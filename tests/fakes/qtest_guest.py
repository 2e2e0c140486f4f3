"""A guest without a CPU: QEMU's qtest protocol does what a driver's code would.

The machine stays stopped (``-S``); port and memory accesses come over qtest, so an
ivshmem device can be placed, its doorbell rung and its MSI-X messages received by a
test.  A message-signalled interrupt is a store of 32 bits: here it goes to RAM.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

__all__ = ["QTest", "QTestIvshmem"]

CONFIG_ADDRESS, CONFIG_DATA = 0xCF8, 0xCFC
PCI_ID = 0x1110_1AF4
COMMAND, BAR0 = 0x04, 0x10
COMMAND_MEMORY, COMMAND_MASTER = 0x2, 0x4
BAR0_PLACE, BAR1_PLACE, BAR2_PLACE = 0xFEBF0000, 0xFEBE0000, 0x80000000
DOORBELL = 0x0C
IV_POSITION = 0x08
MSIX_CAPABILITY = 0x11
MSIX_ENABLE = 1 << 31
MESSAGES = 0x100000
"""Where in RAM the interrupts' messages go, 4 bytes for each vector."""
HOTPLUG_EJECT, HOTPLUG_BUS = 0xAE08, 0xAE10
"""Registers of ACPI PCI hot-plug (QEMU's docs/specs/acpi_pci_hotplug)."""


class QTest:
    """The connection of a QEMU's ``-qtest``."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer

    async def command(self, text: str) -> list[str]:
        """Execute a command and return the words after OK."""
        self._writer.write(text.encode() + b"\n")
        words = (await self._reader.readline()).decode().split()
        assert words[:1] == ["OK"], (text, words)
        return words[1:]

    async def outl(self, port: int, value: int) -> None:
        await self.command(f"outl {port:#x} {value:#x}")

    async def inl(self, port: int) -> int:
        return int((await self.command(f"inl {port:#x}"))[0], 16)

    async def writel(self, address: int, value: int) -> None:
        await self.command(f"writel {address:#x} {value:#x}")

    async def readl(self, address: int) -> int:
        return int((await self.command(f"readl {address:#x}"))[0], 16)

    async def read(self, address: int, size: int) -> bytes:
        words = await self.command(f"read {address:#x} {size:#x}")
        return bytes.fromhex(words[0].removeprefix("0x"))

    def close(self) -> None:
        self._writer.close()


class QTestIvshmem:
    """The ivshmem device as its driver uses it."""

    def __init__(self, qtest: QTest, slot: int) -> None:
        self.qtest = qtest
        self.slot = slot

    @classmethod
    async def probe(cls, qtest: QTest, vectors: int) -> QTestIvshmem:
        """Find the device on bus 0, place its BARs and enable MSI-X."""
        for slot in range(32):
            device = cls(qtest, slot)
            if await device.config_read(0) == PCI_ID:
                break
        else:
            raise LookupError("there is no ivshmem device")
        for number, value in ((0, BAR0_PLACE), (1, BAR1_PLACE), (2, BAR2_PLACE)):
            await device.config_write(BAR0 + 4 * number, value)
        await device.config_write(BAR0 + 4 * 3, 0)
        await device.config_write(COMMAND, COMMAND_MEMORY | COMMAND_MASTER)
        await device._enable_msix(vectors)
        return device

    @staticmethod
    async def eject(qtest: QTest, slot: int) -> None:
        """Let go of a device after device_del, as the guest's ACPI code does."""
        await qtest.outl(HOTPLUG_BUS, 0)
        await qtest.outl(HOTPLUG_EJECT, 1 << slot)

    async def config_read(self, offset: int) -> int:
        address = 0x80000000 | self.slot << 11 | offset
        await self.qtest.outl(CONFIG_ADDRESS, address)
        return await self.qtest.inl(CONFIG_DATA)

    async def config_write(self, offset: int, value: int) -> None:
        address = 0x80000000 | self.slot << 11 | offset
        await self.qtest.outl(CONFIG_ADDRESS, address)
        await self.qtest.outl(CONFIG_DATA, value)

    async def _enable_msix(self, vectors: int) -> None:
        pointer = await self.config_read(0x34) & 0xFF
        while (word := await self.config_read(pointer)) & 0xFF != MSIX_CAPABILITY:
            pointer = word >> 8 & 0xFF
            assert pointer
        assert (word >> 16 & 0x7FF) + 1 == vectors
        for vector in range(vectors):
            entry = BAR1_PLACE + 16 * vector
            message = (MESSAGES + 4 * vector, 0, 0xA000 + vector, 0)
            for index, value in enumerate(message):
                await self.qtest.writel(entry + 4 * index, value)
        await self.config_write(pointer, word | MSIX_ENABLE)

    async def iv_position(self) -> int:
        return await self.qtest.readl(BAR0_PLACE + IV_POSITION)

    async def doorbell(self, peer: int, vector: int) -> None:
        await self.qtest.writel(BAR0_PLACE + DOORBELL, peer << 16 | vector)

    async def bar2(self, offset: int, size: int) -> bytes:
        return await self.qtest.read(BAR2_PLACE + offset, size)

    async def bar2_write(self, offset: int, *words: int) -> None:
        for index, word in enumerate(words):
            await self.qtest.writel(BAR2_PLACE + offset + 4 * index, word)

    async def wait_msix(self, vector: int) -> None:
        """Return when *vector*'s message has come; forget it."""
        while await self.qtest.readl(MESSAGES + 4 * vector) != 0xA000 + vector:
            pass
        await self.qtest.writel(MESSAGES + 4 * vector, 0)

    async def had_msix(self, vector: int) -> bool:
        return await self.qtest.readl(MESSAGES + 4 * vector) == 0xA000 + vector

    async def outb(self, io_offset: int, vector: int, request: tuple[int, int]) -> int:
        """Make an I/O request as qxl_ivshmem.h says; its status."""
        prod, entries, done = io_offset, io_offset + 128, io_offset + 64
        (index,) = struct.unpack("<I", await self.bar2(prod, 4))
        entry = entries + index % 64 * 16
        await self.bar2_write(entry, *request)
        await self.bar2_write(prod, index + 1)
        (peer,) = struct.unpack("<I", await self.bar2(24, 4))
        await self.doorbell(peer, vector)
        while struct.unpack("<I", await self.bar2(done, 4))[0] <= index:
            pass
        return int.from_bytes(await self.bar2(entry + 8, 4), "little")
