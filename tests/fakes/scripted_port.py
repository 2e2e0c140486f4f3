"""A guest's port that does what a test says (``vd_interfaces.port.GuestPort``)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vd_interfaces.port import PortHandler

_ANY = object()


class ScriptedPort:
    """Keeps what was written; tells its handler what the guest does."""

    def __init__(self, name: str, *, opened: bool = False) -> None:
        self.name = name
        self.opened = opened
        self.handler: PortHandler | None = None
        self.written = b""
        self.full = False
        """Whether ``write`` says no."""
        self.paused = False
        self._changed = asyncio.Event()

    # -- GuestPort

    def attach(self, handler: PortHandler | None) -> None:
        self.handler = handler
        self._changed.set()

    def write(self, data: bytes) -> bool:
        self.written += bytes(data)
        self._changed.set()
        return not self.full

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False
        self._changed.set()

    def send_break(self) -> None:
        self.write(b"<break>")

    # -- the guest

    def open(self) -> None:
        """Open the guest's end."""
        self.opened = True
        if self.handler is not None:
            self.handler.port_opened()

    def close(self) -> None:
        """Close the guest's end."""
        self.opened = False
        if self.handler is not None:
            self.handler.port_closed()

    def guest_writes(self, data: bytes) -> None:
        """Let the guest write."""
        assert self.handler is not None
        self.handler.port_data(data)

    async def taken(self, data: bytes) -> None:
        """Wait until just *data* was written."""
        while len(self.written) < len(data):
            await self._change()
        assert self.written == data

    async def attached(self, handler: object = _ANY) -> None:
        """Wait until somebody, or just *handler*, serves it."""
        while self.handler is None if handler is _ANY else self.handler is not handler:
            await self._change()

    async def resumed(self) -> None:
        """Wait until it is not paused."""
        while self.paused:
            await self._change()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
