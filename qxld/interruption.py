"""End by SIGINT and SIGTERM, in order; read files again by SIGHUP."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

__all__ = ["on_hangup", "until_signal"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def until_signal(work: Coroutine[Any, Any, int]) -> int:
    """Do *work*; its result, or 0 if a signal ended it.

    The first signal cancels it.  Each further one cancels the step it is at in ending in
    order, which can take long.  None ends the process at once: that would leave behind
    what the next step was to end.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    asked = 0

    def stop() -> None:
        nonlocal asked
        asked += 1
        task.cancel()

    for number in _SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        return await task
    except asyncio.CancelledError:
        if not asked:
            raise
        return 0
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def on_hangup(action: Callable[[], None]) -> Iterator[None]:
    """Call *action* for each SIGHUP that comes meanwhile, instead of ending by it."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, action)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
