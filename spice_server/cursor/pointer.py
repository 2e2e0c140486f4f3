"""The guest's pointer, and what a cursor channel is to each of its clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from spice_common.cursor_command import CursorShape

__all__ = ["Pointer", "PointerState"]


@dataclass(slots=True)
class Pointer:
    """The guest's pointer as it is now."""

    shape: CursorShape | None = None
    x: int = 0
    y: int = 0
    visible: bool = True
    trail_length: int = 0
    trail_frequency: int = 0


class PointerState(Protocol):
    """The state that clients show."""

    @property
    def pointer(self) -> Pointer:
        """The guest's pointer."""

    @property
    def shown(self) -> bool:
        """Whether there is a screen for the pointer to be on."""
