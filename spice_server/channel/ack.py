"""The ack window: how many messages a client may be behind (SET_ACK, ACK_SYNC, ACK).

The server announces a window and a generation with SET_ACK.  The client answers with
ACK_SYNC and then sends one ACK for every ``window`` messages it got since SET_ACK.
Sending stops while more than two windows are unacknowledged, as libspice-server does,
so a client that stops acknowledging is owed a bounded number of messages.
"""

from __future__ import annotations

import sys

__all__ = ["DEFAULT_WINDOW", "AckWindow"]

DEFAULT_WINDOW = 20
"""Messages per ACK: libspice-server's choice for links that are not slow."""

_UNLIMITED = sys.maxsize


class AckWindow:
    """Counts what was sent against what was acknowledged; unlimited until started."""

    def __init__(self) -> None:
        self.window = 0
        """Messages per ACK; 0: no window is in force."""
        self.generation = 0
        self._synced = 0
        self._unacked = 0

    def start(self, window: int) -> int:
        """Put a new window in force, return the generation to announce it with.

        To be called when SET_ACK is about to be sent: what follows it is counted.
        """
        self.generation += 1
        self.window = window
        self._unacked = 0
        return self.generation

    @property
    def available(self) -> int:
        """How many messages may be sent now."""
        if not self.window:
            return _UNLIMITED
        return max(0, 2 * self.window - self._unacked)

    def sent(self, messages: int) -> None:
        """Account for *messages* on their way."""
        self._unacked += messages

    def sync(self, generation: int) -> None:
        """Handle ACK_SYNC: later ACKs belong to *generation*."""
        self._synced = generation

    def ack(self) -> None:
        """Handle ACK; ones of an older generation, or too many, change nothing."""
        if self._synced == self.generation:
            self._unacked = max(0, self._unacked - self.window)
