"""One client of a display channel: up to date, or behind and being refreshed.

A client that is *up to date* gets every run of messages as it is made.  One that is
*behind* gets none: what it misses is noted as damage, and whenever its pipe has drained
it is sent surfaces that came or went and then some of the damage, from the surfaces as
they are then.  A new client is behind in everything; a slow one becomes so when its pipe
exceeds its bound, and what waited there is dropped.  So what a client can hold back is
bounded, and neither the guest nor another client ever waits for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from spice_protocol.messages.base import BaseMsg, SpiceMsgSetAck
from spice_protocol.messages.display import (
    DisplayMsg,
    DisplayMsgc,
    SpiceHead,
    SpiceMsgcDisplayInit,
    SpiceMsgcDisplayPreferredCompression,
    SpiceMsgcDisplayPreferredVideoCodecType,
    SpiceMsgcDisplayStreamReport,
    SpiceMsgDisplayMonitorsConfig,
)
from spice_protocol.protocol import DisplayCap
from spice_server.channel.ack import DEFAULT_WINDOW
from spice_server.channel.channel_client import ChannelClient
from spice_server.channel.pipe import Message
from spice_server.display.catch_up import CatchUp
from spice_server.display.pipe_item import DisplayItem
from spice_server.errors import ClientError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from spice_common.display_message import DisplayRun
    from spice_server.channel.connection import Connection
    from spice_server.channel.link_info import LinkInfo
    from spice_server.channel.pipe import PipeItem
    from spice_server.display.screen import Screen

__all__ = ["MAX_PIPE_SIZE", "DisplayChannelClient"]

MAX_PIPE_SIZE: Final = 8 * 1024 * 1024
"""Bytes that may wait for a client that is up to date: a full HD screen, raw."""

MAX_PIPE_ITEMS: Final = 1024
"""Items that may wait: a small one costs more memory than its bytes."""

REFRESH_SIZE: Final = 1024 * 1024
"""Bytes of refresh that wait at most: they are as old as they wait long."""

FIRST_PICTURE_SIZE: Final = 64 * 1024 * 1024
"""Bytes of the first picture in one message: a 4K screen and more."""

MAX_PIXMAP_CACHE: Final = 1 << 40
"""Pixels; a client announcing more is confused."""


class DisplayChannelClient(ChannelClient):
    """A display channel's end at the server."""

    pipe_limit: ClassVar[int] = MAX_PIPE_SIZE

    def __init__(self, connection: Connection, link: LinkInfo, channel: Screen) -> None:
        super().__init__(connection, link)
        self.init: SpiceMsgcDisplayInit | None = None
        """What the client offered with DISPLAY_INIT; ``None``: it is still awaited."""
        self.preferred_compression = 0
        """``SPICE_IMAGE_COMPRESSION_*`` the client asked for; 0: none."""
        self.preferred_codecs: list[int] = []
        self.stream_reports = 0
        self._channel = channel
        self._behind = False
        self._catch_up = CatchUp()
        self._owes_inval = True
        self._owes_monitors = True
        self._owes_mark = True
        self._shown = False
        """Whether the client was ever told to show its primary surface."""
        self._refill_soon: asyncio.Handle | None = None

    # -- what the channel says -------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether it has sent DISPLAY_INIT and may be sent pictures."""
        return self.init is not None and not self.closed

    @property
    def up_to_date(self) -> bool:
        """Whether it wants the messages of what is drawn now."""
        return self.ready and not self._behind

    @property
    def behind(self) -> bool:
        """Whether it wants to know what is damaged."""
        return self.ready and self._behind

    def draw(self, run: DisplayRun) -> None:
        """Tell of what was drawn."""
        if self._behind:
            self._catch_up.miss(run.damage)
            self._refill_later()
        elif not run.complete:
            self._catch_up.miss_all(self._channel.surfaces)
            self._fall_behind()
        elif run.starts:
            self._push_run(run)
            self.pump()

    def primary_created(self, run: DisplayRun) -> None:
        """Tell of a new primary surface, its heads, and that it may be shown."""
        self._owes_monitors = self._owes_mark = True
        if self._behind:
            self._refill_later()
        elif run.complete:
            self._push_run(run)
        else:
            self._fall_behind()
        self._settle()

    def send_monitors(self) -> None:
        """Tell how the heads lie now."""
        self._owes_monitors = True
        self._settle()

    def invalidate_caches(self) -> None:
        """Let the client forget cached images and palettes."""
        self._owes_inval = True
        self._settle()

    def _push_run(self, run: DisplayRun) -> None:
        self._catch_up.queue(run)
        self.push(DisplayItem(run, self._catch_up.start))

    # -- being behind ----------------------------------------------------------

    def push(self, item: PipeItem) -> None:
        """Let *item* wait for its turn."""
        super().push(item)
        if len(self.pipe) > MAX_PIPE_ITEMS and not self._behind:
            self._fall_behind()

    def pipe_overflow(self) -> None:
        """Drop what waits and refresh the client later.

        A client that is behind already has what :meth:`_refill` measured out.
        """
        if not self._behind:
            self._fall_behind()

    def _fall_behind(self) -> None:
        self._behind = True
        before = self.pipe.size
        dropped = [item for item in self.pipe if self._can_do_without(item)]
        self.pipe.discard(self._can_do_without)
        self._catch_up.drop(i.run for i in dropped if isinstance(i, DisplayItem))
        types = {item.type for item in dropped if isinstance(item, Message)}
        self._owes_inval |= DisplayMsg.INVAL_ALL_PALETTES in types
        self._owes_monitors |= DisplayMsg.MONITORS_CONFIG in types
        self._owes_mark |= DisplayMsg.MARK in types
        self._channel.client_fell_behind(before - self.pipe.size)
        self.log.debug("is behind: %d bytes dropped", before - self.pipe.size)
        self._refill_later()

    @staticmethod
    def _can_do_without(item: PipeItem) -> bool:
        """Tell whether the client may miss *item*: it gets what replaces it later."""
        if isinstance(item, DisplayItem):
            return not item.started
        return isinstance(item, Message) and item.type > BaseMsg.BASE_LAST

    def pump(self) -> None:
        """Move what window and socket allow, and refill the pipe behind it."""
        super().pump()
        if self._behind:
            self._refill_later()

    def _refill_later(self) -> None:
        if self._refill_soon is None and self._loop is not None and self._has_room():
            self._refill_soon = self._loop.call_soon(self._refill)

    def _has_room(self) -> bool:
        return (
            not self.closed
            and self.pipe.size < REFRESH_SIZE
            and len(self.pipe) < MAX_PIPE_ITEMS // 2
        )

    def _refill(self) -> None:
        """Queue the next part of what the client misses."""
        self._refill_soon = None
        if not self._behind or not self._has_room():
            return
        if self._owes_inval:
            self._push_inval()
        # Some clients take the first picture they see for the whole screen.
        size = REFRESH_SIZE if self._shown else FIRST_PICTURE_SIZE
        runs = self._catch_up.repair(
            self._channel.surfaces, max_bytes=size, max_message=size
        )
        for run in runs:
            self._channel.client_refreshed(len(run.data))
            self._push_run(run)
        if self._catch_up.complete:
            self._behind = False
            self._settle()

    def _settle(self) -> None:
        """Send what is owed beside the pixels, once there is a picture to show."""
        if self._behind or not self.ready:
            return
        if self._owes_inval:
            self._push_inval()
        if self._channel.surfaces.primary is None:
            return
        if self._owes_monitors:
            self._owes_monitors = False
            self._push_monitors()
        if self._owes_mark:
            self._owes_mark = False
            self._shown = True
            self.send(DisplayMsg.MARK)

    def _push_inval(self) -> None:
        self._owes_inval = False
        self.send(DisplayMsg.INVAL_ALL_PALETTES)

    def _push_monitors(self) -> None:
        config = self._channel.monitors
        if config is None or not self.link.has_capability(DisplayCap.MONITORS_CONFIG):
            return
        heads = [
            SpiceHead(h.id, h.surface_id, h.width, h.height, h.x, h.y, h.flags)
            for h in config.heads
        ]
        message = SpiceMsgDisplayMonitorsConfig(
            max_allowed=config.max_allowed, heads=heads
        )
        self.send(DisplayMsg.MONITORS_CONFIG, message.pack())

    # -- what the client says --------------------------------------------------

    def handlers(self) -> dict[int, Callable[[memoryview], None]]:
        """Return the handler of every message that a client may send."""
        return {
            **super().handlers(),
            DisplayMsgc.INIT: self.handle_init,
            DisplayMsgc.STREAM_REPORT: self.handle_stream_report,
            DisplayMsgc.PREFERRED_COMPRESSION: self.handle_preferred_compression,
            DisplayMsgc.PREFERRED_VIDEO_CODEC_TYPE: self.handle_preferred_video_codec,
        }

    def handle_init(self, body: memoryview) -> None:
        """DISPLAY_INIT: the client's caches; from now on it gets pictures."""
        if self.init is not None:
            raise ClientError("INIT came twice")
        init = SpiceMsgcDisplayInit.unpack(body)
        if not 0 <= init.pixmap_cache_size <= MAX_PIXMAP_CACHE:
            raise ClientError(f"a pixmap cache of {init.pixmap_cache_size} pixels")
        if init.glz_dictionary_window_size < 0:
            raise ClientError("a GLZ dictionary of negative size")
        self.init = init
        generation = self.ack.start(DEFAULT_WINDOW)
        self.send(BaseMsg.SET_ACK, SpiceMsgSetAck(generation, DEFAULT_WINDOW).pack())
        self._behind = True
        self._channel.client_ready()
        self._refill()

    def handle_stream_report(self, body: memoryview) -> None:
        """STREAM_REPORT: counted; there are no video streams yet."""
        SpiceMsgcDisplayStreamReport.unpack(body)
        self.stream_reports += 1

    def handle_preferred_compression(self, body: memoryview) -> None:
        """PREFERRED_COMPRESSION: remembered; raw bitmaps are always allowed."""
        message = SpiceMsgcDisplayPreferredCompression.unpack(body)
        self.preferred_compression = message.image_compression

    def handle_preferred_video_codec(self, body: memoryview) -> None:
        """PREFERRED_VIDEO_CODEC_TYPE: remembered."""
        message = SpiceMsgcDisplayPreferredVideoCodecType.unpack(body)
        self.preferred_codecs = message.codecs

    def cleanup(self) -> None:
        """Forget what was noted for the client."""
        if self._refill_soon is not None:
            self._refill_soon.cancel()
        self._catch_up.clear()
