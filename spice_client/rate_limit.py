"""Reading no faster than a slow network would bring it (sans-I/O)."""

from __future__ import annotations

__all__ = ["RateLimit"]

BURST_S = 0.1
"""What may come at once after a pause, as seconds of the rate."""


class RateLimit:
    """A bucket of bytes that fills at a steady rate and may be overdrawn once.

    Args:
        mbps: 10^6 bits a second; 0: no limit.
        now: the time, in seconds, of any clock.

    """

    def __init__(self, mbps: float, now: float) -> None:
        self.rate = mbps * 125_000
        """Bytes a second."""
        self._room = self.rate * BURST_S
        self._then = now

    def take(self, size: int, now: float) -> float:
        """Note that *size* bytes came; how many seconds to wait before the next."""
        if not self.rate:
            return 0.0
        passed, self._then = now - self._then, now
        self._room = min(self._room + passed * self.rate, self.rate * BURST_S) - size
        return max(0.0, -self._room / self.rate)
