"""Counts what guests do wrong and logs it at a rate that no guest can raise."""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FaultLog"]

BURST = 10
"""Lines in a row: enough to see how a broken driver came to where it is."""
LINES_PER_SECOND = 1.0
"""Afterwards; a guest in a loop then costs a log 86,400 lines a day, not 1e9."""
MAX_TEXT = 400
"""Characters of a guest's own text in one line: five lines of a terminal."""


class FaultLog:
    """The faults of one guest, by kind, and its own log messages.

    Kinds are names from qxl_dev.h and of our errors, never the guest's text: their
    number is bounded.
    """

    def __init__(
        self, display_id: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Log for display *display_id*; *clock* tells monotonic seconds."""
        self.counts: Counter[str] = Counter()
        """Faults since the start, by kind."""
        self._logger = logging.getLogger(__name__)
        self._display_id = display_id
        self._clock = clock
        self._tokens = float(BURST)
        self._refilled_at = clock()
        self._suppressed = 0

    def record(self, kind: str, detail: str, count: int = 1) -> None:
        """Count *count* faults of *kind* and say so if the rate allows it."""
        self.counts[kind] += count
        self._log(logging.WARNING, f"guest fault: {kind}: {detail}")

    def guest_text(self, source: str, text: bytes) -> None:
        """Log what the guest had to say through *source* (QXL_IO_LOG ...)."""
        self._log(logging.INFO, f"{source}: {printable(text)}")

    def _log(self, level: int, line: str) -> None:
        now = self._clock()
        gained = max(0.0, now - self._refilled_at) * LINES_PER_SECOND
        self._tokens = min(float(BURST), self._tokens + gained)
        self._refilled_at = now
        if self._tokens < 1.0:
            self._suppressed += 1
            return
        self._tokens -= 1.0
        if self._suppressed:
            line += f" ({self._suppressed} lines before this one left out)"
            self._suppressed = 0
        self._logger.log(level, "qxl-%d: %s", self._display_id, line)


def printable(text: bytes) -> str:
    """Return a guest's text up to its NUL, on one line, free of control codes."""
    head = text.partition(b"\0")[0].strip()
    clean = "".join(
        chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}"
        for byte in head[:MAX_TEXT]
    )
    return clean + ("..." if len(head) > MAX_TEXT else "")
