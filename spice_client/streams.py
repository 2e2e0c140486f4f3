"""Video streams: frames become draw messages, and are reported on (sans-I/O)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spice_client.errors import UnsupportedError
from spice_protocol.draw import (
    SpiceBinaryData,
    SpiceClip,
    SpiceImage,
    SpiceImageDescriptor,
    SpicePoint,
    SpiceQMask,
    SpiceRect,
)
from spice_protocol.enums import (
    SpiceImageScaleMode,
    SpiceImageType,
    SpiceRopd,
    SpiceStreamFlags,
    SpiceVideoCodecType,
)
from spice_protocol.errors import InvalidValueError, LimitExceededError
from spice_protocol.messages.display import (
    SpiceMsgcDisplayStreamReport,
    SpiceMsgDisplayStreamDataSized,
)
from spice_protocol.messages.draw import (
    SpiceCopy,
    SpiceMsgDisplayBase,
    SpiceMsgDisplayDrawCopy,
)

if TYPE_CHECKING:
    from spice_protocol.messages.display import (
        SpiceMsgDisplayStreamActivateReport,
        SpiceMsgDisplayStreamClip,
        SpiceMsgDisplayStreamCreate,
        SpiceMsgDisplayStreamData,
    )

__all__ = ["MAX_STREAMS", "VideoStream", "VideoStreams"]

MAX_STREAMS = 1024
"""libspice-server has 50."""

_NO_AUDIO = 0xFFFFFFFF
"""SpiceMsgcDisplayStreamReport.audio_delay: nothing is heard."""
_EARLY_MS = 200
"""How long before its time each frame comes, as far as a client without a clock knows:
the server takes it for a client that keeps up."""


@dataclass(slots=True)
class VideoStream:
    """One stream."""

    created: SpiceMsgDisplayStreamCreate
    clip: SpiceClip
    frames: int = 0
    """So far."""
    report: SpiceMsgDisplayStreamActivateReport | None = None
    """What the server wants to be told."""
    _since_report: int = field(default=0, repr=False)
    _first_time: int = field(default=0, repr=False)

    def frame(self, mm_time: int) -> SpiceMsgcDisplayStreamReport | None:
        """Note a frame; the report that is due now."""
        self.frames += 1
        if self.report is None:
            return None
        if not self._since_report:
            self._first_time = mm_time
        self._since_report += 1
        if self._since_report < self.report.max_window_size:
            return None
        frames, self._since_report = self._since_report, 0
        return SpiceMsgcDisplayStreamReport(
            self.report.stream_id,
            self.report.unique_id,
            self._first_time,
            mm_time,
            frames,
            0,
            _EARLY_MS,
            _NO_AUDIO,
        )


class VideoStreams:
    """The streams of one display."""

    def __init__(self) -> None:
        self.streams: dict[int, VideoStream] = {}
        """By id."""

    def create(self, message: SpiceMsgDisplayStreamCreate) -> None:
        """Open a stream.

        Raises:
            InvalidValueError: it is open already.
            LimitExceededError: there are more than ``MAX_STREAMS``.

        """
        if message.id in self.streams:
            raise InvalidValueError(f"stream {message.id} exists already")
        if len(self.streams) >= MAX_STREAMS:
            raise LimitExceededError(f"{len(self.streams)} streams")
        self.streams[message.id] = VideoStream(message, message.clip)

    def stream(self, stream_id: int) -> VideoStream:
        """Return a stream.

        Raises:
            InvalidValueError: it is not open.

        """
        stream = self.streams.get(stream_id)
        if stream is None:
            raise InvalidValueError(f"there is no stream {stream_id}")
        return stream

    def clip(self, message: SpiceMsgDisplayStreamClip) -> None:
        """Change what is visible of a stream."""
        self.stream(message.id).clip = message.clip

    def destroy(self, stream_id: int) -> None:
        """Close a stream."""
        self.stream(stream_id)
        del self.streams[stream_id]

    def clear(self) -> None:
        """Close all streams."""
        self.streams.clear()

    def activate_report(self, message: SpiceMsgDisplayStreamActivateReport) -> None:
        """Report on a stream every so many frames."""
        self.stream(message.stream_id).report = message

    def frame(
        self, message: SpiceMsgDisplayStreamData | SpiceMsgDisplayStreamDataSized
    ) -> SpiceMsgcDisplayStreamReport | None:
        """Note a frame; the report that is due now."""
        return self.stream(message.base.id).frame(message.base.multi_media_time)

    def draw_message(
        self, message: SpiceMsgDisplayStreamData | SpiceMsgDisplayStreamDataSized
    ) -> bytes:
        """Return the body of the DRAW_COPY that shows a frame.

        Raises:
            UnsupportedError: it is not MJPEG with the top row first.
            InvalidValueError: the stream is not open.

        """
        stream = self.stream(message.base.id)
        created = stream.created
        if created.codec_type != SpiceVideoCodecType.MJPEG:
            raise UnsupportedError(f"video codec {created.codec_type}")
        if not created.flags & SpiceStreamFlags.TOP_DOWN:
            raise UnsupportedError("a video stream with the last row first")
        size, dest = (created.src_width, created.src_height), created.dest
        if isinstance(message, SpiceMsgDisplayStreamDataSized):
            size, dest = (message.width, message.height), message.dest
        return _draw_copy(created.surface_id, dest, stream.clip, size, message.data)


def _draw_copy(
    surface_id: int,
    dest: SpiceRect,
    clip: SpiceClip,
    size: tuple[int, int],
    jpeg: bytes,
) -> bytes:
    descriptor = SpiceImageDescriptor(0, SpiceImageType.JPEG, 0, *size)
    data = SpiceCopy(
        SpiceImage(descriptor, SpiceBinaryData(jpeg)),
        SpiceRect(0, 0, size[1], size[0]),
        SpiceRopd.OP_PUT,
        SpiceImageScaleMode.INTERPOLATE,
        SpiceQMask(0, SpicePoint(0, 0), None),
    )
    base = SpiceMsgDisplayBase(surface_id, dest, clip)
    return SpiceMsgDisplayDrawCopy(base, data).pack()
