"""QXLRom and its mode table: what a driver reads before anything else.

The default parameters give, byte for byte, the ROM of QEMU 11.1's own QXL with 64 MiB of
RAM (tests/vectors/qxl-rom.bin).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from qxl_device.errors import WindowError
from spice_protocol.qxl_dev import (
    MAX_CLIENT_MONITORS,
    QXL_ROM_MAGIC,
    QXLMode,
    QXLRam,
    QXLRom,
    QXLURect,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vd_interfaces.qxl import Head

__all__ = ["MAX_CLIENT_MONITORS", "NUM_MEMSLOTS", "Rom", "RomParameters", "build_rom"]

ROM_SIZE = 8192
PAGE_SIZE = 4096
NUM_MEMSLOTS = 8
"""Slots 0 (compatibility mode) to 7, as QEMU offers them."""
SLOT_ID_BITS = 8
SLOT_GEN_BITS = 8

_MONITORS_CONFIG_SIZE = 4 + MAX_CLIENT_MONITORS * QXLURect.SIZE
_CAPABILITIES_SIZE = 58

RAM_HEADER_SIZE = -(-QXLRam.SIZE // PAGE_SIZE) * PAGE_SIZE
"""Bytes kept for QXLRam at the end of the RAM window."""
DEFAULT_SURFACE0_SIZE = 16 << 20
MILLIMETRES_PER_PIXEL = 0.2936875
"""A 1280 x 1024 panel of 14.8 by 11.9 inches."""

MODE_SIZES = (
    (640, 480), (800, 480), (800, 600), (832, 624), (960, 640), (1024, 600),
    (1024, 768), (1152, 864), (1152, 870), (1280, 720), (1280, 760), (1280, 768),
    (1280, 800), (1280, 960), (1280, 1024), (1360, 768), (1366, 768), (1400, 1050),
    (1440, 900), (1600, 900), (1600, 1200), (1680, 1050), (1920, 1080), (1920, 1200),
    (1920, 1440), (2000, 2000), (2048, 1536), (2048, 2048), (2560, 1440),
    (2560, 1600), (2560, 2048), (2800, 2100), (3200, 2400), (3840, 2160),
    (4096, 2160), (7680, 4320), (8192, 4320),
)  # fmt: skip
"""Width and height of every mode, in the order that gives QEMU's mode ids."""


@dataclass(frozen=True, slots=True)
class RomParameters:
    """The sizes a driver is told; all in bytes."""

    display_id: int = 0
    ram_size: int = 64 << 20
    surface0_size: int = DEFAULT_SURFACE0_SIZE
    """Front part of RAM that holds the primary surface in compatibility mode; modes
    that need more are not listed."""
    n_surfaces: int = 1024

    def __post_init__(self) -> None:
        if self.ram_size % PAGE_SIZE or self.surface0_size % PAGE_SIZE:
            raise WindowError("RAM and surface 0 must be whole pages")
        if not 0 < self.surface0_size < self.ram_size - RAM_HEADER_SIZE:
            raise WindowError(
                f"a RAM window of {self.ram_size} bytes has no room for surface 0 "
                f"({self.surface0_size} bytes), commands and QXLRam"
            )

    @classmethod
    def for_ram(cls, display_id: int, ram_size: int) -> Self:
        """Fit surface 0 to a RAM window: a quarter of it, 16 MiB at most."""
        quarter = ram_size // 4 // PAGE_SIZE * PAGE_SIZE
        return cls(display_id, ram_size, min(DEFAULT_SURFACE0_SIZE, quarter))

    @property
    def ram_header_offset(self) -> int:
        """Where QXLRam starts in the RAM window."""
        return self.ram_size - RAM_HEADER_SIZE

    def modes(self) -> list[QXLMode]:
        """List the modes whose picture fits surface 0."""
        return [mode for mode in _all_modes() if self._fits(mode)]

    def _fits(self, mode: QXLMode) -> bool:
        return mode.y_res * mode.stride <= self.surface0_size


def _all_modes() -> Iterator[QXLMode]:
    number = 0
    for width, height in MODE_SIZES:
        for orientation in (0, 1):
            for bits in (16, 32):
                yield QXLMode(
                    id=number,
                    x_res=width,
                    y_res=height,
                    bits=bits,
                    stride=width * bits // 8,
                    x_mili=int(MILLIMETRES_PER_PIXEL * width),
                    y_mili=int(MILLIMETRES_PER_PIXEL * height),
                    orientation=orientation,
                )
                number += 1


def build_rom(parameters: RomParameters) -> bytes:
    """Return the ROM's 8192 bytes: QXLRom, QXLModes, zeros."""
    rom = QXLRom.zero()
    rom.magic = QXL_ROM_MAGIC
    rom.id = parameters.display_id
    rom.modes_offset = QXLRom.SIZE
    rom.pages_offset = rom.surface0_area_size = parameters.surface0_size
    rom.num_pages = (
        parameters.ram_size - RAM_HEADER_SIZE - parameters.surface0_size
    ) // PAGE_SIZE
    rom.ram_header_offset = parameters.ram_header_offset
    rom.n_surfaces = parameters.n_surfaces
    rom.slots_start = 1
    rom.slots_end = NUM_MEMSLOTS - 1
    rom.slot_gen_bits = SLOT_GEN_BITS
    rom.slot_id_bits = SLOT_ID_BITS
    modes = parameters.modes()
    table = struct.pack("<I", len(modes)) + b"".join(mode.pack() for mode in modes)
    return (rom.pack() + table).ljust(ROM_SIZE, b"\0")


class Rom:
    """The ROM window; only we write there, whatever the guest does to it."""

    def __init__(self, window: memoryview, parameters: RomParameters) -> None:
        """Build the ROM in *window*.

        Raises:
            WindowError: the window is smaller than the ROM.

        """
        if len(window) < ROM_SIZE:
            raise WindowError(f"a ROM window needs {ROM_SIZE} bytes, not {len(window)}")
        self.parameters = parameters
        self.modes = parameters.modes()
        self._window = window
        self._image = build_rom(parameters)
        self._clients = bytes(1 + _CAPABILITIES_SIZE)
        self.reset()

    def reset(self) -> None:
        """Write everything anew; what clients can do stays, their layout goes."""
        self._window[:ROM_SIZE] = self._image
        self._write_clients()

    def set_mode(self, number: int) -> None:
        """Tell the mode that QXL_IO_SET_MODE chose."""
        offset = QXLRom.offset("mode")
        self._window[offset : offset + 4] = number.to_bytes(4, "little")

    def set_client_capabilities(self, *, present: bool, capabilities: bytes) -> None:
        """Tell whether display clients are there and what all of them can do."""
        padded = capabilities[:_CAPABILITIES_SIZE].ljust(_CAPABILITIES_SIZE, b"\0")
        self._clients = bytes([present]) + padded
        self._write_clients()

    def _write_clients(self) -> None:
        offset = QXLRom.offset("client_present")
        self._window[offset : offset + len(self._clients)] = self._clients

    def set_client_monitors_config(self, heads: Sequence[Head]) -> bool:
        """Tell the layout that clients wish for; False if that is there already.

        A head has the place that its id says, up to 64; those between are empty.  The
        driver checks the CRC, so that it notices a layout half written.
        """
        shown = {head.id: head for head in heads if 0 <= head.id < MAX_CLIENT_MONITORS}
        config = struct.pack("<HH", max(shown, default=-1) + 1, 0)
        for number in range(max(shown, default=-1) + 1):
            head = shown.get(number)
            config += _pack_head(head) if head else bytes(QXLURect.SIZE)
        config = config.ljust(_MONITORS_CONFIG_SIZE, b"\0")
        crc = zlib.crc32(config, 0xFFFFFFFF) ^ 0xFFFFFFFF
        new = crc.to_bytes(4, "little") + config
        start = QXLRom.offset("client_monitors_config_crc")
        if self._window[start : start + len(new)] == new:
            return False
        self._window[start + 4 : start + len(new)] = config
        self._window[start : start + 4] = new[:4]
        return True


def _pack_head(head: Head) -> bytes:
    """Return a QXLURect; what does not fit 32 bits is cut to what does."""
    edges = (head.y, head.x, head.y + head.height, head.x + head.width)
    return struct.pack("<4I", *(min(max(edge, 0), 0xFFFFFFFF) for edge in edges))
