"""What a display worker did so far."""

from __future__ import annotations

from dataclasses import dataclass, field

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
    refresh_bytes: int = 0
    """Bytes of messages made from the surfaces for clients that were behind."""
    dropped_bytes: int = 0
    """Bytes that waited for slow clients and were given up for a later refresh."""
    fell_behind: int = 0
    """How often a client was found too slow."""
    clients: int = 0
    pixel_bytes: int = 0
    """Written to surfaces."""
    rejected: int = 0
    """Commands whose numbers did not fit together."""
    drawn: dict[int, int] = field(default_factory=dict)
    """Commands by ``QXL_DRAW_*``."""
    unsupported: dict[int, int] = field(default_factory=dict)
    """Good commands by ``QXL_DRAW_*`` that were not drawn."""
