"""The display channel: surfaces and what is drawn on them, to any number of clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, cast

from spice_protocol.enums import ChannelType
from spice_protocol.protocol import DisplayCap
from spice_server.channel.channel import Channel
from spice_server.display.channel_client import DisplayChannelClient

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator

    from spice_common.display_message import DisplayRun
    from spice_server.channel.channel_client import ChannelClient
    from spice_server.channel.connection import Connection
    from spice_server.channel.link_info import LinkInfo
    from spice_server.display.stats import DisplayStats
    from spice_server.display.surface import Surfaces
    from vd_interfaces.qxl import MonitorsConfig

__all__ = ["DisplayChannel"]

CLIENT_CAPABILITIES_SIZE: Final = 58
"""QXLRom.client_capabilities, bytes."""

GUEST_VISIBLE_CAPS: Final = (DisplayCap.SIZED_STREAM, DisplayCap.MONITORS_CONFIG)
"""What a guest's driver may learn of its clients.  COMPOSITE and A8_SURFACE would let
drivers draw by QXL_DRAW_COMPOSITE, which is not drawn here yet."""


class DisplayChannel(Channel):
    """Passes what the worker draws to its clients; lives in the worker's thread."""

    type = ChannelType.DISPLAY
    capabilities: ClassVar[tuple[int, ...]] = (
        DisplayCap.MONITORS_CONFIG,
        DisplayCap.STREAM_REPORT,
        DisplayCap.PREF_COMPRESSION,
        DisplayCap.PREF_VIDEO_CODEC_TYPE,
    )

    def __init__(
        self,
        channel_id: int,
        surfaces: Surfaces,
        stats: DisplayStats,
        get_loop: Callable[[], asyncio.AbstractEventLoop],
        set_client_capabilities: Callable[[bool, bytes], None],
    ) -> None:
        """Serve display *channel_id* on the loop that *get_loop* returns."""
        super().__init__(channel_id)
        self.surfaces = surfaces
        self.monitors: MonitorsConfig | None = None
        """How the heads lie, as the guest told."""
        self._stats = stats
        self._get_loop = get_loop
        self._set_client_capabilities = set_client_capabilities

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the worker's loop."""
        return self._get_loop()

    def create_client(self, connection: Connection, link: LinkInfo) -> ChannelClient:
        """Make the client of a new link."""
        return DisplayChannelClient(connection, link, self)

    def client_closed(self, client: ChannelClient) -> None:  # noqa: ARG002 - Channel's
        """Tell the guest what the remaining clients can do."""
        self._publish_clients()

    # -- from the clients ------------------------------------------------------

    def client_ready(self) -> None:
        """Tell the guest of a client that begins to show pictures."""
        self._publish_clients()

    def client_fell_behind(self, dropped: int) -> None:
        """Count a client that was too slow."""
        self._stats.fell_behind += 1
        self._stats.dropped_bytes += dropped

    def client_refreshed(self, size: int) -> None:
        """Count bytes made from the surfaces for one client."""
        self._stats.refresh_bytes += size

    def _publish_clients(self) -> None:
        ready = list(self._ready())
        self._stats.clients = len(ready)
        words = bytearray(CLIENT_CAPABILITIES_SIZE)
        for cap in GUEST_VISIBLE_CAPS:
            if ready and all(client.link.has_capability(cap) for client in ready):
                words[cap // 8] |= 1 << cap % 8
        self._set_client_capabilities(bool(ready), bytes(words))

    def _ready(self) -> Iterator[DisplayChannelClient]:
        for client in list(self.clients.values()):
            display_client = cast("DisplayChannelClient", client)
            if display_client.ready:
                yield display_client

    # -- from the worker -------------------------------------------------------

    def wants(self) -> tuple[bool, bool]:
        """Tell whether some client wants messages, and whether some wants damage."""
        messages = damage = False
        for client in self._ready():
            messages = messages or client.up_to_date
            damage = damage or client.behind
        return messages, damage

    def draw(self, run: DisplayRun) -> int:
        """Tell all clients what was drawn; the bytes waiting for the slowest of them."""
        self._count(run)
        waiting = 0
        for client in self._ready():
            client.draw(run)
            if client.up_to_date:
                waiting = max(waiting, client.pipe.size)
        return waiting

    def primary_created(self, run: DisplayRun) -> None:
        """Tell all clients of a new primary surface."""
        self._count(run)
        for client in self._ready():
            client.primary_created(run)

    def set_monitors(self, monitors: MonitorsConfig | None) -> None:
        """Tell all clients how the heads lie."""
        self.monitors = monitors
        for client in self._ready():
            client.send_monitors()

    def invalidate_caches(self) -> None:
        """Let all clients forget cached images and palettes."""
        for client in self._ready():
            client.invalidate_caches()

    def _count(self, run: DisplayRun) -> None:
        self._stats.messages += len(run.starts)
        self._stats.message_bytes += len(run.data)
