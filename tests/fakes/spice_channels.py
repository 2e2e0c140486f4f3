"""Channels without a display behind them, and a server in a test's loop."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, ClassVar

from spice_protocol.enums import ChannelType
from spice_protocol.messages.display import DisplayMsgc
from spice_server.channel.channel import Channel
from spice_server.channel.channel_client import ChannelClient
from spice_server.config import ServerConfig
from spice_server.server import Server
from tests.fakes.input_sink import RecordingSink

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Callable

    from spice_server.channel.connection import Connection
    from spice_server.channel.link_info import LinkInfo


class SilentClient(ChannelClient):
    """Takes a display client's INIT and says nothing but SET_ACK."""

    ack_window: ClassVar[int] = 20

    def handlers(self) -> dict[int, Callable[[memoryview], None]]:
        """Let DISPLAY_INIT pass."""
        return super().handlers() | {DisplayMsgc.INIT: lambda _body: None}


class SilentDisplay(Channel):
    """A display channel that shows nothing."""

    type: ClassVar[ChannelType] = ChannelType.DISPLAY

    def __init__(
        self, channel_id: int = 0, loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        super().__init__(channel_id)
        self._worker_loop = loop

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return a worker's loop if the test has one."""
        return self._worker_loop or super().loop()

    def create_client(self, connection: Connection, link: LinkInfo) -> ChannelClient:
        """Make a silent client."""
        return SilentClient(connection, link)


class SilentCursor(SilentDisplay):
    """A cursor channel that shows nothing."""

    type: ClassVar[ChannelType] = ChannelType.CURSOR


@contextlib.asynccontextmanager
async def running_server(
    *channels: Channel, sink: RecordingSink | None = None, **config: Any
) -> AsyncIterator[Server]:
    """Run a server on a free port of 127.0.0.1 (unless *config* says otherwise)."""
    config = {"port": 0, "password": "sekret"} | config
    server = Server(ServerConfig(**config), sink or RecordingSink())
    for channel in channels:
        server.add_channel(channel)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
