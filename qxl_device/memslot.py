"""Memory slots: which of its memory the guest lets the device use.

QXLMemSlot's addresses are the transport's business (BAR2 offsets on ivshmem, physical
addresses on PCI); from then on a QXLPHYSICAL counts from the start of its slot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qxl_device.errors import GuestBug, GuestError
from qxl_device.rom import NUM_MEMSLOTS, SLOT_GEN_BITS, SLOT_ID_BITS
from spice_common.errors import BadAddressError
from spice_common.memslot import MemslotTable

if TYPE_CHECKING:
    from vm_transport.guest_memory import DisplayMemory

__all__ = ["WORD_SIZE", "Memslots"]

WORD_SIZE = 4
"""Bytes that slots and surfaces are aligned to: one pixel of 32 bits."""


class Memslots:
    """The guest's memory slots, over the table that the C core resolves with."""

    def __init__(self, memory: DisplayMemory) -> None:
        """No slot is active; they will lie in *memory*."""
        self.table = MemslotTable(id_bits=SLOT_ID_BITS, generation_bits=SLOT_GEN_BITS)
        """What the C core resolves addresses with; changed only here."""
        self._memory = memory

    @property
    def active(self) -> list[int]:
        """Ids of the slots that can be used."""
        return [number for number in range(NUM_MEMSLOTS) if number in self.table]

    def add(self, slot_id: int, start: int, end: int) -> None:
        """Make guest addresses *start* to *end* (excluded) slot *slot_id*.

        The generation is always 0, as in QEMU: a slot is deleted before it is added
        anew, and drivers take QXLRom.slot_generation as it was when they loaded.

        Raises:
            GuestBug: the id is not offered or in use, or the addresses are not memory
                of this display or not aligned.
            GuestError: the same for slot 0, which Windows' driver adds with stale
                addresses after a reset and never uses.

        """
        if not 0 <= slot_id < NUM_MEMSLOTS:
            raise GuestBug(f"memory slot {slot_id} of {NUM_MEMSLOTS}")
        if slot_id in self.table:
            raise GuestBug(f"memory slot {slot_id} is already active")
        region = self._memory.find_slot(start, end)
        if region is None:
            error = GuestError if slot_id == 0 else GuestBug
            raise error(
                f"memory slot {slot_id}: {start:#x} to {end:#x} is not RAM or VRAM"
            )
        if start % WORD_SIZE:
            # Then a surface at an even address of the slot is not aligned either.
            raise GuestBug(f"memory slot {slot_id} at {start:#x} is not aligned")
        self.table.add(slot_id, 0, region.view)

    def delete(self, slot_id: int) -> None:
        """Forget a slot; one that is not active stays so.

        Raises:
            GuestBug: the id is not offered.

        """
        if not 0 <= slot_id < NUM_MEMSLOTS:
            raise GuestBug(f"memory slot {slot_id} of {NUM_MEMSLOTS}")
        if slot_id in self.table:
            self.table.delete(slot_id)

    def reset(self) -> None:
        """Forget all slots."""
        self.table.reset()

    def resolve(self, address: int, size: int) -> memoryview:
        """Return *size* bytes of guest memory at QXLPHYSICAL *address*.

        Raises:
            GuestError: they do not lie in one active slot of that generation.

        """
        try:
            return self.table.view(address, size)
        except BadAddressError as error:
            raise GuestError(f"{size} bytes at {error}") from error
