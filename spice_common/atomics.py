"""Words in guest memory that both sides change: int_pending, indexes, counters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spice_common._c import ffi, lib
from spice_common.borrowed import Borrowed

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["AtomicU32"]


class AtomicU32:
    """One 32-bit little-endian word; every access is a full barrier."""

    __slots__ = ("_memory", "_word")

    def __init__(self, memory: WriteableBuffer, offset: int = 0) -> None:
        """Name the word *offset* bytes into *memory*, which stays pinned.

        Raises:
            ValueError: the word is not aligned, or not inside the memory.

        """
        view = memoryview(memory)[offset : offset + 4]
        if offset < 0 or len(view) != 4:
            raise ValueError(
                f"no 32-bit word at {offset:#x} of {len(memoryview(memory))}"
            )
        self._memory = Borrowed(view)
        self._word = ffi.cast("uint32_t *", self._memory.pointer)
        if int(ffi.cast("uintptr_t", self._word)) % 4:
            raise ValueError(f"word at {offset:#x} is not aligned")

    def load(self) -> int:
        """Return the value."""
        return lib.atomic_u32_load(self._word)

    def store(self, value: int) -> None:
        """Set the value (0 to 2**32 - 1)."""
        lib.atomic_u32_store(self._word, value)

    def exchange(self, value: int) -> int:
        """Set the value; return what was there before."""
        return lib.atomic_u32_exchange(self._word, value)

    def fetch_or(self, bits: int) -> int:
        """Set *bits*; return what was there before."""
        return lib.atomic_u32_fetch_or(self._word, bits)
