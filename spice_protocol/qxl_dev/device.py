"""ROM, RAM header, rings, memory slots and monitors (spice/qxl_dev.h)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from spice_protocol.qxl_dev.constants import (
    MAX_CLIENT_MONITORS,
    QXL_COMMAND_RING_SIZE,
    QXL_CURSOR_RING_SIZE,
    QXL_LOG_BUF_SIZE,
    QXL_RELEASE_RING_SIZE,
)
from spice_protocol.qxl_dev.geometry import QXLRect, QXLURect
from spice_protocol.wire import Array, Bytes, WireStruct, i32, u8, u16, u32, u64

__all__ = [
    "QXLCommand",
    "QXLCommandExt",
    "QXLCommandRing",
    "QXLCursorRing",
    "QXLHead",
    "QXLMemSlot",
    "QXLMode",
    "QXLModes",
    "QXLMonitorsConfig",
    "QXLRam",
    "QXLReleaseRing",
    "QXLRom",
    "QXLRomClientMonitorsConfig",
    "QXLSurfaceCreate",
    "join_physical",
    "split_physical",
]


class QXLRomClientMonitorsConfig(WireStruct):
    """The unnamed structure ``QXLRom.client_monitors_config``."""

    count: u16
    padding: u16
    heads: Annotated[tuple[QXLURect, ...], Array(QXLURect, MAX_CLIENT_MONITORS)]


class QXLRom(WireStruct):
    """First bytes of the ROM BAR: what the device is and has."""

    magic: u32
    id: u32
    update_id: u32
    compression_level: u32
    log_level: u32
    mode: u32
    modes_offset: u32
    num_pages: u32
    pages_offset: u32
    draw_area_offset: u32
    surface0_area_size: u32
    ram_header_offset: u32
    mm_clock: u32
    n_surfaces: u32
    flags: u64
    slots_start: u8
    slots_end: u8
    slot_gen_bits: u8
    slot_id_bits: u8
    slot_generation: u8
    client_present: u8
    client_capabilities: Annotated[bytes, Bytes(58)]
    client_monitors_config_crc: u32
    client_monitors_config: QXLRomClientMonitorsConfig


class QXLMode(WireStruct):
    """One entry of the ROM's mode table."""

    id: u32
    x_res: u32
    y_res: u32
    bits: u32
    stride: u32
    x_mili: u32
    y_mili: u32
    orientation: u32


class QXLModes(WireStruct):
    """Head of the ROM's mode table."""

    FLEXIBLE: ClassVar[str] = "modes"

    n_modes: u32


class QXLCommand(WireStruct):
    """One slot of the command and cursor rings; *data* is a QXLPHYSICAL."""

    data: u64
    type: u32
    padding: u32 = 0


class QXLCommandExt(WireStruct):
    """A command with the slot group its addresses belong to."""

    cmd: QXLCommand
    group_id: u32
    flags: u32


class QXLMemSlot(WireStruct):
    """Guest addresses a memory slot covers, end excluded."""

    mem_start: u64
    mem_end: u64


class QXLSurfaceCreate(WireStruct):
    """The primary surface to be (QXLRam.create_surface)."""

    width: u32
    height: u32
    stride: i32
    format: u32
    position: u32
    mouse_mode: u32
    flags: u32
    type: u32
    mem: u64


class QXLCommandRing(WireStruct):
    """``SPICE_RING_DECLARE(QXLCommandRing, QXLCommand, 32)``."""

    num_items: u32
    prod: u32
    notify_on_prod: u32
    cons: u32
    notify_on_cons: u32
    items: Annotated[tuple[QXLCommand, ...], Array(QXLCommand, QXL_COMMAND_RING_SIZE)]


class QXLCursorRing(WireStruct):
    """``SPICE_RING_DECLARE(QXLCursorRing, QXLCommand, 32)``."""

    num_items: u32
    prod: u32
    notify_on_prod: u32
    cons: u32
    notify_on_cons: u32
    items: Annotated[tuple[QXLCommand, ...], Array(QXLCommand, QXL_CURSOR_RING_SIZE)]


class QXLReleaseRing(WireStruct):
    """``SPICE_RING_DECLARE(QXLReleaseRing, uint64_t, 8)``."""

    num_items: u32
    prod: u32
    notify_on_prod: u32
    cons: u32
    notify_on_cons: u32
    items: Annotated[tuple[int, ...], Array(u64, QXL_RELEASE_RING_SIZE)]


class QXLRam(WireStruct):
    """The RAM header, last bytes of the RAM BAR that the ROM points to."""

    magic: u32
    int_pending: u32
    int_mask: u32
    log_buf: Annotated[bytes, Bytes(QXL_LOG_BUF_SIZE)]
    cmd_ring: QXLCommandRing
    cursor_ring: QXLCursorRing
    release_ring: QXLReleaseRing
    update_area: QXLRect
    update_surface: u32
    mem_slot: QXLMemSlot
    create_surface: QXLSurfaceCreate
    flags: u64
    monitors_config: u64


class QXLHead(WireStruct):
    """One monitor's place on a surface."""

    id: u32
    surface_id: u32
    width: u32
    height: u32
    x: u32
    y: u32
    flags: u32


class QXLMonitorsConfig(WireStruct):
    """How the guest arranged its monitors (QXL_IO_MONITORS_CONFIG_ASYNC)."""

    FLEXIBLE: ClassVar[str] = "heads"

    count: u16
    max_allowed: u16


def split_physical(
    address: int, slot_id_bits: int, slot_gen_bits: int
) -> tuple[int, int, int]:
    """Split a QXLPHYSICAL into slot id, slot generation and address in the slot.

    The slot id takes the highest *slot_id_bits*, the generation the *slot_gen_bits*
    below (QXLRom has both).
    """
    address_bits = 64 - slot_id_bits - slot_gen_bits
    slot_id = address >> (64 - slot_id_bits)
    generation = address >> address_bits & ((1 << slot_gen_bits) - 1)
    return slot_id, generation, address & ((1 << address_bits) - 1)


def join_physical(
    slot_id: int, generation: int, address: int, slot_id_bits: int, slot_gen_bits: int
) -> int:
    """Return the QXLPHYSICAL of *address* in a slot; :func:`split_physical`'s twin."""
    address_bits = 64 - slot_id_bits - slot_gen_bits
    return slot_id << (64 - slot_id_bits) | generation << address_bits | address
