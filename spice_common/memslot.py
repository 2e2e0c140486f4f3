"""Memory slots: where a QXLPHYSICAL of the guest leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spice_common._c import ffi, lib
from spice_common.borrowed import Borrowed
from spice_common.errors import BadAddressError, LayoutError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from spice_common._native import CData

__all__ = ["MemslotTable"]


class MemslotTable:
    """The memory slots a guest has set up (``QXL_IO_MEMSLOT_ADD``).

    A slot keeps its memory mapped.  After :meth:`delete` or :meth:`reset` the memory
    stays mapped as long as something drained from it (a batch, a surface) still needs
    it: :attr:`buffers` is what they hold on to.
    """

    def __init__(self, *, id_bits: int = 8, generation_bits: int = 8) -> None:
        """Make an empty table with the widths that QXLRom announces.

        Raises:
            LayoutError: addresses cannot be split like that.

        """
        self.cdata: CData = ffi.new("struct memslot_table *")
        """``struct memslot_table *``, for the other wrappers of this package."""
        if lib.memslot_init(self.cdata, id_bits, generation_bits):
            raise LayoutError(f"{id_bits} + {generation_bits} bits leave no offset")
        self._id_bits = id_bits
        self._views: dict[int, memoryview] = {}
        self.buffers: dict[int, Borrowed] = {}
        """By slot id, what keeps its memory mapped; replaced, never changed."""

    def add(self, slot_id: int, generation: int, memory: WriteableBuffer) -> None:
        """Let addresses in slot *slot_id* lead to *memory*; an older slot is replaced.

        Raises:
            LayoutError: the id or the generation does not fit the table.

        """
        view = memoryview(memory).cast("B")
        buffer = Borrowed(view)
        if lib.memslot_add(self.cdata, slot_id, generation, buffer.pointer, len(view)):
            raise LayoutError(f"no slot {slot_id} of generation {generation}")
        self._views[slot_id] = view
        self.buffers = {**self.buffers, slot_id: buffer}

    def delete(self, slot_id: int) -> None:
        """Forget a slot (``QXL_IO_MEMSLOT_DEL``).

        Raises:
            LayoutError: there is no such slot.

        """
        if slot_id not in self._views:
            raise LayoutError(f"slot {slot_id} is not active")
        lib.memslot_delete(self.cdata, slot_id)
        del self._views[slot_id]
        self.buffers = {
            key: kept for key, kept in self.buffers.items() if key != slot_id
        }

    def reset(self) -> None:
        """Forget all slots."""
        lib.memslot_reset(self.cdata)
        self._views.clear()
        self.buffers = {}

    def __contains__(self, slot_id: int) -> bool:
        return slot_id in self._views

    def view(self, address: int, size: int) -> memoryview:
        """Return *size* bytes of guest memory at a QXLPHYSICAL, writable.

        The guest may change them at any time: copy first, then check, then believe.

        Raises:
            BadAddressError: the guest's address is not good for *size* bytes.

        """
        pointer = ffi.new("uint8_t **")
        status = lib.memslot_resolve(self.cdata, address, size, pointer)
        if status:
            raise BadAddressError(f"{address:#018x}: {_REASONS[status]}")
        slot_id = address >> (64 - self._id_bits)
        offset = int(pointer[0] - self.buffers[slot_id].pointer)
        return self._views[slot_id][offset : offset + size]


_REASONS = {
    lib.MEMSLOT_BAD_ID: "no such memory slot",
    lib.MEMSLOT_BAD_GENERATION: "the slot has another generation",
    lib.MEMSLOT_OUT_OF_RANGE: "outside the memory slot",
}
