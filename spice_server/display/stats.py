"""What a display worker did so far."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from spice_common.pending import ImageCount

if TYPE_CHECKING:
    from spice_common.pending import PendingCounters

__all__ = ["DisplayStats"]


@dataclass(slots=True)
class DisplayStats:
    """Counters of one display since its worker started; a copy crosses threads."""

    commands: int = 0
    """Taken from the command ring, good and bad."""
    cursor_commands: int = 0
    batches: int = 0
    messages: int = 0
    """Display messages made for clients, each counted once however many get it."""
    message_bytes: int = 0
    natives: int = 0
    """Commands that clients were to draw themselves, counted for each client."""
    hidden: int = 0
    """Of these, not sent because newer ones or pixels cover them."""
    damaged: int = 0
    """Commands of which clients are sent the result."""
    collapses: int = 0
    """How often commands waited so long that they were given up for their result."""
    same_tiles: int = 0
    """Tiles that were drawn on and looked as before."""
    scrolls: int = 0
    """Moves found in pixels."""
    flat: int = 0
    """Pictures of one color, sent as fills."""
    cache_hits: int = 0
    """Pictures that a client had already."""
    images: dict[str, ImageCount] = field(default_factory=dict)
    """Pictures sent, by type of image."""
    clients: int = 0
    pixel_bytes: int = 0
    """Written to surfaces."""
    rejected: int = 0
    """Commands whose numbers did not fit together."""
    drawn: dict[int, int] = field(default_factory=dict)
    """Commands by ``QXL_DRAW_*``."""
    unsupported: dict[int, int] = field(default_factory=dict)
    """Good commands by ``QXL_DRAW_*`` that were not drawn."""

    def copy(self) -> DisplayStats:
        """Return a copy that changes no more."""
        images = {name: replace(count) for name, count in self.images.items()}
        return replace(self, images=images)

    def add(self, counters: PendingCounters) -> None:
        """Add what was counted for one client."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(counters, name))
        for name, more in counters.images.items():
            count = self.images.setdefault(name, ImageCount())
            count.count += more.count
            count.bytes += more.bytes
            count.pixels += more.pixels


_SUMS = (
    "natives",
    "hidden",
    "damaged",
    "collapses",
    "same_tiles",
    "scrolls",
    "flat",
    "cache_hits",
)
