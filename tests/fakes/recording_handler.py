"""A device's end of a transport that only notes what the guest did."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RecordingHandler"]


class RecordingHandler:
    """A ``TransportHandler`` on the loop of the test."""

    def __init__(self) -> None:
        self.calls: list[object] = []
        self._changed = asyncio.Event()

    def notify(self) -> None:
        self._note("notify")

    def io_write(self, port: int, value: int) -> bool:
        self._note((port, value))
        return port < 25

    def guest_reset(self) -> None:
        self._note("reset")

    def _note(self, call: object) -> None:
        self.calls.append(call)
        self._changed.set()

    async def until(self, condition: Callable[[list[object]], bool]) -> None:
        """Wait until *condition* holds for the calls so far."""
        while not condition(self.calls):
            self._changed.clear()
            await self._changed.wait()
