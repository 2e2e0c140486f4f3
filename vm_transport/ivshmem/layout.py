"""Where everything lies in BAR2, and which vector means what.

::

    0        header and display descriptors
    4 KiB    I/O request ring of each display, a page each
    ...      ROM of each display, 64 KiB each; the VDI port, 192 KiB
    ...      RAM, then VRAM of each display, from a whole MiB on
    size     a power of two: PCI knows no other BARs, and QEMU aborts on them
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from vm_transport.errors import LayoutError
from vm_transport.ivshmem import header
from vm_transport.ivshmem.header import Feature, QxlIvshmemDisplay, QxlIvshmemHeader

__all__ = [
    "DEFAULT_RAM_SIZE",
    "DEFAULT_VECTORS",
    "DEFAULT_VRAM_SIZE",
    "DisplayPlace",
    "Layout",
    "Window",
]

PAGE: Final = 4096
KIB: Final = 1 << 10
MIB: Final = 1 << 20

ROM_SIZE: Final = 64 * KIB
"""QXLRom, its monitors config and more modes than drivers read take under 16 KiB."""
VDI_SIZE: Final = 192 * KIB
"""VDIPortRam takes a little more than its two rings of 64 KiB."""
DEFAULT_RAM_SIZE: Final = 64 * MIB
DEFAULT_VRAM_SIZE: Final = 32 * MIB
MIN_RAM_SIZE: Final = 8 * MIB
"""A 1024 x 768 primary surface with as much again for commands, and the rings."""
MIN_VRAM_SIZE: Final = 4 * KIB
MAX_BAR_SIZE: Final = 2048 * MIB
"""A BAR below 4 GiB is what every firmware can place and every driver can map."""
DEFAULT_VECTORS: Final = 32
MAX_VECTORS: Final = 256
"""The Doorbell register's slow path in QEMU keeps 8 bits of the vector."""


@dataclass(frozen=True, slots=True)
class Window:
    """A range of BAR2."""

    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class DisplayPlace:
    """One display's windows and vectors."""

    io: Window
    rom: Window
    ram: Window
    vram: Window
    notify_vector: int
    io_vector: int
    irq: int
    """Which of the interrupts; its vector is ``irq_base`` + this."""


@dataclass(frozen=True, slots=True)
class Layout:
    """All windows and vectors of one BAR2."""

    size: int
    displays: tuple[DisplayPlace, ...]
    vdi: Window
    vdi_vector: int
    vdi_irq: int

    @property
    def num_doorbells(self) -> int:
        """Doorbell vectors: two of each display and the VDI port's."""
        return 2 * len(self.displays) + 1

    @property
    def num_interrupts(self) -> int:
        """Interrupts: one of each display and the VDI port's."""
        return len(self.displays) + 1

    def beside_devices(self) -> list[Window]:
        """Return what is nobody's: the header, and what alignment leaves."""
        windows = [self.vdi]
        for place in self.displays:
            windows += [place.io, place.rom, place.ram, place.vram]
        taken = sorted(windows, key=lambda window: window.offset)
        starts = [0, *(window.offset + window.size for window in taken)]
        ends = [*(window.offset for window in taken), self.size]
        return [
            Window(start, end - start)
            for start, end in zip(starts, ends, strict=True)
            if end > start
        ]

    @classmethod
    def plan(
        cls,
        displays: int = 1,
        *,
        ram_size: int = DEFAULT_RAM_SIZE,
        vram_size: int = DEFAULT_VRAM_SIZE,
        bar_size: int | None = None,
    ) -> Layout:
        """Lay out *displays* displays; ``bar_size`` ``None``: what they need.

        Raises:
            LayoutError: the sizes make no sense or do not fit; the text says which.

        """
        if not 1 <= displays <= header.MAX_DISPLAYS:
            raise LayoutError(
                f"{displays} displays: there can be 1 to {header.MAX_DISPLAYS}"
            )
        _check_memory("RAM", ram_size, MIN_RAM_SIZE)
        _check_memory("VRAM", vram_size, MIN_VRAM_SIZE)
        io = header.HEADER_WINDOW
        rom = _align(io + displays * PAGE, ROM_SIZE)
        vdi = rom + displays * ROM_SIZE
        ram = _align(vdi + VDI_SIZE, MIB)
        ram_stride = _align(ram_size, MIB)
        vram = ram + displays * ram_stride
        vram_stride = _align(vram_size, MIB)
        places = tuple(
            DisplayPlace(
                io=Window(io + k * PAGE, PAGE),
                rom=Window(rom + k * ROM_SIZE, ROM_SIZE),
                ram=Window(ram + k * ram_stride, ram_size),
                vram=Window(vram + k * vram_stride, vram_size),
                notify_vector=2 * k,
                io_vector=2 * k + 1,
                irq=k,
            )
            for k in range(displays)
        )
        return cls(
            size=_bar_size(vram + displays * vram_stride, bar_size),
            displays=places,
            vdi=Window(vdi, VDI_SIZE),
            vdi_vector=2 * displays,
            vdi_irq=displays,
        )

    def check_vectors(self, vectors: int) -> None:
        """Check the ``vectors=`` property of the ivshmem-doorbell device.

        Raises:
            LayoutError: too few for the displays, or more than QEMU can address.

        """
        needed = max(self.num_doorbells, self.num_interrupts)
        if not needed <= vectors <= MAX_VECTORS:
            raise LayoutError(
                f"vectors={vectors}: {len(self.displays)} displays need {needed}, "
                f"at most {MAX_VECTORS} work"
            )

    def header(self, *, features: Feature) -> QxlIvshmemHeader:
        """Return the header, not yet valid: magic, peer and epoch are 0."""
        return QxlIvshmemHeader(
            magic=0,
            version_major=header.VERSION_MAJOR,
            version_minor=header.VERSION_MINOR,
            header_size=QxlIvshmemHeader.SIZE,
            features=features,
            size=self.size,
            server_peer_id=0,
            server_epoch=0,
            guest_features=0,
            guest_status=0,
            vdi_offset=self.vdi.offset,
            vdi_size=self.vdi.size,
            vdi_vector=self.vdi_vector,
            vdi_irq_vector=self.vdi_irq,
            num_displays=len(self.displays),
            display_desc_size=QxlIvshmemDisplay.SIZE,
            display_desc_offset=header.DESC_OFFSET,
        )

    def descriptors(self, irq_base: int = 0) -> list[QxlIvshmemDisplay]:
        """Return the display descriptors; interrupts use vectors from *irq_base* on."""
        return [
            QxlIvshmemDisplay(
                rom_offset=place.rom.offset,
                rom_size=place.rom.size,
                ram_offset=place.ram.offset,
                ram_size=place.ram.size,
                vram_offset=place.vram.offset,
                vram_size=place.vram.size,
                io_offset=place.io.offset,
                io_size=place.io.size,
                notify_vector=place.notify_vector,
                io_vector=place.io_vector,
                irq_vector=irq_base + place.irq,
            )
            for place in self.displays
        ]


def _align(value: int, alignment: int) -> int:
    return -(-value // alignment) * alignment


def _check_memory(name: str, size: int, minimum: int) -> None:
    if size < minimum or size % PAGE:
        raise LayoutError(
            f"{name} of {size} bytes: it must be whole pages of {PAGE} bytes "
            f"and at least {minimum // KIB} KiB"
        )


def _bar_size(needed: int, requested: int | None) -> int:
    smallest = 1 << (needed - 1).bit_length()
    if smallest > MAX_BAR_SIZE:
        raise LayoutError(
            f"the displays need {needed / MIB:.1f} MiB; shared memory can be at most "
            f"{MAX_BAR_SIZE // MIB} MiB"
        )
    if requested is None:
        return smallest
    advice = f"the displays need {needed / MIB:.1f} MiB, so ask for {smallest // MIB}"
    if requested <= 0 or requested & (requested - 1):
        raise LayoutError(
            f"shared memory of {requested} bytes is not a power of two ({advice} MiB)"
        )
    if requested < needed:
        raise LayoutError(
            f"shared memory of {requested / MIB:g} MiB is too small ({advice} MiB)"
        )
    if requested > MAX_BAR_SIZE:
        raise LayoutError(
            f"shared memory of {requested // MIB} MiB is too large: "
            f"at most {MAX_BAR_SIZE // MIB} MiB"
        )
    return requested
