"""What xrandr prints in a guest."""

from __future__ import annotations

import re

__all__ = ["Monitor", "monitors"]

Monitor = tuple[int, int, int, int]
"""Width, height and place."""


def monitors(text: str) -> dict[int, Monitor | None]:
    """Return the connected outputs of *text*, from 0 on; ``None``: it is off."""
    found: dict[int, Monitor | None] = {}
    for number, geometry in re.findall(
        r"^Virtual-(\d) connected (?:primary )?(\d+x\d+\+\d+\+\d+)?", text, re.MULTILINE
    ):
        place = tuple(map(int, re.findall(r"\d+", geometry)))
        found[int(number) - 1] = (place[0], place[1], *place[2:]) if place else None
    return found
