"""A raw client whose connection is a WebSocket of the ``websockets`` package."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.fakes.raw_client import RawClient

if TYPE_CHECKING:
    import ssl

__all__ = ["open_websocket"]


class _Writer:
    """As much of a StreamWriter as a raw client needs: one frame per write."""

    def __init__(self, websocket: ClientConnection, reader: asyncio.StreamReader):
        self._websocket = websocket
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._tasks = [
            asyncio.create_task(self._send()),
            asyncio.create_task(self._receive(reader)),
        ]

    async def _send(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while (data := await self._waiting.get()) is not None:
                await self._websocket.send(data)
        await self._websocket.close()

    async def _receive(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in self._websocket:
                assert isinstance(message, bytes)
                reader.feed_data(message)
        reader.feed_eof()

    def write(self, data: bytes) -> None:
        self._waiting.put_nowait(data)

    def close(self) -> None:
        self._waiting.put_nowait(None)

    async def wait_closed(self) -> None:
        await asyncio.gather(*self._tasks)


async def open_websocket(
    port: int | None, tls: ssl.SSLContext | None = None
) -> tuple[RawClient, ClientConnection]:
    """Connect as spice-html5 does."""
    scheme = "wss" if tls else "ws"
    websocket = await connect(
        f"{scheme}://127.0.0.1:{port}/websockify",
        ssl=tls,
        subprotocols=[Subprotocol("binary")],
        max_size=None,
    )
    reader = asyncio.StreamReader()
    client = RawClient(reader, _Writer(websocket, reader))  # type: ignore[arg-type]
    return client, websocket
