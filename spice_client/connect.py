"""A client on asyncio: one connection per channel, all of one session."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from spice_client.cursor import CursorChannel
from spice_client.display import DisplayChannel
from spice_client.errors import (
    ConnectError,
    DisconnectedError,
    LinkError,
    NoDisplayError,
    SpiceClientError,
)
from spice_client.inputs import InputsChannel
from spice_client.link import Link, LinkRequest
from spice_client.main import MainChannel
from spice_client.tls import TlsTrust
from spice_client.uri import ServerAddress, parse_uri
from spice_protocol.enums import ChannelType, SpiceLinkErr
from spice_protocol.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from spice_client.channel import Channel

__all__ = ["ALL_CHANNELS", "Client", "connect"]

READ_SIZE = 1 << 18
ALL_CHANNELS = (ChannelType.DISPLAY, ChannelType.INPUTS, ChannelType.CURSOR)

_CLASSES: dict[int, type[Channel]] = {
    cls.TYPE: cls for cls in (MainChannel, DisplayChannel, InputsChannel, CursorChannel)
}

C = TypeVar("C", bound="Channel")


class _Connection:
    """One channel and its socket."""

    def __init__(
        self,
        channel: Channel,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        changed: Callable[[], None],
    ) -> None:
        self.channel = channel
        self.error: Exception | None = None
        self._reader, self._writer, self._changed = reader, writer, changed
        self._task: asyncio.Task[None] | None = None

    def start(self, rest: bytes) -> None:
        """Read from now on; *rest* came behind the link stage."""
        self._task = asyncio.create_task(self._run(rest))

    async def _run(self, data: bytes) -> None:
        try:
            while True:
                self.channel.receive_data(data)
                self.flush()
                self._changed()
                data = await self._reader.read(READ_SIZE)
                if not data:
                    self.error = DisconnectedError("the server closed the connection")
                    break
        except (SpiceClientError, ProtocolError) as error:
            self.error = error
        except OSError as error:
            self.error = DisconnectedError(f"the connection broke: {error}")
        finally:
            self._changed()

    def flush(self) -> None:
        """Hand what the channel wants to send to the socket."""
        data = self.channel.data_to_send()
        if data:
            self._writer.write(data)

    async def drain(self) -> None:
        """Flush, and wait until the socket took most of it."""
        self.flush()
        with contextlib.suppress(OSError):  # the reader reports it
            await self._writer.drain()

    async def close(self) -> None:
        """End the connection."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await _close(self._writer)


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
        self._connections: dict[tuple[int, int], _Connection] = {}
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
                link, rest, streams = await self._link(request)
        except TimeoutError as error:
            text = f"{request.name}: no answer for {self._timeout_s:g} seconds"
            raise ConnectError(text) from error
        assert link.result is not None
        channel = cls(link.result, channel_id)
        connection = _Connection(channel, *streams, self._changed)
        self._connections[channel_type, channel_id] = connection
        if isinstance(channel, DisplayChannel):
            channel.start()
        connection.flush()
        connection.start(rest)

    async def _link(
        self, request: LinkRequest
    ) -> tuple[Link, bytes, tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        address = self.address
        secure = address.port is None and not address.path
        while True:
            streams = await self._open(secure=secure)
            try:
                link, rest = await _run_link(request, *streams)
            except LinkError as error:
                await _close(streams[1])
                wanted = error.code == SpiceLinkErr.NEED_SECURED
                if secure or not wanted or address.tls_port is None:
                    raise
                secure = True
            except BaseException:
                await _close(streams[1])
                raise
            else:
                return link, rest, streams

    async def _open(
        self, *, secure: bool
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        address = self.address
        port = address.tls_port if secure else address.port
        where = address.path or f"{address.host}:{port}"
        try:
            if address.path:
                return await asyncio.open_unix_connection(address.path)
            context = self._trust.context() if secure else None
            reader, writer = await asyncio.open_connection(
                address.host, port, ssl=context
            )
        except ssl.SSLError as error:
            reason = getattr(error, "verify_message", "") or error.reason or error
            raise ConnectError(f"{where}: TLS: {reason}") from error
        except OSError as error:
            # asyncio words a refusal its own way; a resolver's number is no errno.
            number = error.errno or 0
            reason = os.strerror(number) if number > 0 else error.strerror or error
            raise ConnectError(f"{where}: {reason}") from error
        if context is not None:
            try:
                self._trust.check(writer.get_extra_info("ssl_object"))
            except ConnectError:
                await _close(writer)
                raise
        return reader, writer

    async def close(self) -> None:
        """End the session."""
        connections = list(self._connections.values())
        self._connections.clear()
        for connection in reversed(connections):
            await connection.close()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def _run_link(
    request: LinkRequest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> tuple[Link, bytes]:
    link = Link(request)
    try:
        while True:
            writer.write(link.data_to_send())
            data = await reader.read(READ_SIZE)
            if not data:
                text = f"the server closed the connection for {request.name}"
                raise DisconnectedError(text)
            rest = link.receive_data(data)
            if link.result is not None:
                return link, rest
    except OSError as error:
        raise DisconnectedError(f"{request.name}: {error}") from error


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
