from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from qxl_device.errors import WindowError
from qxl_device.rom import Rom, RomParameters, build_rom
from spice_protocol.qxl_dev import QXLRom
from vd_interfaces.qxl import Head

VECTOR = Path(__file__).parents[2] / "vectors/qxl_device/rom.bin"
MIB = 1 << 20


def test_default_rom_is_qemus_byte_for_byte():
    assert build_rom(RomParameters()) == VECTOR.read_bytes()


def test_window_holds_the_rom_and_nothing_else_is_touched():
    window = bytearray(b"\xa5" * 10000)
    Rom(memoryview(window), RomParameters())
    assert window[:8192] == VECTOR.read_bytes()
    assert set(window[8192:]) == {0xA5}


def test_sizes_follow_the_ram_window():
    parameters = RomParameters.for_ram(3, 16 * MIB)
    rom = QXLRom.unpack_from(build_rom(parameters))
    assert rom.id == 3
    assert rom.surface0_area_size == rom.pages_offset == 4 * MIB
    assert rom.ram_header_offset == 16 * MIB - 8192
    assert rom.num_pages == (16 * MIB - 8192 - 4 * MIB) // 4096
    assert all(mode.y_res * mode.stride <= 4 * MIB for mode in parameters.modes())
    assert RomParameters.for_ram(0, 256 * MIB).surface0_size == 16 * MIB


@pytest.mark.parametrize("ram_size", [8192, 3 * 4096])
def test_ram_too_small(ram_size):
    with pytest.raises(WindowError):
        RomParameters.for_ram(0, ram_size)


def test_ram_of_broken_pages():
    with pytest.raises(WindowError):
        RomParameters(ram_size=64 * MIB + 1)


def test_rom_window_too_small():
    with pytest.raises(WindowError):
        Rom(memoryview(bytearray(8191)), RomParameters())


def test_client_monitors_config_and_its_crc():
    window = bytearray(8192)
    rom = Rom(memoryview(window), RomParameters())
    rom.set_client_monitors_config(
        [Head(0, 0, 1234, 700, 0, 0), Head(1, 0, 800, 600, 1234, -5)]
    )
    config = bytes(window[132 : 132 + 1028])
    count, padding = struct.unpack_from("<HH", config)
    assert (count, padding) == (2, 0)
    assert struct.unpack_from("<4I", config, 4) == (0, 0, 700, 1234)
    assert struct.unpack_from("<4I", config, 20) == (0, 1234, 595, 2034)
    assert not any(config[36:])
    # Once more is no news; QEMU does not interrupt the guest for it either.
    assert not rom.set_client_monitors_config(
        [Head(0, 0, 1234, 700, 0, 0), Head(1, 0, 800, 600, 1234, -5)]
    )
    assert bytes(window[132 : 132 + 1028]) == config
    (crc,) = struct.unpack_from("<I", window, 128)
    # The same as Linux' crc32(0, config), which qxl.ko compares with.
    assert crc == zlib.crc32(config, 0xFFFFFFFF) ^ 0xFFFFFFFF


def test_monitors_that_are_off_are_empty_rectangles():
    window = bytearray(8192)
    rom = Rom(memoryview(window), RomParameters())
    assert rom.set_client_monitors_config([Head(2, 0, 800, 600, 10, 20)])
    told = QXLRom.unpack_from(window).client_monitors_config
    assert told.count == 3
    rects = [(r.left, r.top, r.right, r.bottom) for r in told.heads[:4]]
    assert rects == [(0,) * 4, (0,) * 4, (10, 20, 810, 620), (0,) * 4]
    # Another layout leaves nothing of it.
    assert rom.set_client_monitors_config([Head(0, 0, 1, 1, 0, 0)])
    assert not any(window[132 + 20 : 132 + 1028])


def test_more_monitors_than_the_rom_has_room_for():
    window = bytearray(8192)
    rom = Rom(memoryview(window), RomParameters())
    modes = bytes(window[1160:])
    rom.set_client_monitors_config([Head(n, 0, 10, 10, 0, 0) for n in range(100)])
    assert struct.unpack_from("<H", window, 132) == (64,)
    assert window[1160:] == modes


def test_capabilities_outlive_a_reset_and_a_layout_does_not():
    window = bytearray(8192)
    rom = Rom(memoryview(window), RomParameters())
    rom.set_client_capabilities(present=True, capabilities=b"\x07\x80" + bytes(80))
    rom.set_client_monitors_config([Head(0, 0, 10, 10, 0, 0)])
    rom.set_mode(5)
    window[0:4] = b"evil"
    rom.reset()
    told = QXLRom.unpack_from(window)
    assert told.client_present == 1
    assert told.client_capabilities == b"\x07\x80" + bytes(56)
    assert told.client_monitors_config_crc == told.client_monitors_config.count == 0
    assert told.mode == 0
    rom.set_client_capabilities(present=False, capabilities=b"")
    assert bytes(window) == VECTOR.read_bytes()
