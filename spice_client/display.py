"""The display channel: surfaces, and the drawings that change them (sans-I/O)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from spice_client.channel import Channel, Received
from spice_client.errors import UnsupportedError
from spice_client.faults import fault
from spice_client.screen import Screen, screens_of
from spice_client.streams import VideoStreams
from spice_client.surface import Surface
from spice_common.client_canvas import ClientCanvas, ClientError, Reason
from spice_protocol.enums import ChannelType
from spice_protocol.messages.base import SpiceMsgEmpty
from spice_protocol.messages.display import (
    DisplayMsg,
    DisplayMsgc,
    SpiceHead,
    SpiceMsgcDisplayInit,
    SpiceMsgcDisplayPreferredCompression,
    SpiceMsgcDisplayPreferredVideoCodecType,
    SpiceMsgDisplayMonitorsConfig,
    SpiceMsgDisplayStreamActivateReport,
    SpiceMsgDisplayStreamClip,
    SpiceMsgDisplayStreamCreate,
    SpiceMsgDisplayStreamData,
    SpiceMsgDisplayStreamDataSized,
    SpiceMsgDisplayStreamDestroy,
)
from spice_protocol.protocol import DisplayCap, has_capability

if TYPE_CHECKING:
    from spice_client.link import LinkResult
    from spice_client.session import Session
    from spice_protocol.messages.base import SpiceMsgWaitForChannels
    from spice_protocol.wire import WireStruct

__all__ = ["DISPLAY_CAPABILITIES", "DisplayChannel"]

DISPLAY_CAPABILITIES = (
    DisplayCap.SIZED_STREAM,
    DisplayCap.MONITORS_CONFIG,
    DisplayCap.COMPOSITE,
    DisplayCap.A8_SURFACE,
    DisplayCap.STREAM_REPORT,
    DisplayCap.LZ4_COMPRESSION,
    DisplayCap.PREF_COMPRESSION,
    DisplayCap.PREF_VIDEO_CODEC_TYPE,
)
"""What this client draws; the only codec of streams is MJPEG, which needs no bit."""

_MAY_COME = (ClientError.NO_IMAGE, ClientError.NO_GLZ_IMAGE)


class DisplayChannel(Channel):
    """One display's surfaces as the server draws them.

    Messages about pictures are done by the C core, many in one call; ``receive_data``
    returns the others.  What cannot be drawn raises an error that names the message: a
    wrong picture would be worse than none.
    """

    TYPE = ChannelType.DISPLAY
    MAX_MESSAGE_SIZE: ClassVar[int] = 4 * 8192 * 8192 + 65536
    """A raw picture of the largest surface QXL drivers make."""
    CAPABILITIES: ClassVar[tuple[int, ...]] = DISPLAY_CAPABILITIES
    HANDLERS: ClassVar[dict[int, str]] = {
        DisplayMsg.INVAL_ALL_PIXMAPS: "handle_inval_all_pixmaps",
        DisplayMsg.MONITORS_CONFIG: "handle_monitors_config",
        DisplayMsg.STREAM_CREATE: "handle_stream_create",
        DisplayMsg.STREAM_DATA: "handle_stream_data",
        DisplayMsg.STREAM_DATA_SIZED: "handle_stream_data",
        DisplayMsg.STREAM_CLIP: "handle_stream_clip",
        DisplayMsg.STREAM_DESTROY: "handle_stream_destroy",
        DisplayMsg.STREAM_DESTROY_ALL: "handle_stream_destroy_all",
        DisplayMsg.STREAM_ACTIVATE_REPORT: "handle_stream_activate_report",
        DisplayMsg.GL_SCANOUT_UNIX: "handle_gl_scanout",
    }

    def __init__(
        self, link: LinkResult, channel_id: int = 0, session: Session | None = None
    ) -> None:
        super().__init__(link, channel_id, session)
        self.canvas = ClientCanvas(
            self.session.cache,
            paint=self.session.options.paint,
            max_message=self.MAX_MESSAGE_SIZE,
        )
        """The surfaces."""
        self.heads: list[SpiceHead] = []
        """Monitors of the last MONITORS_CONFIG."""
        self.streams = VideoStreams()
        """Video streams that are open."""
        self._forget_images = False
        self._missing: Exception | None = None

    def start(self) -> None:
        """Send INIT, and what compression and codecs are wanted."""
        options = self.session.options
        init = SpiceMsgcDisplayInit(
            1, options.image_cache_pixels, 1, options.glz_window_pixels
        )
        self.send(DisplayMsgc.INIT, init)
        if options.preferred_compression is not None:
            self.prefer_compression(options.preferred_compression)
        if options.preferred_codecs:
            self.prefer_codecs(options.preferred_codecs)

    def prefer_compression(self, compression: int) -> None:
        """Ask for a ``SPICE_IMAGE_COMPRESSION_*``, if the server can be asked."""
        if has_capability(self.link.channel_capabilities, DisplayCap.PREF_COMPRESSION):
            wish = SpiceMsgcDisplayPreferredCompression(compression)
            self.send(DisplayMsgc.PREFERRED_COMPRESSION, wish)

    def prefer_codecs(self, codecs: tuple[int, ...]) -> None:
        """Ask for ``SPICE_VIDEO_CODEC_TYPE_*``, if the server can be asked."""
        asked = DisplayCap.PREF_VIDEO_CODEC_TYPE
        if has_capability(self.link.channel_capabilities, asked):
            wish = SpiceMsgcDisplayPreferredVideoCodecType(list(codecs))
            self.send(DisplayMsgc.PREFERRED_VIDEO_CODEC_TYPE, wish)

    @property
    def marked(self) -> bool:
        """The server said that the picture may be shown."""
        return self.canvas.marked

    @property
    def primary(self) -> Surface | None:
        """The surface that is the screen."""
        info = self.canvas.primary
        return None if info is None else Surface(self.canvas, info)

    @property
    def surfaces(self) -> dict[int, Surface]:
        """All surfaces, by id."""
        infos = map(self.canvas.surface, self.canvas.surface_ids())
        return {
            info.id: Surface(self.canvas, info) for info in infos if info is not None
        }

    @property
    def screens(self) -> list[Screen]:
        """What monitors show, by the last MONITORS_CONFIG or else all of the screen."""
        return screens_of(self.heads, self.surfaces, self.canvas.primary)

    @property
    def draws(self) -> int:
        """Drawings done so far."""
        return self.canvas.draws

    @property
    def waiting(self) -> bool:
        """Whether other channels must get on before this one can."""
        if super().waiting:
            return True
        if self._forget_images:
            self._forget_images = False
            self.canvas.cache.forget_images()
        return False

    @property
    def held_up(self) -> bool:
        """Whether what was received cannot be handled before other channels get on."""
        return self._missing is not None or self.waiting

    @property
    def missing(self) -> Exception | None:
        """What of another display this one waits for."""
        return self._missing

    def _take_messages(self) -> list[Received]:
        received: list[Received] = []
        self._missing = None
        while not self.held_up:
            if not self._sub_messages and not self._paint():
                break
            if not self._take_message(received):
                break
        return received

    def _paint(self) -> bool:
        """Do messages about pictures; True: another one is next, and whole."""
        if not self._buffer:
            return False
        full_header = not self.link.mini_header
        progress = self.canvas.receive(self._buffer, full_header=full_header)
        del self._buffer[: progress.consumed]
        self._count(-1, progress.messages)
        if progress.reason is Reason.FAILED:
            self._fail(progress.type, progress.error, progress.detail)
        return progress.reason is Reason.OTHER

    def _fail(self, message_id: int, error: ClientError, detail: int) -> None:
        """Wait for what may come on another display's channel; else raise."""
        problem = fault(self.label, self.name_of(message_id), error, detail)
        if error not in _MAY_COME or not self.session.has_other_displays(self.id):
            raise problem
        self._missing = problem

    def _handle(self, message_id: int, body: bytes) -> Received:
        if not self.canvas.takes(message_id):
            return super()._handle(message_id, body)
        error, detail = self.canvas.message(message_id, body)
        if error:
            self._fail(message_id, error, detail)
            self._sub_messages.appendleft((message_id, body))
        return Received(message_id, SpiceMsgEmpty())

    def handle_inval_all_pixmaps(self, message: SpiceMsgWaitForChannels) -> None:
        """Forget all cached images, once other channels got that far."""
        self.handle_wait_for_channels(message)
        self._forget_images = True

    def handle_monitors_config(self, message: SpiceMsgDisplayMonitorsConfig) -> None:
        """Note where monitors are."""
        self.heads = message.heads

    def handle_stream_create(self, message: SpiceMsgDisplayStreamCreate) -> None:
        """Expect frames."""
        self.streams.create(message)

    def handle_stream_data(
        self, message: SpiceMsgDisplayStreamData | SpiceMsgDisplayStreamDataSized
    ) -> None:
        """Draw a frame and report on the stream if that is due."""
        if self.session.options.paint:
            body = self.streams.draw_message(message)
            error, detail = self.canvas.message(DisplayMsg.DRAW_COPY, body)
            if error:
                name = self.name_of(DisplayMsg.STREAM_DATA)
                raise fault(self.label, name, error, detail)
        report = self.streams.frame(message)
        if report is not None:
            self.send(DisplayMsgc.STREAM_REPORT, report)

    def handle_stream_clip(self, message: SpiceMsgDisplayStreamClip) -> None:
        """Note what is visible of a stream."""
        self.streams.clip(message)

    def handle_stream_destroy(self, message: SpiceMsgDisplayStreamDestroy) -> None:
        """Forget a stream."""
        self.streams.destroy(message.id)

    def handle_stream_destroy_all(self, _message: WireStruct) -> None:
        """Forget all streams."""
        self.streams.clear()

    def handle_stream_activate_report(
        self, message: SpiceMsgDisplayStreamActivateReport
    ) -> None:
        """Report on a stream from now on."""
        self.streams.activate_report(message)

    def handle_gl_scanout(self, _message: WireStruct) -> None:
        """Refuse: a DMA buffer is nothing for a client without a GPU."""
        if self.session.options.paint:
            name = self.name_of(DisplayMsg.GL_SCANOUT_UNIX)
            raise UnsupportedError(f"{self.label}: {name}")
