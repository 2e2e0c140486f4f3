"""How one picture differs from another, and whether it is part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tests.peers.programs import Picture

__all__ = ["contains", "difference"]


def _pixels(picture: Picture) -> np.ndarray:
    flat = np.frombuffer(picture.rgb, np.uint8)
    return flat.reshape(picture.height, picture.width, 3)


def difference(shown: Picture | None, expected: Picture) -> str:
    """Say how *shown* differs from *expected*; nothing: not in a single bit."""
    if shown is None:
        return "nothing is shown"
    if (shown.width, shown.height) != (expected.width, expected.height):
        return f"{shown.width} x {shown.height} are shown"
    if shown.rgb == expected.rgb:
        return ""
    rows, columns = (_pixels(shown) != _pixels(expected)).any(axis=2).nonzero()
    area = f"{columns.min()}, {rows.min()} to {columns.max()}, {rows.max()}"
    return f"{len(rows)} pixels within {area} differ"


def contains(screen: Picture, part: Picture) -> bool:
    """Whether *part* is somewhere in *screen*, pixel by pixel."""
    rows = [part.crop(0, y, part.width, 1) for y in range(part.height)]
    row = max(range(part.height), key=lambda y: rows[y].colors())
    assert rows[row].colors() > 1, "nothing to be found by"
    start = screen.rgb.find(rows[row].rgb)
    while start >= 0:
        x, y = start // 3 % screen.width, start // 3 // screen.width - row
        inside = y >= 0 and y + part.height <= screen.height
        if start % 3 == 0 and inside and x + part.width <= screen.width:
            found = screen.crop(x, y, part.width, part.height)
            if found == part:
                return True
        start = screen.rgb.find(rows[row].rgb, start + 1)
    return False
