"""A client on asyncio: a session of several channels, a connection for each."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from spice_client.connection import Connection, open_link
from spice_client.cursor import CursorChannel
from spice_client.display import DisplayChannel
from spice_client.errors import ConnectError, NoDisplayError, SpiceClientError
from spice_client.inputs import InputsChannel
from spice_client.link import LinkRequest
from spice_client.main import MainChannel
from spice_client.session import Session
from spice_client.tls import TlsTrust
from spice_client.uri import ServerAddress, parse_uri
from spice_protocol.enums import ChannelType

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from spice_client.channel import Channel
    from spice_client.options import ClientOptions

__all__ = ["Client", "connect"]

_CLASSES: dict[int, type[Channel]] = {
    cls.TYPE: cls for cls in (MainChannel, DisplayChannel, InputsChannel, CursorChannel)
}

C = TypeVar("C", bound="Channel")


class Client:
    """A session; :func:`connect` makes one.

    Channels queue what they send: ``await client.flush()`` sends it.
    """

    def __init__(
        self,
        address: ServerAddress,
        trust: TlsTrust,
        options: ClientOptions | None = None,
    ) -> None:
        self.address = address
        self.session = Session(options)
        """What the channels share."""
        self._trust = trust
        self._connections: dict[tuple[int, int], Connection] = {}
        self._event = asyncio.Event()

    @property
    def options(self) -> ClientOptions:
        """How the client presents itself."""
        return self.session.options

    @property
    def connections(self) -> Mapping[tuple[int, int], Connection]:
        """Open channels with their sockets, by type and id."""
        return self._connections

    def _changed(self) -> None:
        for connection in self._connections.values():
            if connection.channel.held_up:
                connection.resume()
        self._event.set()
        self._event = asyncio.Event()

    def channel(self, cls: type[C], channel_id: int = 0) -> C:
        """Return an open channel.

        Raises:
            NoDisplayError: the session has no such display.
            SpiceClientError: the session has no such channel.

        """
        connection = self._connections.get((cls.TYPE, channel_id))
        if connection is None:
            text = f"the server has no {cls.TYPE.name.lower()} channel {channel_id}"
            if cls.TYPE is ChannelType.DISPLAY:
                raise NoDisplayError(text)
            raise SpiceClientError(text)
        assert isinstance(connection.channel, cls)
        return connection.channel

    @property
    def main(self) -> MainChannel:
        """The main channel."""
        return self.channel(MainChannel)

    @property
    def inputs(self) -> InputsChannel:
        """The inputs channel."""
        return self.channel(InputsChannel)

    def display(self, channel_id: int = 0) -> DisplayChannel:
        """Return a display channel."""
        return self.channel(DisplayChannel, channel_id)

    def cursor(self, channel_id: int = 0) -> CursorChannel:
        """Return a cursor channel."""
        return self.channel(CursorChannel, channel_id)

    async def flush(self) -> None:
        """Send what the channels queued."""
        for connection in self._connections.values():
            await connection.drain()

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Return once *condition* holds; it is looked at after whatever is received.

        Raises:
            SpiceClientError, ProtocolError, MemoryError: a channel failed before.

        """
        while not condition():
            for connection in self._connections.values():
                if connection.error is not None:
                    raise connection.error
            await self._event.wait()

    async def list_channels(self) -> list[tuple[int, int]]:
        """Return types and ids of what the session has besides its main channel.

        Raises:
            ConnectError: the server does not tell.

        """
        main = self.main
        try:
            async with asyncio.timeout(self.options.timeout_s):
                await self.wait_until(lambda: main.channels is not None)
        except TimeoutError as error:
            text = f"no list of channels for {self.options.timeout_s:g} seconds"
            raise ConnectError(text) from error
        return sorted({(c.type, c.id) for c in main.channels or ()})

    async def open_channel(self, channel_type: int, channel_id: int = 0) -> None:
        """Link one more channel of the session.

        Raises:
            ConnectError: nobody answers.
            LinkError: the server refuses.
            ProtocolError: what answers does not speak SPICE.

        """
        cls = _CLASSES[channel_type]
        options = self.options
        opened = self.main.init if self._connections else None
        request = LinkRequest(
            channel_type,
            channel_id,
            opened.session_id if opened else 0,
            options.channel_capabilities.get(channel_type, cls.CAPABILITIES),
            options.common_capabilities,
            password=self.address.password or "",
        )
        slow = cls is DisplayChannel and options.max_mbps > 0
        self.session.opening.add((channel_type, channel_id))
        try:
            async with asyncio.timeout(options.timeout_s):
                link, rest, streams = await open_link(
                    self.address, self._trust, request, slow=slow
                )
        except TimeoutError as error:
            text = f"{request.name}: no answer for {options.timeout_s:g} seconds"
            raise ConnectError(text) from error
        finally:
            self.session.opening.discard((channel_type, channel_id))
        assert link.result is not None
        channel = cls(link.result, channel_id, self.session)
        connection = Connection(channel, *streams, self._changed)
        self._connections[channel_type, channel_id] = connection
        channel.start()
        connection.flush()
        connection.start(rest)

    async def close(self) -> None:
        """End the session."""
        connections = list(self._connections.values())
        self._connections.clear()
        for connection in reversed(connections):
            await connection.close()


@contextlib.asynccontextmanager
async def connect(
    uri: str | ServerAddress,
    *,
    password: str | None = None,
    trust: TlsTrust | None = None,
    channels: Iterable[int] | None = None,
    options: ClientOptions | None = None,
) -> AsyncIterator[Client]:
    """Open a session and those channels the server has and the options name.

    Args:
        uri: an address, see :func:`spice_client.uri.parse_uri`.
        password: the ticket; instead of the address's.
        trust: whom to trust over TLS; default: the system's CAs and the host's name.
        channels: ``SPICE_CHANNEL_*``, instead of the options'; the main channel is
            always opened.
        options: how the client presents itself.

    Raises:
        UriError: *uri* makes no sense.
        ConnectError: nobody answers there.
        LinkError: the server refuses; ``AuthenticationError``: the password.
        ProtocolError: what answers does not speak SPICE.

    """
    address = parse_uri(uri) if isinstance(uri, str) else uri
    if password is not None:
        address = replace(address, password=password)
    client = Client(address, trust or TlsTrust(), options)
    wanted = set(client.options.channels if channels is None else channels)
    try:
        await client.open_channel(ChannelType.MAIN)
        for channel_type, channel_id in await client.list_channels():
            if channel_type in wanted and channel_type in _CLASSES:
                await client.open_channel(channel_type, channel_id)
        yield client
    finally:
        await client.close()
