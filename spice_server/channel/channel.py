"""A channel: one type and id, served on one event loop, with all its clients.

The server talks to a channel from the main thread only.  A channel whose clients live
on another loop (a display worker's) says so by :meth:`Channel.loop`; everything that
crosses is posted there as a value, and the news of closed clients is posted back.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from spice_protocol.messages.tables import channel_name
from spice_protocol.protocol import SpiceCommonCap, capability_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from spice_protocol.enums import ChannelType
    from spice_server.channel.channel_client import ChannelClient
    from spice_server.channel.connection import Connection
    from spice_server.channel.link_info import LinkInfo

__all__ = ["COMMON_CAPS", "SASL_COMMON_CAPS", "Channel", "Traffic"]

COMMON_CAPS = capability_words(
    [
        SpiceCommonCap.PROTOCOL_AUTH_SELECTION,
        SpiceCommonCap.AUTH_SPICE,
        SpiceCommonCap.MINI_HEADER,
    ]
)
"""What every channel can do.  Without AUTH_SASL: spice-gtk would prefer it."""

SASL_COMMON_CAPS = capability_words(
    [
        SpiceCommonCap.PROTOCOL_AUTH_SELECTION,
        SpiceCommonCap.AUTH_SASL,
        SpiceCommonCap.MINI_HEADER,
    ]
)
"""The same of a server whose clients log in by SASL."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Traffic:
    """What a channel sent to all its clients, those that are gone included."""

    bytes: int = 0
    messages: int = 0

    def add(self, client: ChannelClient) -> None:
        """Count what *client* was sent."""
        self.bytes += client.sent_bytes
        self.messages += client.sent_messages


class Channel:
    """Base of all channels."""

    type: ClassVar[ChannelType]
    capabilities: ClassVar[tuple[int, ...]] = ()
    """Capability bits of this channel's type that we have."""

    def __init__(self, channel_id: int = 0) -> None:
        self.id = channel_id
        self.clients: dict[int, ChannelClient] = {}
        """Clients by session id; only for the thread of :meth:`loop`."""
        self._traffic = Traffic()
        self._main_loop: asyncio.AbstractEventLoop | None = None
        self._on_closed: Callable[[LinkInfo], None] | None = None

    @property
    def name(self) -> str:
        """``DISPLAY:0``."""
        return channel_name(self.type, self.id)

    @property
    def capability_words(self) -> tuple[int, ...]:
        """What the link reply says that we can do on this channel."""
        return capability_words(self.capabilities)

    @property
    def offered(self) -> bool:
        """Whether clients are told of this channel now; main thread only."""
        return True

    def traffic(self) -> Traffic:
        """Return what was sent so far; only in the thread of :meth:`loop`."""
        total = replace(self._traffic)
        for client in self.clients.values():
            total.add(client)
        return total

    # -- for subclasses --------------------------------------------------------

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop that serves the clients; the main one by default."""
        assert self._main_loop is not None  # registered
        return self._main_loop

    def create_client(self, connection: Connection, link: LinkInfo) -> ChannelClient:
        """Make the client of a new link, in the thread of :meth:`loop`."""
        raise NotImplementedError

    def client_closed(self, client: ChannelClient) -> None:
        """Learn that *client* is gone and no longer among ``clients``."""

    # -- main thread -----------------------------------------------------------

    def register(
        self,
        main_loop: asyncio.AbstractEventLoop,
        on_closed: Callable[[LinkInfo], None],
    ) -> None:
        """Belong to a server; *on_closed* is called on *main_loop* for every link."""
        self._main_loop = main_loop
        self._on_closed = on_closed

    def connect(self, connection: Connection, link: LinkInfo) -> None:
        """Serve a *connection* whose link stage is over and which is detached."""
        if self.loop() is self._main_loop:
            self._adopt(connection, link)
        elif not self._post(self._adopt, connection, link):
            connection.abort()
            self._notify_closed(link)

    def disconnect(self, session_id: int) -> None:
        """End the client of a session, if there is one."""
        self._post(self._close, session_id)

    def _post(self, function: Callable[..., None], *args: object) -> bool:
        """Run *function* on the channel's loop; False if that has ended."""
        try:
            self.loop().call_soon_threadsafe(function, *args)
        except RuntimeError:
            _log.debug("%s: its worker has ended", self.name)
            return False
        return True

    def _notify_closed(self, link: LinkInfo) -> None:
        if self._on_closed is not None:
            self._on_closed(link)

    # -- thread of the channel's loop ------------------------------------------

    def _adopt(self, connection: Connection, link: LinkInfo) -> None:
        client = self.create_client(connection, link)
        older = self.clients.get(link.session_id)
        if older is not None:
            older.close()
        self.clients[link.session_id] = client
        client.start(asyncio.get_running_loop(), self._closed)

    def _close(self, session_id: int) -> None:
        client = self.clients.get(session_id)
        if client is not None:
            client.close()

    def _closed(self, client: ChannelClient) -> None:
        link = client.link
        if self.clients.get(link.session_id) is client:
            del self.clients[link.session_id]
        self._traffic.add(client)
        self.client_closed(client)
        assert self._main_loop is not None  # registered
        try:
            self._main_loop.call_soon_threadsafe(self._notify_closed, link)
        except RuntimeError:
            _log.debug("%s: the server has ended", self.name)
