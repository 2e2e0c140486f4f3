"""How one picture differs from another."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tests.peers.programs import Picture

__all__ = ["difference", "psnr"]


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


def psnr(shown: Picture, expected: Picture) -> float:
    """Return the peak signal-to-noise ratio in dB."""
    error = _pixels(shown).astype(float) - _pixels(expected)
    mean = float((error**2).mean())
    return 10 * math.log10(255**2 / mean) if mean else math.inf
