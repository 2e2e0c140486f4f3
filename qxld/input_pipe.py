"""The input's way to QEMU, whether a QEMU is there or not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SwitchedPipe"]

_GONE = b'{"error": {"class": "GenericError", "desc": "there is no QEMU"}}\r\n'


class _Pipe(Protocol):
    def submit(self, message: bytes, on_reply: Callable[[bytes], None]) -> None: ...


class SwitchedPipe:
    """A ``qmp_bridge.input_events.CommandPipe`` that outlives QEMU.

    The SPICE server is there before QEMU's monitor is, and after it.  What is sent
    meanwhile is answered with an error, as QEMU would answer without such a device.
    """

    def __init__(self) -> None:
        self._pipe: _Pipe | None = None
        self._waiting: dict[int, Callable[[bytes], None]] = {}
        self._count = 0

    def switch(self, pipe: _Pipe | None) -> None:
        """Send through *pipe* from now on; the old one answers no more."""
        self._pipe = pipe
        waiting = list(self._waiting.values())
        self._waiting.clear()
        for on_reply in waiting:
            on_reply(_GONE)

    def submit(self, message: bytes, on_reply: Callable[[bytes], None]) -> None:
        """Send a command; *on_reply* gets the line of the answer."""
        if self._pipe is None:
            # Not from in here: what waits behind it would be answered in depth.
            asyncio.get_running_loop().call_soon(on_reply, _GONE)
            return
        self._count += 1
        number = self._count
        self._waiting[number] = on_reply
        self._pipe.submit(message, lambda line: self._reply(number, line))

    def _reply(self, number: int, line: bytes) -> None:
        on_reply = self._waiting.pop(number, None)
        if on_reply is not None:
            on_reply(line)
