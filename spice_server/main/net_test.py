"""How fast a client's link is, from the round trips of three pings.

The first warms the path up, the second is empty and gives the latency, the third
carries ``BALLAST`` bytes and gives the bit rate, as libspice-server measures.
"""

from __future__ import annotations

import math
from typing import Final

__all__ = ["BALLAST", "NetTest"]

BALLAST: Final = bytes(256_000)
"""What the third ping carries."""

LOW_BANDWIDTH: Final = 10 * 1024 * 1024
"""Bits per second below which libspice-server calls a link slow."""


class NetTest:
    """Three pings' results; sans I/O."""

    def __init__(self) -> None:
        self.latency: float | None = None
        """Seconds of an empty round trip; ``None``: not measured yet."""
        self.bitrate: float | None = None
        """Bits per second towards the client; ``None``: not measured yet, infinite: more
        than can be measured."""
        self._pings: list[int] = []

    def sent(self, ping_id: int) -> None:
        """Account for the next of the three pings."""
        self._pings.append(ping_id)

    def pong(self, ping_id: int, round_trip: float) -> bool:
        """Take a result of *round_trip* seconds; True once the test is complete."""
        if self.bitrate is not None or ping_id not in self._pings:
            return False
        match self._pings.index(ping_id):
            case 1:
                self.latency = round_trip
            case 2 if self.latency is not None:
                transfer = round_trip - self.latency
                # A local client answers the large ping as fast as the small one.
                faster = transfer <= 0
                self.bitrate = math.inf if faster else len(BALLAST) * 8 / transfer
        return self.bitrate is not None

    @property
    def low_bandwidth(self) -> bool:
        """Whether the link is known to be slow."""
        return self.bitrate is not None and self.bitrate < LOW_BANDWIDTH
