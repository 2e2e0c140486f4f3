"""A display channel that sends whatever a test gives it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from spice_protocol.enums import ChannelType
from spice_protocol.messages.display import DisplayMsgc
from spice_server.channel.channel import Channel
from spice_server.channel.channel_client import ChannelClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from spice_server.channel.connection import Connection
    from spice_server.channel.link_info import LinkInfo

__all__ = ["ScriptedDisplay"]


class _Client(ChannelClient):
    ack_window: ClassVar[int] = 40
    max_message_size: ClassVar[int] = 65536
    pipe_limit: ClassVar[int] = 1 << 30

    def __init__(
        self, connection: Connection, link: LinkInfo, ready: asyncio.Event
    ) -> None:
        super().__init__(connection, link)
        self._ready = ready

    def handlers(self) -> dict[int, Callable[[memoryview], None]]:
        """Take what a display client says; INIT makes it ready."""
        ignored = dict.fromkeys(DisplayMsgc, lambda _body: None)
        return (
            super().handlers()
            | ignored
            | {DisplayMsgc.INIT: lambda _body: self._ready.set()}
        )


class ScriptedDisplay(Channel):
    """Shows one client what :meth:`send_all` is given; lives in the server's loop."""

    type: ClassVar[ChannelType] = ChannelType.DISPLAY

    def __init__(self) -> None:
        super().__init__(0)
        self._ready = asyncio.Event()
        self._client: _Client | None = None
        self._loop = asyncio.get_running_loop()

    def create_client(self, connection: Connection, link: LinkInfo) -> ChannelClient:
        """Make the client that everything is sent to."""
        self._client = _Client(connection, link, self._ready)
        return self._client

    def send_all(self, messages: Iterable[tuple[int, bytes]]) -> None:
        """Send, from any thread, when the client is ready."""
        asyncio.run_coroutine_threadsafe(self._send(messages), self._loop).result()

    async def _send(self, messages: Iterable[tuple[int, bytes]]) -> None:
        await self._ready.wait()
        assert self._client is not None
        for kind, body in messages:
            self._client.send(kind, body)
