"""Say what is waited for when it takes long."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["told_after"]

PATIENCE = 3.0
"""Seconds after which a user wonders."""

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def told_after(
    text: str, *, level: int = logging.INFO, seconds: float = PATIENCE
) -> Iterator[None]:
    """Log *text* once if the block takes longer than *seconds*."""
    timer = asyncio.get_running_loop().call_later(seconds, _log.log, level, text)
    try:
        yield
    finally:
        timer.cancel()
