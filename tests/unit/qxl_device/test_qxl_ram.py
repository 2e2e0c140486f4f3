from __future__ import annotations

from pathlib import Path

import pytest

from qxl_device.errors import WindowError
from qxl_device.ram import Ram
from spice_protocol.qxl_dev import QXLMemSlot, QXLRam, QXLRect, QXLSurfaceCreate
from vm_transport.guest_memory import MemoryRegion

VECTOR = Path(__file__).parents[2] / "vectors/qxl_device/ram-header.bin"


def make_ram(size: int = 8192) -> Ram:
    return Ram(MemoryRegion(memoryview(bytearray(size)), 0), size - 8192)


def test_header_is_qemus_but_for_the_interrupt_of_its_spice_server():
    ram = make_ram()
    ram.reset()
    expected = bytearray(VECTOR.read_bytes())
    expected[4:8] = bytes(4)
    assert bytes(ram.window.view) == expected


def test_reset_leaves_the_arguments_of_ports_alone():
    ram = make_ram(3 * 8192)
    slot = QXLMemSlot(0x1000, 0x2000)
    slot.pack_into(ram.header, QXLRam.offset("mem_slot"))
    ram.header[QXLRam.offset("int_mask")] = 0xFF
    ram.header[QXLRam.offset("cmd_ring.prod")] = 9
    ram.reset()
    assert ram.mem_slot() == slot
    assert ram.header[QXLRam.offset("int_mask")] == 0
    assert ram.header[QXLRam.offset("cmd_ring.prod")] == 0


def test_arguments():
    ram = make_ram()
    create = QXLSurfaceCreate(1, 2, -4, 32, 5, 6, 7, 0, 9 << 56)
    create.pack_into(ram.header, QXLRam.offset("create_surface"))
    area = QXLRect(-1, 2, 3, 4)
    area.pack_into(ram.header, QXLRam.offset("update_area"))
    ram.header[QXLRam.offset("update_surface")] = 7
    offset = QXLRam.offset("monitors_config")
    ram.header[offset : offset + 8] = bytes(range(8))
    offset = QXLRam.offset("log_buf")
    ram.header[offset : offset + 5] = b"hello"
    assert ram.create_surface() == create
    assert ram.update_area() == (7, area)
    assert ram.monitors_config() == 0x0706050403020100
    assert ram.log_text() == b"hello" + bytes(4091)


def test_rings_have_their_sizes():
    ram = make_ram()
    sizes = [
        len(ram.ring_memory(name))
        for name in ("cmd_ring", "cursor_ring", "release_ring")
    ]
    assert sizes == [20 + 32 * 16, 20 + 32 * 16, 20 + 8 * 8]


def test_no_room():
    with pytest.raises(WindowError):
        Ram(MemoryRegion(memoryview(bytearray(8192)), 0), 4096)
