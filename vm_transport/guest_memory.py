"""Memory shared with a guest, and bounds-checked views of it.

Nothing here copies: a :class:`MemoryRegion` is a window on the mapping, and what lies
there may change at any moment.  Read every structure once, into bytes of your own.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from vm_transport.errors import MemoryRangeError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["DisplayMemory", "GuestMemory", "MemoryRegion"]


@dataclass(slots=True)
class MemoryRegion:
    """A contiguous piece of guest memory that starts at a guest address."""

    view: memoryview
    """Writable bytes (format ``B``)."""
    address: int
    """Guest address of the first byte."""

    @property
    def size(self) -> int:
        """Bytes in the region."""
        return len(self.view)

    @property
    def end(self) -> int:
        """Guest address after the last byte."""
        return self.address + len(self.view)

    def sub(self, offset: int, size: int) -> MemoryRegion:
        """Return *size* bytes from *offset* on, as a region.

        Raises:
            MemoryRangeError: they do not all lie in this region.

        """
        if offset < 0 or size < 0 or offset + size > len(self.view):
            raise MemoryRangeError(
                f"{size} bytes at {offset:#x} leave a region of {len(self.view)} bytes"
            )
        return MemoryRegion(self.view[offset : offset + size], self.address + offset)

    def find(self, start: int, end: int) -> MemoryRegion | None:
        """Return guest addresses *start* to *end* (excluded), ``None`` if not here."""
        if not self.address <= start < end <= self.end:
            return None
        return self.sub(start - self.address, end - start)


@dataclass(slots=True)
class DisplayMemory:
    """The three memories of one QXL display (BARs 2, 0 and 1 of the PCI device)."""

    rom: MemoryRegion
    """Where QXLRom and the mode table go; the guest reads it."""
    ram: MemoryRegion
    """The drawing area; QXLRam lies at its end (rom.ram_header_offset)."""
    vram: MemoryRegion
    """Memory for off-screen surfaces."""

    def find_slot(self, start: int, end: int) -> MemoryRegion | None:
        """Resolve a QXLMemSlot's mem_start and mem_end (excluded).

        ``None``: empty, or not wholly inside RAM or wholly inside VRAM.
        """
        return self.ram.find(start, end) or self.vram.find(start, end)


class GuestMemory:
    """A file mapped here and, by its descriptor, in QEMU."""

    def __init__(self, fd: int) -> None:
        """Map all of *fd* and own it from now on."""
        self._fd = fd
        self._mmap = mmap.mmap(fd, 0, mmap.MAP_SHARED)
        self.view = memoryview(self._mmap)
        """All of it, writable."""

    @classmethod
    def create(cls, size: int, name: str = "qxld") -> Self:
        """Create *size* bytes of zeroed anonymous memory that nobody can shrink.

        A peer that truncated it would kill us with SIGBUS: hence the seal.
        """
        fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(fd, size)
            fcntl.fcntl(
                fd,
                fcntl.F_ADD_SEALS,
                fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL,
            )
            return cls(fd)
        except BaseException:
            os.close(fd)
            raise

    def fileno(self) -> int:
        """Return the descriptor to hand to QEMU."""
        return self._fd

    @property
    def size(self) -> int:
        """Bytes mapped."""
        return len(self._mmap)

    def region(self, offset: int, size: int) -> MemoryRegion:
        """Return *size* bytes from *offset* on; its guest address is the offset.

        Raises:
            MemoryRangeError: they do not all lie in this memory.

        """
        return MemoryRegion(self.view, 0).sub(offset, size)

    def discard(self, offset: int, size: int) -> None:
        """Give whole pages back to the system; they read as zero from then on."""
        self._mmap.madvise(mmap.MADV_REMOVE, offset, size)

    def close(self) -> None:
        """Close the descriptor; the mapping lives until its last view is gone."""
        if self._fd < 0:
            return
        os.close(self._fd)
        self._fd = -1
        self.view.release()
        # Regions may still be in use somewhere: then the garbage collector unmaps.
        with contextlib.suppress(BufferError):
            self._mmap.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
