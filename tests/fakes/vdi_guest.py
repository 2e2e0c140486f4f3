"""The guest's end of a VDI port: a driver in Python and the program that opened it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from spice_common.atomics import AtomicU32
from spice_protocol.vdi_dev import VDI_PORT_MAGIC, VDIPortRam, VDIPortRing
from vdiport.byte_ring import ByteConsumer, ByteProducer

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RecordingPortHandler", "VdiGuest"]


class VdiGuest:
    """It does what qxl_ivshmem.h asks of a guest, and nothing else."""

    def __init__(self, memory: memoryview, notify: Callable[[], None]) -> None:
        """Use the port in *memory*; *notify* rings its doorbell."""
        self.memory = memory
        self._notify = notify
        self.words = {
            name: AtomicU32(memory, VDIPortRam.offset(name))
            for name in (
                *("magic", "generation", "int_pending", "int_mask"),
                *("guest_open", "host_open"),
            )
        }
        input_at, output_at = map(VDIPortRam.offset, ("input", "output"))
        self.input = ByteConsumer(memory[input_at : input_at + VDIPortRing.SIZE])
        self.output = ByteProducer(memory[output_at : output_at + VDIPortRing.SIZE])
        self._opening = self.words["host_open"].load()
        self.generation = 0
        """Of the connection, 0 before it was seen."""

    def open(self) -> None:
        """Ask for a connection; another opening ends."""
        assert self.words["magic"].load() == VDI_PORT_MAGIC
        self.words["int_mask"].store(1)
        self._opening = (self._opening + 1) & 0xFFFFFFFF or 1
        self.generation = 0
        self.words["guest_open"].store(self._opening)
        self._notify()

    def close(self) -> None:
        """Close it."""
        self.words["guest_open"].store(0)
        self._notify()

    @property
    def answered(self) -> bool:
        """Whether the host has seen this opening."""
        return self.words["host_open"].load() == self._opening

    @property
    def connected(self) -> bool:
        """Whether the connection is alive; its rings are ours from the first look."""
        if not self.answered:
            return False
        generation = self.words["generation"].load()
        if generation and not self.generation:
            self.generation = generation
            self.input.restart()
            self.output.restart()
        return generation != 0 and generation == self.generation

    def write(self, data: bytes) -> int:
        """Write what finds room; how much that was."""
        assert self.connected
        written = self.output.write(data)
        if written.notify:
            self._notify()
        if written.size < len(data):
            self.output.wait()
        return written.size

    def read(self, limit: int = 1 << 20) -> bytes:
        """Read what there is, up to *limit* bytes."""
        assert self.generation or self.connected
        taken = self.input.take(limit)
        if taken.notify:
            self._notify()
        if not taken.data:
            self.input.wait()
        return taken.data

    def take_interrupt(self) -> bool:
        """Whether an interrupt is pending; it is not afterwards."""
        return self.words["int_pending"].exchange(0) != 0


class RecordingPortHandler:
    """A ``PortHandler`` that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[str] = []
        """``opened``, ``closed`` and ``writable`` in order."""
        self.data = bytearray()
        """What came since the port was opened last."""
        self.on_data: Callable[[bytes], None] | None = None
        """Called with all that comes."""
        self._changed = asyncio.Event()

    def port_opened(self) -> None:
        self.data.clear()
        self._note("opened")

    def port_closed(self) -> None:
        self._note("closed")

    def port_data(self, data: bytes) -> None:
        self.data += data
        self._changed.set()
        if self.on_data is not None:
            self.on_data(data)

    def port_writable(self) -> None:
        self._note("writable")

    def _note(self, event: str) -> None:
        self.events.append(event)
        self._changed.set()

    async def until(self, *events: str, data: bytes | None = None) -> None:
        """Wait until it was told *events* and, if given, *data* since it was opened."""
        while self.events != [*events] or data not in (None, self.data):
            self._changed.clear()
            await self._changed.wait()
