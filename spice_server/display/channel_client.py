"""One client of a display channel: what is pending for it goes out as fast as it takes it.

Nothing waits in the pipe but what was just made: as long as the client does not read,
what it has still to be told waits as :class:`~spice_common.pending.Pending`, where newer
things replace older ones and nothing grows without bound.  So neither the guest nor
another client ever waits for a slow one, and a slow one is never shown old pictures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from spice_protocol.enums import SpiceImageCompression
from spice_protocol.messages.base import BaseMsg, SpiceMsgSetAck
from spice_protocol.messages.display import (
    DisplayMsg,
    DisplayMsgc,
    SpiceMsgcDisplayInit,
    SpiceMsgcDisplayPreferredCompression,
    SpiceMsgcDisplayPreferredVideoCodecType,
    SpiceMsgcDisplayStreamReport,
)
from spice_protocol.protocol import DisplayCap
from spice_server.channel.ack import DEFAULT_WINDOW
from spice_server.channel.channel_client import ChannelClient
from spice_server.channel.pipe import MessageRun
from spice_server.display.compression import choose_settings, draws_little
from spice_server.display.monitors import monitors_message
from spice_server.errors import ClientError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from spice_common.client_images import GlzDictionary
    from spice_common.pending import Pending
    from spice_server.channel.connection import Connection
    from spice_server.channel.link_info import LinkInfo
    from spice_server.display.screen import Screen

__all__ = ["FRAME_TIME", "DisplayChannelClient"]

FRAME_TIME: Final = 1 / 60
"""Seconds from one flush to the next while the guest keeps drawing: what nobody can see
need not be sent.  A change after a pause goes out at once."""

MAX_FRAME_TIME: Final = 0.05
"""Seconds that flushes are apart at most, however long one takes."""

FLUSH_SHARE: Final = 3
"""A flush is followed by a pause, so that at most this part of the time goes into them."""

FLUSH_SIZE: Final = 4 * 1024 * 1024
"""Bytes of pixels looked at before others get their turn: some milliseconds."""

LOW_PIPE: Final = 128 * 1024
"""Bytes waiting in the pipe below which more is made."""

EXACT_DELAY: Final = 0.5
"""Seconds without news after which what was sent lossily is sent exactly."""

MAX_PIXMAP_CACHE: Final = 1 << 40
"""Pixels; a client announcing more is confused."""


class DisplayChannelClient(ChannelClient):
    """A display channel's end at the server."""

    pipe_limit: ClassVar[int] = 256 * 1024 * 1024
    """Never reached: one flush waits at most, of which the first can be a large screen."""

    def __init__(self, connection: Connection, link: LinkInfo, channel: Screen) -> None:
        super().__init__(connection, link)
        self.init: SpiceMsgcDisplayInit | None = None
        """What the client offered with DISPLAY_INIT; ``None``: it is still awaited."""
        self.preferred_compression = 0
        """``SPICE_IMAGE_COMPRESSION_*`` the client asked for; 0: none."""
        self.preferred_codecs: list[int] = []
        self.stream_reports = 0
        self.pending: Pending | None = None
        """What it has still to be told; ``None`` before DISPLAY_INIT and at the end."""
        self._channel = channel
        self._dictionary: GlzDictionary | None = None
        self._owes_inval = True
        self._owes_monitors = True
        self._owes_mark = True
        self._shown = False
        """Whether the client was ever told to show its primary surface."""
        self._next_flush = 0.0
        self._flush_timer: asyncio.Handle | None = None
        self._lossy = False
        """Whether pictures may be sent lossily at first."""
        self._exact = False
        """Whether they are being sent exactly now."""
        self._exact_timer: asyncio.TimerHandle | None = None

    # -- what the channel says -------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether it has sent DISPLAY_INIT and may be sent pictures."""
        return self.pending is not None

    def update(self) -> None:
        """Tell of what is pending now, or soon if that was done a moment ago."""
        if self._flush_timer is not None or self._loop is None or not self._has_news():
            return
        wait = self._next_flush - self._loop.time()
        if wait > 0:
            self._flush_timer = self._loop.call_later(wait, self._flush)
        else:
            self._flush()

    def primary_created(self, *, monitors: bool) -> None:
        """Tell of a new primary surface, that it may be shown, and of its heads."""
        self._owes_mark = True
        self._owes_monitors |= monitors
        self.update()

    def send_monitors(self) -> None:
        """Tell how the heads lie now."""
        self._owes_monitors = True
        self.update()

    def invalidate_caches(self) -> None:
        """Let the client forget what the guest had named: palettes.

        Images in its cache are named by their pixels, which stay what they are.
        """
        self._owes_inval = True
        self.update()

    # -- what is pending -------------------------------------------------------

    def _has_news(self) -> bool:
        owes = self._owes_inval or (
            (self._owes_monitors or self._owes_mark)
            and self._channel.surfaces.primary is not None
        )
        return bool(self.pending) or (self.ready and owes)

    def _has_room(self) -> bool:
        """Whether the client will get soon what is made for it now."""
        return self.pipe.size < LOW_PIPE and self._link_is_free()

    def _link_is_free(self) -> bool:
        return not self.closed and self.ack.available > 0

    def _flush(self) -> None:
        """Make messages of what is pending, if they will not have to wait."""
        self._flush_timer = None
        if self.pending is None or self._loop is None or not self._has_room():
            return  # pump() comes back to it
        start = self._loop.time()
        if self._owes_inval:
            self._push_inval()
        # Some clients take the first picture they see for the whole screen.
        more, run = self._channel.make_messages(
            self.pending, FLUSH_SIZE, whole=not self._shown, exact=self._exact
        )
        if run.starts:
            self.push(MessageRun(run.data, run.starts))
        pause = FLUSH_SHARE * (self._loop.time() - start)
        self._next_flush = start + min(max(FRAME_TIME, pause), MAX_FRAME_TIME)
        if not more:
            self._settle()
            self._refresh_later()
        self.pump()
        if more and self._flush_timer is None:
            self._flush_timer = self._loop.call_soon(self._flush)

    def _refresh_later(self) -> None:
        """Have sent exactly, once it is quiet, what was sent lossily."""
        self._exact = False
        if self._exact_timer is not None:
            self._exact_timer.cancel()
            self._exact_timer = None
        if self._loop is not None and self._lossy:
            self._exact_timer = self._loop.call_later(EXACT_DELAY, self._refresh)

    def _refresh(self) -> None:
        self._exact_timer = None
        if self.pending is not None and self.pending.damage_lossy():
            self._exact = True
            self.update()

    def pump(self) -> None:
        """Move what window and socket allow, and make more behind it."""
        super().pump()
        if self._flush_timer is None and self._has_news() and self._has_room():
            self.update()

    def _settle(self) -> None:
        """Send what is owed beside the pixels, once there is a picture to show."""
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
        config, primary = self._channel.monitors, self._channel.surfaces.primary
        if config is None or primary is None:
            return
        if self.link.has_capability(DisplayCap.MONITORS_CONFIG):
            message = monitors_message(config, primary.width, primary.height)
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
        caches = self._channel.pictures.caches
        self._dictionary = caches.dictionary(self.link.session_id, init)
        self.pending = self._channel.surfaces.add_client()
        # spice-html5 takes its 64-bit names of pictures for 32-bit ones: several are one.
        pixmaps = None if draws_little(self.link) else caches.pixmaps(init)
        self.pending.use(self._dictionary, pixmaps)
        self._choose_settings()
        self._channel.client_ready()
        self.update()

    def _choose_settings(self) -> None:
        settings = choose_settings(
            self._channel.pictures.compression,
            self.link,
            preferred=self.preferred_compression,
            channel=self._channel.id,
        )
        self._lossy = settings.jpeg
        if self.pending is not None:
            self.pending.set(settings)

    def handle_stream_report(self, body: memoryview) -> None:
        """STREAM_REPORT: counted; there are no video streams yet."""
        SpiceMsgcDisplayStreamReport.unpack(body)
        self.stream_reports += 1

    def handle_preferred_compression(self, body: memoryview) -> None:
        """PREFERRED_COMPRESSION: from now on."""
        message = SpiceMsgcDisplayPreferredCompression.unpack(body)
        try:
            preferred = SpiceImageCompression(message.image_compression)
        except ValueError as error:
            raise ClientError(
                f"image compression {message.image_compression}"
            ) from error
        self.preferred_compression = preferred
        self._choose_settings()

    def handle_preferred_video_codec(self, body: memoryview) -> None:
        """PREFERRED_VIDEO_CODEC_TYPE: remembered."""
        message = SpiceMsgcDisplayPreferredVideoCodecType.unpack(body)
        self.preferred_codecs = message.codecs

    def cleanup(self) -> None:
        """Forget what was noted for the client."""
        for timer in (self._flush_timer, self._exact_timer):
            if timer is not None:
                timer.cancel()
        if self._dictionary is not None:
            self._dictionary.reset()  # what was not sent is waited for in vain
        if self.pending is not None:
            self._channel.surfaces.remove_client(self.pending)
            self._channel.client_gone(self.pending)
            self.pending = None
