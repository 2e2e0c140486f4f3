"""A client for measuring: takes what a server sends, counts it, perhaps paints it.

The report has the keys of libspice-server's measuring client of this project, so that
figures of different servers can be laid side by side.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spice_client.connect import connect
from spice_client.display import DisplayChannel
from spice_client.errors import ConnectError, DisconnectedError
from spice_protocol.enums import ChannelType, SpiceImageType
from spice_protocol.messages.display import DisplayMsg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from spice_client.connect import Client
    from spice_client.connection import Connection
    from spice_client.options import ClientOptions
    from spice_client.picture import Picture
    from spice_client.tls import TlsTrust

__all__ = ["Sink", "SinkReport"]

_STREAM_DATA = (DisplayMsg.STREAM_DATA, DisplayMsg.STREAM_DATA_SIZED)
_HEADER_SIZE = 6
_NAMES = {SpiceImageType.ZLIB_GLZ_RGB: "zlib_glz"}
LOOK_EVERY_S = 0.05
"""How often a sink looks whether a display fell silent."""
RETRY_S = 0.05
"""... and whether the server is there."""


@dataclass(slots=True)
class SinkReport:
    """What came."""

    data: dict[str, Any]
    """Ready for JSON."""
    picture: Picture | None
    """The last of the first display, if it was painted."""


class Sink:
    """Connects, takes everything, and says what it was.

    Args:
        uri: an address, see :func:`spice_client.uri.parse_uri`.
        options: caches, capabilities, slowness; whether it paints.
        idle_s: how long displays must be silent before :meth:`run` ends, if
            :meth:`finish` was called.
        wait_s: how long to wait for a server that is not there yet.

    """

    def __init__(
        self,
        uri: str,
        options: ClientOptions,
        *,
        idle_s: float = 1.5,
        wait_s: float = 10.0,
    ) -> None:
        self.uri = uri
        self.options = options
        self._idle_s = idle_s
        self._wait_s = wait_s
        self._finishing = False
        self._stopped = False
        self._opened_at = 0.0

    def finish(self) -> None:
        """End once the displays are silent."""
        self._finishing = True

    def stop(self) -> None:
        """End now."""
        self._stopped = True

    async def run(
        self,
        *,
        password: str | None = None,
        trust: TlsTrust | None = None,
        opened: Callable[[], None] = lambda: None,
    ) -> SinkReport:
        """Take what comes until told to end or the server goes.

        Args:
            password: the ticket.
            trust: whom to trust over TLS.
            opened: called when all channels are open.

        Raises:
            SpiceClientError, ProtocolError: see :func:`spice_client.connect.connect`;
                or a display sent what cannot be painted.

        """
        async with contextlib.AsyncExitStack() as stack:
            client = await self._connect(stack, password, trust)
            self._opened_at = asyncio.get_running_loop().time()
            opened()
            with contextlib.suppress(DisconnectedError):
                while True:
                    if self._ended(client):
                        break
                    # A look at the clock, not at each message: that would cost more
                    # than taking it.
                    await asyncio.sleep(LOOK_EVERY_S)
            return report(client)

    async def _connect(
        self,
        stack: contextlib.AsyncExitStack,
        password: str | None,
        trust: TlsTrust | None,
    ) -> Client:
        """Connect, perhaps to a server that is only starting."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._wait_s
        while True:
            try:
                return await stack.enter_async_context(
                    connect(
                        self.uri, password=password, trust=trust, options=self.options
                    )
                )
            except ConnectError:
                if loop.time() >= end:
                    raise
            await asyncio.sleep(RETRY_S)

    def _ended(self, client: Client) -> bool:
        for connection in client.connections.values():
            if connection.error is not None:
                raise connection.error
        if self._stopped or not self._finishing:
            return self._stopped
        last = max(
            (c.last_data_at or 0.0 for c in _displays(client.connections.values())),
            default=0.0,
        )
        last = max(last, self._opened_at)
        return asyncio.get_running_loop().time() - last > self._idle_s


def _displays(connections: Iterable[Connection]) -> list[Connection]:
    return [c for c in connections if isinstance(c.channel, DisplayChannel)]


def _bytes_of(client: Client, channel_type: int) -> int:
    return sum(
        connection.channel.bytes_received
        for (kind, _), connection in client.connections.items()
        if kind == channel_type
    )


def report(client: Client) -> SinkReport:
    """Say what a session brought so far."""
    connections = _displays(client.connections.values())
    displays = [c.channel for c in connections if isinstance(c.channel, DisplayChannel)]
    messages = _sum(d.canvas.counts().messages for d in displays)
    images = _sum(d.canvas.counts().images for d in displays)
    frames = _sum(
        {0: (count, size - _HEADER_SIZE * count)}
        for number, (count, size) in messages.items()
        if number in _STREAM_DATA
    ).get(0, (0, 0))
    first = [c.first_data_at for c in connections if c.first_data_at is not None]
    last = [c.last_data_at for c in connections if c.last_data_at is not None]
    data: dict[str, Any] = {
        "display_bytes": _bytes_of(client, ChannelType.DISPLAY),
        "display_msgs": sum(display.messages_received for display in displays),
        "main_bytes": _bytes_of(client, ChannelType.MAIN),
        "cursor_bytes": _bytes_of(client, ChannelType.CURSOR),
        "first_t": min(first, default=0.0),
        "last_t": max(last, default=0.0),
        "streams": messages.get(DisplayMsg.STREAM_CREATE, (0,))[0],
        "stream_frames": frames[0],
        "stream_bytes": frames[1],
        "msg": {str(number): list(row) for number, row in sorted(messages.items())},
        "images": {
            _image_name(kind): list(row) for kind, row in sorted(images.items())
        },
        "draws": sum(display.draws for display in displays),
    }
    picture = None
    if displays and displays[0].primary is not None:
        picture = displays[0].primary.picture()
        data["picture"] = [picture.width, picture.height]
    return SinkReport(data, picture)


def _image_name(kind: int) -> str:
    try:
        image_type = SpiceImageType(kind)
    except ValueError:
        return f"type_{kind}"
    return _NAMES.get(image_type, image_type.name.lower())


def _sum(tables: Iterable[Mapping[int, tuple[int, ...]]]) -> dict[int, tuple[int, ...]]:
    total: dict[int, tuple[int, ...]] = {}
    for table in tables:
        for number, row in table.items():
            before = total.get(number, (0,) * len(row))
            total[number] = tuple(a + b for a, b in zip(before, row, strict=True))
    return total
