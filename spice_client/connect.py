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
from spice_client.tls import TlsTrust
from spice_client.uri import ServerAddress, parse_uri
from spice_protocol.enums import ChannelType

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from spice_client.channel import Channel

__all__ = ["ALL_CHANNELS", "Client", "connect"]

ALL_CHANNELS = (ChannelType.DISPLAY, ChannelType.INPUTS, ChannelType.CURSOR)

_CLASSES: dict[int, type[Channel]] = {
    cls.TYPE: cls for cls in (MainChannel, DisplayChannel, InputsChannel, CursorChannel)
}

C = TypeVar("C", bound="Channel")


class Client:
    """A session; :func:`connect` makes one.

    Channels queue what they send: ``await client.flush()`` sends it.
    """

    def __init__(
        self, address: ServerAddress, trust: TlsTrust, timeout_s: float
    ) -> None:
        self.address = address
        self._trust = trust
        self._timeout_s = timeout_s
        self._connections: dict[tuple[int, int], Connection] = {}
        self._event = asyncio.Event()

    def _changed(self) -> None:
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
            SpiceClientError, ProtocolError: a channel failed before.

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
            async with asyncio.timeout(self._timeout_s):
                await self.wait_until(lambda: main.channels is not None)
        except TimeoutError as error:
            text = f"no list of channels for {self._timeout_s:g} seconds"
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
        session = self.main.session if self._connections else None
        request = LinkRequest(
            channel_type,
            channel_id,
            session.session_id if session else 0,
            cls.CAPABILITIES,
            password=self.address.password or "",
        )
        try:
            async with asyncio.timeout(self._timeout_s):
                link, rest, streams = await open_link(
                    self.address, self._trust, request
                )
        except TimeoutError as error:
            text = f"{request.name}: no answer for {self._timeout_s:g} seconds"
            raise ConnectError(text) from error
        assert link.result is not None
        channel = cls(link.result, channel_id)
        connection = Connection(channel, *streams, self._changed)
        self._connections[channel_type, channel_id] = connection
        if isinstance(channel, DisplayChannel):
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
    channels: Iterable[int] = ALL_CHANNELS,
    timeout_s: float = 10.0,
) -> AsyncIterator[Client]:
    """Open a session and those of *channels* the server has.

    Args:
        uri: an address, see :func:`spice_client.uri.parse_uri`.
        password: the ticket; instead of the address's.
        trust: whom to trust over TLS; default: the system's CAs and the host's name.
        channels: ``SPICE_CHANNEL_*``; the main channel is always opened.
        timeout_s: how long to wait for each answer, in seconds.

    Raises:
        UriError: *uri* makes no sense.
        ConnectError: nobody answers there.
        LinkError: the server refuses; ``AuthenticationError``: the password.
        ProtocolError: what answers does not speak SPICE.

    """
    address = parse_uri(uri) if isinstance(uri, str) else uri
    if password is not None:
        address = replace(address, password=password)
    wanted = set(channels)
    client = Client(address, trust or TlsTrust(), timeout_s)
    try:
        await client.open_channel(ChannelType.MAIN)
        for channel_type, channel_id in await client.list_channels():
            if channel_type in wanted:
                await client.open_channel(channel_type, channel_id)
        yield client
    finally:
        await client.close()
