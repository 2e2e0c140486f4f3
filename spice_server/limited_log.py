"""A log that clients cannot fill: some lines at once, then a few a second."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["LimitedLog"]


class LimitedLog(logging.LoggerAdapter[logging.Logger]):
    """Leaves lines out that come too fast, and says how many; never debugging ones."""

    def __init__(
        self,
        logger: logging.Logger,
        extra: Mapping[str, object] | None = None,
        *,
        burst: int = 20,
        lines_per_second: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Log to *logger*: *burst* lines in a row, *lines_per_second* in the long run.

        *clock* tells seconds.
        """
        super().__init__(logger, extra)
        self._burst = float(burst)
        self._lines_per_second = lines_per_second
        self._clock = clock
        self._tokens = self._burst
        self._refilled_at = clock()
        self._left_out = 0

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:  # noqa: ANN401 - logging's
        """Log, if the rate allows it."""
        if not self.isEnabledFor(level):
            return
        if level > logging.DEBUG:
            if not self._take():
                self._left_out += 1
                return
            if self._left_out:
                msg = f"{msg} ({self._left_out} lines before this one left out)"
                self._left_out = 0
        super().log(level, msg, *args, **kwargs)

    def _take(self) -> bool:
        now = self._clock()
        gained = (now - self._refilled_at) * self._lines_per_second
        self._tokens = min(self._burst, self._tokens + gained)
        self._refilled_at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
