"""Which cursor shapes a client has in its cache (``unique`` of QXLCursorHeader)."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

__all__ = ["MAX_CURSORS", "CursorCache"]

MAX_CURSORS: Final = 256
"""Shapes a client is asked to keep, as libspice-server does."""


class CursorCache:
    """The shapes of one client, the longest unused goes first."""

    def __init__(self, size: int = MAX_CURSORS) -> None:
        self._size = size
        self._uniques: OrderedDict[int, None] = OrderedDict()

    def __contains__(self, unique: int) -> bool:
        return unique in self._uniques

    def __len__(self) -> int:
        return len(self._uniques)

    def use(self, unique: int) -> bool:
        """Note that shape *unique* is used; whether the client has it."""
        if unique not in self._uniques:
            return False
        self._uniques.move_to_end(unique)
        return True

    def add(self, unique: int) -> int | None:
        """Note that the client keeps *unique*; what it has to forget for that."""
        evicted = None
        if len(self._uniques) >= self._size:
            evicted, _ = self._uniques.popitem(last=False)
        self._uniques[unique] = None
        return evicted

    def clear(self) -> None:
        """Forget all: the client did."""
        self._uniques.clear()
