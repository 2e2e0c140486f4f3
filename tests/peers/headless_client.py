"""Our own client in a thread, for tests that are not asynchronous."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Self, TypeVar

from spice_client.connect import Client, connect
from spice_client.errors import NoDisplayError
from tests.peers.programs import Picture

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from spice_common.client_canvas import ClientCounts

__all__ = ["HeadlessClient"]

PATIENCE = 120.0
"""Seconds that end a hang; nothing is expected to take so long."""
T = TypeVar("T")


class HeadlessClient:
    """A session with all its channels; a context manager."""

    def __init__(self, port: int) -> None:
        """Connect to a server on this machine."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._session = connect(f"spice://127.0.0.1:{port}")
        try:
            self._client: Client = self._run(self._session.__aenter__())
        except BaseException:
            self._end()
            raise

    def _run(self, work: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._run(self._session.__aexit__(None, None, None))
        finally:
            self._end()

    def wait_picture(self) -> None:
        """Wait until display 0 is there and marked."""
        display = self._client.display()
        self._run(
            self._client.wait_until(
                lambda: display.marked and display.primary is not None
            )
        )

    def picture(self) -> Picture | None:
        """Return what display 0 shows now; ``None``: it has no surface."""
        return self._run(self._look())

    def counts(self) -> ClientCounts:
        """Return what display 0 was sent so far."""
        return self._client.display().canvas.counts()

    async def _look(self) -> Picture | None:
        await self._client.wait_until(lambda: True)
        try:
            surface = self._client.display().primary
        except NoDisplayError:
            return None
        if surface is None:
            return None
        return Picture(surface.width, surface.height, surface.rgb())
