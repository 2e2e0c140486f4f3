"""A copy of what a display shows."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Screenshot"]


@dataclass(slots=True)
class Screenshot:
    """The pixels of a primary surface at one moment."""

    width: int
    height: int
    argb: bytes = field(repr=False)
    """Rows of words, little endian, the top one first; alpha means nothing."""
