"""One channel's way to a server: its socket, TLS and the link stage, on asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from typing import TYPE_CHECKING

from spice_client.errors import (
    ConnectError,
    DisconnectedError,
    LinkError,
    SpiceClientError,
)
from spice_client.link import Link
from spice_client.rate_limit import RateLimit
from spice_protocol.enums import ChannelType, SpiceLinkErr
from spice_protocol.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from spice_client.channel import Channel
    from spice_client.link import LinkRequest
    from spice_client.tls import TlsTrust
    from spice_client.uri import ServerAddress

__all__ = ["Connection", "open_link"]

READ_SIZE = 1 << 18
SLOW_READ_SIZE = 1 << 14
"""... with a rate limit, and what the kernel may hold then: 4 of these."""
STREAM_LIMIT = 1 << 19
"""Bytes read ahead before the socket is left alone, half of what asyncio keeps."""


class Connection:
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
        self.first_data_at: float | None = None
        """When the first bytes came, by the loop's clock (CLOCK_MONOTONIC)."""
        self.last_data_at: float | None = None
        self._reader, self._writer, self._changed = reader, writer, changed
        self._task: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._resumed = asyncio.Event()
        options = channel.session.options
        limited = channel.TYPE is ChannelType.DISPLAY and options.max_mbps > 0
        self._limit = RateLimit(options.max_mbps if limited else 0, self._loop.time())
        self._read_size = SLOW_READ_SIZE if limited else READ_SIZE
        self._delay = options.reply_delay_s

    def start(self, rest: bytes) -> None:
        """Read from now on; *rest* came behind the link stage."""
        self._task = asyncio.create_task(self._run(rest))

    def resume(self) -> None:
        """Look again whether the channel can go on: another one did."""
        self._resumed.set()

    async def _run(self, data: bytes) -> None:
        try:
            await self._receive(data)
            while data := await self._reader.read(self._read_size):
                await self._receive(data)
            self.error = DisconnectedError("the server closed the connection")
        except (SpiceClientError, ProtocolError, MemoryError) as error:
            self.error = error
        except OSError as error:
            self.error = DisconnectedError(f"the connection broke: {error}")
        finally:
            self.channel.leave()
            self._changed()

    async def _receive(self, data: bytes) -> None:
        """Handle what came; return when the next may be read."""
        now = self._loop.time()
        if data:
            self.first_data_at = self.first_data_at or now
            self.last_data_at = now
        self.channel.receive_data(data)
        serial = -1
        while True:
            await self._answer()
            if serial != self.channel.serial:  # else two would wake each other forever
                serial = self.channel.serial
                self._changed()
            if not self.channel.held_up:
                break
            self._resumed.clear()
            await self._resumed.wait()
            self.channel.receive_data(b"")
        pause = self._limit.take(len(data), now)
        if pause:
            await asyncio.sleep(pause)

    async def _answer(self) -> None:
        """Send what is queued; a server that does not read is not listened to."""
        self.flush()
        if not self._delay:
            await self._writer.drain()

    def flush(self) -> None:
        """Hand what the channel wants to send to the socket, perhaps after a delay."""
        data = self.channel.data_to_send()
        if not data:
            return
        if self._delay:
            self._loop.call_later(self._delay, self._write, data)
        else:
            self._write(data)

    def _write(self, data: bytes) -> None:
        if not self._writer.is_closing():
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
        self.channel.leave()
        await _close(self._writer)


async def open_link(
    address: ServerAddress,
    trust: TlsTrust,
    request: LinkRequest,
    *,
    slow: bool = False,
) -> tuple[Link, bytes, tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect and link, over TLS if the server asks for it and the address allows.

    Args:
        address: where the server listens.
        trust: how to tell the right one over TLS.
        request: which channel is wanted.
        slow: let the kernel hold little, so that reading slowly slows the server.

    Returns:
        The finished link, the bytes that came behind it, and the streams.

    Raises:
        ConnectError: nobody answers.
        LinkError: the server refuses.
        ProtocolError: what answers does not speak SPICE.

    """
    secure = address.port is None and not address.path
    while True:
        streams = await _open(address, trust, secure=secure, slow=slow)
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
    address: ServerAddress, trust: TlsTrust, *, secure: bool, slow: bool
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    port = address.tls_port if secure else address.port
    where = address.path or f"{address.host}:{port}"
    limit = SLOW_READ_SIZE if slow else STREAM_LIMIT
    try:
        if address.path:
            return await asyncio.open_unix_connection(address.path, limit=limit)
        context = trust.context() if secure else None
        reader, writer = await asyncio.open_connection(
            address.host, port, ssl=context, limit=limit
        )
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason or error
        raise ConnectError(f"{where}: TLS: {reason}") from error
    except OSError as error:
        # asyncio words a refusal its own way; a resolver's number is no errno.
        number = error.errno or 0
        reason = os.strerror(number) if number > 0 else error.strerror or error
        raise ConnectError(f"{where}: {reason}") from error
    if slow:
        sock: socket.socket = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * SLOW_READ_SIZE)
    if context is not None:
        try:
            trust.check(writer.get_extra_info("ssl_object"))
        except ConnectError:
            await _close(writer)
            raise
    return reader, writer


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
