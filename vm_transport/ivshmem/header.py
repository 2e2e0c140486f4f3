"""The structures of guest_drivers/include/qxl_ivshmem.h: one row per field.

That header is the contract and explains itself; this is its twin for the host.  A
parity test compiles it and compares every offset, size and constant.
"""

from __future__ import annotations

import enum
from typing import Annotated, Final

from spice_protocol.wire import Array, WireStruct, u16, u32, u64

__all__ = [
    "DESC_OFFSET",
    "HEADER_WINDOW",
    "IO_ENTRIES",
    "MAGIC",
    "MAX_DISPLAYS",
    "VERSION_MAJOR",
    "VERSION_MINOR",
    "Feature",
    "GuestStatus",
    "IoStatus",
    "QxlIvshmemDisplay",
    "QxlIvshmemHeader",
    "QxlIvshmemIoEntry",
    "QxlIvshmemIoRing",
]

MAGIC: Final = 0x444C5851
VERSION_MAJOR: Final = 1
VERSION_MINOR: Final = 0
HEADER_WINDOW: Final = 4096
MAX_DISPLAYS: Final = 16
IO_ENTRIES: Final = 64


class Feature(enum.IntFlag):
    """QXL_IVSHMEM_FEATURE_*."""

    IO_RING = 1 << 0
    VDI_PORT = 1 << 1


class GuestStatus(enum.IntFlag):
    """QXL_IVSHMEM_GUEST_*."""

    DRIVER = 1 << 0


class IoStatus(enum.IntEnum):
    """QXL_IVSHMEM_IO_*: how a request ended."""

    OK = 0
    EINVAL = 1


class QxlIvshmemDisplay(WireStruct):
    """``struct qxl_ivshmem_display``: where one display's memories are."""

    rom_offset: u64
    rom_size: u64
    ram_offset: u64
    ram_size: u64
    vram_offset: u64
    vram_size: u64
    io_offset: u64
    io_size: u32
    notify_vector: u16
    io_vector: u16
    irq_vector: u16
    reserved: Annotated[tuple[int, ...], Array(u16, 3)] = (0, 0, 0)


class QxlIvshmemHeader(WireStruct):
    """``struct qxl_ivshmem_header``, at the start of BAR2."""

    magic: u32
    version_major: u16
    version_minor: u16
    header_size: u32
    features: u32
    size: u64
    server_peer_id: u32
    server_epoch: u32
    guest_features: u32
    guest_status: u32
    vdi_offset: u64
    vdi_size: u64
    vdi_vector: u16
    vdi_irq_vector: u16
    num_displays: u16
    display_desc_size: u16
    display_desc_offset: u32
    reserved: u32 = 0


class QxlIvshmemIoEntry(WireStruct):
    """``struct qxl_ivshmem_io_entry``: one request."""

    port: u32
    value: u32
    status: u32
    reserved: u32 = 0


class QxlIvshmemIoRing(WireStruct):
    """``struct qxl_ivshmem_io_ring``: what BAR3 is to a PCI QXL."""

    prod: u32
    reserved0: Annotated[tuple[int, ...], Array(u32, 15)]
    done: u32
    reserved1: Annotated[tuple[int, ...], Array(u32, 15)]
    entries: Annotated[
        tuple[QxlIvshmemIoEntry, ...], Array(QxlIvshmemIoEntry, IO_ENTRIES)
    ]


DESC_OFFSET: Final = QxlIvshmemHeader.SIZE
"""Where we put the display descriptors."""
