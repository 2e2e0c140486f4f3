"""The fake guest's memory allocator."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Block", "Heap"]

ALIGNMENT = 8


@dataclass(slots=True)
class Block:
    """An allocation in the RAM window; its parts are packed one behind the other."""

    offset: int
    """From the start of RAM, which is also slot 1's start; the release id too."""
    size: int


@dataclass(slots=True)
class Heap:
    """First fit over a range of offsets; neighbours merge when freed."""

    start: int
    end: int
    used: dict[int, int] = field(default_factory=dict)

    def alloc(self, size: int) -> Block:
        """Return *size* bytes or more.

        Raises:
            MemoryError: no gap is large enough.

        """
        size = -(-size // ALIGNMENT) * ALIGNMENT
        place = max(self.start, ALIGNMENT)  # a release id is never 0
        for offset in sorted(self.used):
            if offset - place >= size:
                break
            place = offset + self.used[offset]
        if place + size > self.end:
            raise MemoryError(f"no {size} bytes left in the fake guest's RAM")
        self.used[place] = size
        return Block(place, size)

    def free(self, offset: int) -> None:
        """Give back what starts at *offset*."""
        del self.used[offset]
