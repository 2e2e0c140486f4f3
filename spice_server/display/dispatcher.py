"""How other threads reach a worker: values in, values out, nothing shared.

The functions given run in the worker's thread, between two turns of its loop, in the
order in which they were given.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

__all__ = ["Dispatcher"]

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Dispatcher:
    """Runs functions on *loop* for other threads."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def send(self, function: Callable[..., object], *args: object) -> bool:
        """Run *function* soon, do not wait; False: the worker has ended."""
        try:
            self._loop.call_soon_threadsafe(function, *args)
        except RuntimeError:
            _log.debug("a worker has ended: %s is not done", function)
            return False
        return True

    def call(self, function: Callable[..., T], *args: object) -> Future[T]:
        """Run *function* soon; the future has what it returns or raises.

        The future is cancelled if the worker has ended.  An asyncio loop waits for it
        with ``asyncio.wrap_future``.
        """
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(function(*args))
            except BaseException as error:  # noqa: BLE001 - it belongs to the caller
                future.set_exception(error)

        if not self.send(run):
            future.cancel()
        return future
