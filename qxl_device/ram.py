"""QXLRam: the page at the end of RAM through which driver and device talk.

Every method that reads copies what it reads once; the driver may change it meanwhile.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from qxl_device.errors import WindowError
from spice_protocol.qxl_dev import (
    QXL_COMMAND_RING_SIZE,
    QXL_CURSOR_RING_SIZE,
    QXL_LOG_BUF_SIZE,
    QXL_RAM_MAGIC,
    QXL_RELEASE_RING_SIZE,
    QXLMemSlot,
    QXLRam,
    QXLRect,
    QXLSurfaceCreate,
)

if TYPE_CHECKING:
    from vm_transport.guest_memory import MemoryRegion

__all__ = ["Ram"]

_RING_HEADER = struct.Struct("<5I")
_RINGS = (
    ("cmd_ring", QXL_COMMAND_RING_SIZE),
    ("cursor_ring", QXL_CURSOR_RING_SIZE),
    ("release_ring", QXL_RELEASE_RING_SIZE),
)


class Ram:
    """The RAM window and the QXLRam in it."""

    def __init__(self, window: MemoryRegion, header_offset: int) -> None:
        """Find QXLRam at *header_offset*.

        Raises:
            WindowError: it does not lie inside the window.

        """
        self.window = window
        self.header = window.view[header_offset : header_offset + QXLRam.SIZE]
        """QXLRam."""
        if len(self.header) < QXLRam.SIZE:
            raise WindowError(f"no room for QXLRam at {header_offset:#x} of RAM")

    def reset(self) -> None:
        """Make QXLRam new: no interrupts pending, rings empty.

        Notification is asked for in all rings, so the first push rings the doorbell.
        What else stands there is left alone, as QEMU does: a Windows driver adds a
        memory slot from it after a reset.
        """
        self._put("<I", "magic", QXL_RAM_MAGIC)
        self._put("<I", "int_pending", 0)
        self._put("<I", "int_mask", 0)
        for name, num_items in _RINGS:
            offset = QXLRam.offset(name)
            _RING_HEADER.pack_into(self.header, offset, num_items, 0, 1, 0, 0)
        self._put("<Q", "release_ring.items", 0)
        self._put("<I", "update_surface", 0)
        self._put("<Q", "monitors_config", 0)

    def _put(self, code: str, field: str, value: int) -> None:
        struct.pack_into(code, self.header, QXLRam.offset(field), value)

    def ring_memory(self, field: str) -> memoryview:
        """Return the bytes of ``cmd_ring``, ``cursor_ring`` or ``release_ring``."""
        offset = QXLRam.offset(field)
        return self.header[offset : offset + QXLRam.size_of(field)]

    def mem_slot(self) -> QXLMemSlot:
        """Copy the argument of QXL_IO_MEMSLOT_ADD."""
        return QXLMemSlot.unpack_from(self.header, QXLRam.offset("mem_slot"))

    def create_surface(self) -> QXLSurfaceCreate:
        """Copy the argument of QXL_IO_CREATE_PRIMARY."""
        offset = QXLRam.offset("create_surface")
        return QXLSurfaceCreate.unpack_from(self.header, offset)

    def update_area(self) -> tuple[int, QXLRect]:
        """Copy the arguments of QXL_IO_UPDATE_AREA: surface id and area."""
        area = QXLRect.unpack_from(self.header, QXLRam.offset("update_area"))
        return self._u32("update_surface"), area

    def _u32(self, field: str) -> int:
        offset = QXLRam.offset(field)
        return int.from_bytes(self.header[offset : offset + 4], "little")

    def monitors_config(self) -> int:
        """Copy the argument of QXL_IO_MONITORS_CONFIG_ASYNC: a QXLPHYSICAL."""
        offset = QXLRam.offset("monitors_config")
        return int.from_bytes(self.header[offset : offset + 8], "little")

    def log_text(self) -> bytes:
        """Copy what the driver wrote for QXL_IO_LOG."""
        offset = QXLRam.offset("log_buf")
        return bytes(self.header[offset : offset + QXL_LOG_BUF_SIZE])
