"""What the server counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

__all__ = ["ServerStats"]


@dataclass(slots=True)
class ServerStats:
    """Counters since the server was made; main thread only."""

    accepted: int = 0
    """Connections, whatever became of them."""
    linked: int = 0
    """Links that were authenticated."""
    refused: Counter[str] = field(default_factory=Counter)
    """Link attempts by the error they were answered with (SpiceLinkErr, or NONE)."""
    displaced: int = 0
    """Half-open links that had to make room."""
    sessions: int = 0
    """Clients that opened a main channel."""
