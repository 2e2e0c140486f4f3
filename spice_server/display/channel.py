"""The display channel: surfaces and what is drawn on them, to any number of clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, cast

from spice_common.display_message import DisplayMessages
from spice_protocol.enums import ChannelType
from spice_protocol.protocol import DisplayCap
from spice_server.channel.channel import Channel
from spice_server.display.channel_client import DisplayChannelClient
from spice_server.display.surface import PRIMARY
from vd_interfaces.qxl import Head, MonitorsConfig

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator

    from spice_common.display_message import DisplayRun
    from spice_common.pending import Pending
    from spice_server.channel.channel_client import ChannelClient
    from spice_server.channel.connection import Connection
    from spice_server.channel.link_info import LinkInfo
    from spice_server.display.client_caches import Pictures
    from spice_server.display.stats import DisplayStats
    from spice_server.display.surface import Surfaces

__all__ = ["DisplayChannel"]

CLIENT_CAPABILITIES_SIZE: Final = 58
"""QXLRom.client_capabilities, bytes."""

GUEST_VISIBLE_CAPS: Final = (
    DisplayCap.SIZED_STREAM,
    DisplayCap.MONITORS_CONFIG,
    DisplayCap.COMPOSITE,
    DisplayCap.A8_SURFACE,
)
"""What a guest's driver may learn of its clients."""


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
        pictures: Pictures,
    ) -> None:
        """Serve display *channel_id* on the loop that *get_loop* returns."""
        super().__init__(channel_id)
        self.surfaces = surfaces
        self.pictures = pictures
        self.monitors: MonitorsConfig | None = None
        """How the heads lie, as the guest told; one head until it did."""
        self._guest_tells = False
        """Whether its driver tells how heads lie whenever it made a primary surface."""
        self._stats = stats
        self._messages = DisplayMessages()
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

    def client_gone(self, pending: Pending) -> None:
        """Keep the counters of a client that is gone."""
        self._stats.add(pending.counters())

    def make_messages(
        self, pending: Pending, max_bytes: int, *, whole: bool, exact: bool
    ) -> tuple[bool, DisplayRun]:
        """Make messages of what is pending, see :class:`Screen`."""
        more = pending.flush(
            self._messages, max_bytes=max_bytes, whole=whole, exact=exact
        )
        run = self._messages.take()
        if not run.complete:
            pending.damage_all()
        self._stats.messages += len(run.starts)
        self._stats.message_bytes += len(run.data)
        return more, run

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

    def update(self) -> None:
        """Tell all clients what was drawn."""
        for client in self._ready():
            client.update()

    def primary_created(self, width: int, height: int) -> None:
        """Tell all clients of a new primary surface.

        It is one head, until the guest tells something else.  If it is known to do so
        clients wait for that: they shape their windows by what they are told.
        """
        head = Head(0, PRIMARY, width, height, 0, 0)
        allowed = self.monitors.max_allowed if self.monitors else 1
        self.monitors = MonitorsConfig([head], allowed)
        for client in self._ready():
            client.primary_created(monitors=not self._guest_tells)

    def set_monitors(self, monitors: MonitorsConfig) -> None:
        """Tell all clients how the heads lie."""
        self._guest_tells = True
        self.monitors = monitors
        for client in self._ready():
            client.send_monitors()

    def forget_monitors(self) -> None:
        """Forget what the guest told: another driver may come."""
        self._guest_tells = False
        self.monitors = None

    def invalidate_caches(self) -> None:
        """Let all clients forget cached images and palettes."""
        for client in self._ready():
            client.invalidate_caches()
