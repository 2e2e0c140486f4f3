from __future__ import annotations

import pytest

from qxl_device.errors import GuestBug, GuestError
from qxl_device.memslot import Memslots
from qxl_device.primary import check_primary, compat_primary
from qxl_device.rom import RomParameters
from spice_protocol.qxl_dev import QXLSurfaceCreate
from tests.fakes.qxl_bench import physical
from vm_transport.in_process import InProcessTransport


@pytest.fixture
def transport():
    transport = InProcessTransport(ram_size=1 << 21, vram_size=1 << 16)
    yield transport
    transport.close()


@pytest.fixture
def slots(transport):
    slots = Memslots(transport.memory)
    slots.add(2, transport.memory.vram.address, transport.memory.vram.end)
    return slots


def create(width=64, height=64, stride=256, pixels=32, mem=2 << 56 | 0x4000):
    return QXLSurfaceCreate(width, height, stride, pixels, 0, 0, 1, 0, mem)


@pytest.mark.parametrize(
    ("width", "stride", "pixels"),
    [
        (64, 256, 32), (64, 256, 96), (64, 128, 16), (63, 128, 80), (64, -256, 32),
        (60, 256, 32),
    ],
)  # fmt: skip
def test_good(slots, transport, width, stride, pixels):
    surface = check_primary(create(width, 64, stride, pixels), slots)
    assert (surface.width, surface.height) == (width, 64)
    assert (surface.stride, surface.format, surface.flags) == (stride, pixels, 1)
    assert len(surface.memory) == abs(stride) * 64
    transport.memory.vram.view[0x4000] = 77
    assert surface.memory[0] == 77


@pytest.mark.parametrize(
    ("width", "height", "stride", "pixels"),
    [
        (0, 64, 256, 32), (64, 0, 256, 32), (32768, 1, 131072, 32),
        (1, 32768, 4, 32), (0xFFFFFFFF, 1, 4, 32), (64, 64, 255, 32),
        (64, 64, 252, 32), (64, 64, 0, 32), (64, 64, -(1 << 31), 33),
        (64, 64, 256, 0), (64, 64, 256, 1), (64, 64, 256, 8), (64, 64, 258, 32),
        (65, 64, 128, 16),
    ],
)  # fmt: skip
def test_impossible(slots, width, height, stride, pixels):
    with pytest.raises(GuestBug):
        check_primary(create(width, height, stride, pixels), slots)


def test_not_aligned(slots):
    with pytest.raises(GuestBug):
        check_primary(create(mem=physical(2, 2)), slots)


@pytest.mark.parametrize(
    ("stride", "mem"),
    [(256, physical(3, 0)), (256, physical(2, 0xD000)), (-(1 << 31), physical(2, 0))],
)
def test_not_in_memory(slots, stride, mem):
    with pytest.raises(GuestError):
        check_primary(create(stride=stride, mem=mem), slots)


def test_a_mode_of_the_rom_lies_bottom_up_at_the_start_of_ram(transport):
    parameters = RomParameters.for_ram(0, 64 << 20)
    mode = parameters.modes()[3]
    surface = compat_primary(mode, transport.memory.ram, 640 * 480 * 4)
    assert (surface.width, surface.height, surface.stride) == (640, 480, -2560)
    assert len(surface.memory) == 640 * 480 * 4
    with pytest.raises(GuestBug):
        compat_primary(mode, transport.memory.ram, 640 * 480 * 4 - 1)
