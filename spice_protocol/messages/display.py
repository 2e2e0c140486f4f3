"""Messages of the display channel (spice.proto, DisplayChannel)."""

from __future__ import annotations

import enum
from typing import Annotated

from spice_protocol.draw import SpiceClip, SpiceRect
from spice_protocol.marshaller import Data, Items, WireMessage
from spice_protocol.messages import draw
from spice_protocol.messages.base import (
    MessageClass,
    SpiceMsgData,
    SpiceMsgEmpty,
    SpiceMsgWaitForChannels,
)
from spice_protocol.wire import WireStruct, i32, i64, length_of, u8, u16, u32, u64

__all__ = [
    "MSG",
    "MSGC",
    "DisplayMsg",
    "DisplayMsgc",
    "SpiceHead",
    "SpiceMsgDisplayGlDraw",
    "SpiceMsgDisplayGlScanoutUnix",
    "SpiceMsgDisplayInvalList",
    "SpiceMsgDisplayInvalPalette",
    "SpiceMsgDisplayMode",
    "SpiceMsgDisplayMonitorsConfig",
    "SpiceMsgDisplayStreamActivateReport",
    "SpiceMsgDisplayStreamClip",
    "SpiceMsgDisplayStreamCreate",
    "SpiceMsgDisplayStreamData",
    "SpiceMsgDisplayStreamDataSized",
    "SpiceMsgDisplayStreamDestroy",
    "SpiceMsgDisplaySurfaceCreate",
    "SpiceMsgDisplaySurfaceDestroy",
    "SpiceMsgcDisplayInit",
    "SpiceMsgcDisplayPreferredCompression",
    "SpiceMsgcDisplayPreferredVideoCodecType",
    "SpiceMsgcDisplayStreamReport",
    "SpiceResourceID",
    "SpiceStreamDataHeader",
]


class DisplayMsg(enum.IntEnum):
    """``SPICE_MSG_DISPLAY_*``: server to client."""

    MODE = 101
    MARK = 102
    RESET = 103
    COPY_BITS = 104
    INVAL_LIST = 105
    INVAL_ALL_PIXMAPS = 106
    INVAL_PALETTE = 107
    INVAL_ALL_PALETTES = 108
    STREAM_CREATE = 122
    STREAM_DATA = 123
    STREAM_CLIP = 124
    STREAM_DESTROY = 125
    STREAM_DESTROY_ALL = 126
    DRAW_FILL = 302
    DRAW_OPAQUE = 303
    DRAW_COPY = 304
    DRAW_BLEND = 305
    DRAW_BLACKNESS = 306
    DRAW_WHITENESS = 307
    DRAW_INVERS = 308
    DRAW_ROP3 = 309
    DRAW_STROKE = 310
    DRAW_TEXT = 311
    DRAW_TRANSPARENT = 312
    DRAW_ALPHA_BLEND = 313
    SURFACE_CREATE = 314
    SURFACE_DESTROY = 315
    STREAM_DATA_SIZED = 316
    MONITORS_CONFIG = 317
    DRAW_COMPOSITE = 318
    STREAM_ACTIVATE_REPORT = 319
    GL_SCANOUT_UNIX = 320
    GL_DRAW = 321
    QUALITY_INDICATOR = 322


class DisplayMsgc(enum.IntEnum):
    """``SPICE_MSGC_DISPLAY_*``: client to server."""

    INIT = 101
    STREAM_REPORT = 102
    PREFERRED_COMPRESSION = 103
    GL_DRAW_DONE = 104
    PREFERRED_VIDEO_CODEC_TYPE = 105


class SpiceMsgDisplayMode(WireStruct):
    """Resolution of a server without surfaces."""

    x_res: u32
    y_res: u32
    bits: u32


class SpiceResourceID(WireStruct):
    """One cached resource; *type* is ``SPICE_RES_TYPE_*``."""

    type: u8
    id: u64


class SpiceMsgDisplayInvalList(WireMessage):
    """Forget cached images."""

    count: u16 = length_of("resources")
    resources: Annotated[list[SpiceResourceID], Items(SpiceResourceID)]


class SpiceMsgDisplayInvalPalette(WireStruct):
    """Forget one cached palette."""

    id: u64


class SpiceMsgDisplaySurfaceCreate(WireStruct):
    """A surface; *format* is ``SPICE_SURFACE_FMT_*``, its pixels are zero."""

    surface_id: u32
    width: u32
    height: u32
    format: u32
    flags: u32


class SpiceMsgDisplaySurfaceDestroy(WireStruct):
    """Forget a surface."""

    surface_id: u32


class SpiceHead(WireStruct):
    """One monitor's place on a surface."""

    monitor_id: u32
    surface_id: u32
    width: u32
    height: u32
    x: u32
    y: u32
    flags: u32


class SpiceMsgDisplayMonitorsConfig(WireMessage):
    """How monitors lie on the primary surface."""

    count: u16 = length_of("heads")
    max_allowed: u16
    heads: Annotated[list[SpiceHead], Items(SpiceHead)]


class SpiceMsgDisplayStreamCreate(WireMessage):
    """A video stream begins; *codec_type* is ``SPICE_VIDEO_CODEC_TYPE_*``."""

    surface_id: u32
    id: u32
    flags: u8
    codec_type: u8
    stamp: u64
    stream_width: u32
    stream_height: u32
    src_width: u32
    src_height: u32
    dest: SpiceRect
    clip: SpiceClip


class SpiceStreamDataHeader(WireStruct):
    """Which stream a frame belongs to, and when to show it."""

    id: u32
    multi_media_time: u32


class SpiceMsgDisplayStreamData(WireMessage):
    """A frame."""

    base: SpiceStreamDataHeader
    data_size: u32 = length_of("data")
    data: Annotated[bytes, Data()]


class SpiceMsgDisplayStreamDataSized(WireMessage):
    """A frame of its own size."""

    base: SpiceStreamDataHeader
    width: u32
    height: u32
    dest: SpiceRect
    data_size: u32 = length_of("data")
    data: Annotated[bytes, Data()]


class SpiceMsgDisplayStreamClip(WireMessage):
    """What is visible of a stream."""

    id: u32
    clip: SpiceClip


class SpiceMsgDisplayStreamDestroy(WireStruct):
    """A stream ended."""

    id: u32


class SpiceMsgDisplayStreamActivateReport(WireStruct):
    """Send STREAM_REPORTs for a stream."""

    stream_id: u32
    unique_id: u32
    max_window_size: u32
    timeout_ms: u32


class SpiceMsgDisplayGlScanoutUnix(WireStruct):
    """A DMA buffer to show; its fd comes with SCM_RIGHTS."""

    width: u32
    height: u32
    stride: u32
    drm_fourcc_format: u32
    flags: u32


class SpiceMsgDisplayGlDraw(WireStruct):
    """An area of the GL scanout changed."""

    x: u32
    y: u32
    w: u32
    h: u32


class SpiceMsgcDisplayInit(WireStruct):
    """Caches the client offers, sizes in pixels; first message of the client."""

    pixmap_cache_id: u8
    pixmap_cache_size: i64
    glz_dictionary_id: u8
    glz_dictionary_window_size: i32


class SpiceMsgcDisplayStreamReport(WireStruct):
    """How a stream arrives at the client."""

    stream_id: u32
    unique_id: u32
    start_frame_mm_time: u32
    end_frame_mm_time: u32
    num_frames: u32
    num_drops: u32
    last_frame_delay: i32
    audio_delay: u32


class SpiceMsgcDisplayPreferredCompression(WireStruct):
    """``SPICE_IMAGE_COMPRESSION_*`` the client would like."""

    image_compression: u8


class SpiceMsgcDisplayPreferredVideoCodecType(WireMessage):
    """Video codecs, most wanted first."""

    num_of_codecs: u8 = length_of("codecs")
    codecs: Annotated[list[int], Items(u8)]


MSG: dict[int, MessageClass] = {
    DisplayMsg.MODE: SpiceMsgDisplayMode,
    DisplayMsg.MARK: SpiceMsgEmpty,
    DisplayMsg.RESET: SpiceMsgEmpty,
    DisplayMsg.COPY_BITS: draw.SpiceMsgDisplayCopyBits,
    DisplayMsg.INVAL_LIST: SpiceMsgDisplayInvalList,
    DisplayMsg.INVAL_ALL_PIXMAPS: SpiceMsgWaitForChannels,
    DisplayMsg.INVAL_PALETTE: SpiceMsgDisplayInvalPalette,
    DisplayMsg.INVAL_ALL_PALETTES: SpiceMsgEmpty,
    DisplayMsg.STREAM_CREATE: SpiceMsgDisplayStreamCreate,
    DisplayMsg.STREAM_DATA: SpiceMsgDisplayStreamData,
    DisplayMsg.STREAM_CLIP: SpiceMsgDisplayStreamClip,
    DisplayMsg.STREAM_DESTROY: SpiceMsgDisplayStreamDestroy,
    DisplayMsg.STREAM_DESTROY_ALL: SpiceMsgEmpty,
    DisplayMsg.DRAW_FILL: draw.SpiceMsgDisplayDrawFill,
    DisplayMsg.DRAW_OPAQUE: draw.SpiceMsgDisplayDrawOpaque,
    DisplayMsg.DRAW_COPY: draw.SpiceMsgDisplayDrawCopy,
    DisplayMsg.DRAW_BLEND: draw.SpiceMsgDisplayDrawBlend,
    DisplayMsg.DRAW_BLACKNESS: draw.SpiceMsgDisplayDrawBlackness,
    DisplayMsg.DRAW_WHITENESS: draw.SpiceMsgDisplayDrawWhiteness,
    DisplayMsg.DRAW_INVERS: draw.SpiceMsgDisplayDrawInvers,
    DisplayMsg.DRAW_ROP3: draw.SpiceMsgDisplayDrawRop3,
    DisplayMsg.DRAW_STROKE: draw.SpiceMsgDisplayDrawStroke,
    DisplayMsg.DRAW_TEXT: draw.SpiceMsgDisplayDrawText,
    DisplayMsg.DRAW_TRANSPARENT: draw.SpiceMsgDisplayDrawTransparent,
    DisplayMsg.DRAW_ALPHA_BLEND: draw.SpiceMsgDisplayDrawAlphaBlend,
    DisplayMsg.SURFACE_CREATE: SpiceMsgDisplaySurfaceCreate,
    DisplayMsg.SURFACE_DESTROY: SpiceMsgDisplaySurfaceDestroy,
    DisplayMsg.STREAM_DATA_SIZED: SpiceMsgDisplayStreamDataSized,
    DisplayMsg.MONITORS_CONFIG: SpiceMsgDisplayMonitorsConfig,
    DisplayMsg.DRAW_COMPOSITE: draw.SpiceMsgDisplayDrawComposite,
    DisplayMsg.STREAM_ACTIVATE_REPORT: SpiceMsgDisplayStreamActivateReport,
    DisplayMsg.GL_SCANOUT_UNIX: SpiceMsgDisplayGlScanoutUnix,
    DisplayMsg.GL_DRAW: SpiceMsgDisplayGlDraw,
    DisplayMsg.QUALITY_INDICATOR: SpiceMsgData,
}
MSGC: dict[int, MessageClass] = {
    DisplayMsgc.INIT: SpiceMsgcDisplayInit,
    DisplayMsgc.STREAM_REPORT: SpiceMsgcDisplayStreamReport,
    DisplayMsgc.PREFERRED_COMPRESSION: SpiceMsgcDisplayPreferredCompression,
    DisplayMsgc.GL_DRAW_DONE: SpiceMsgEmpty,
    DisplayMsgc.PREFERRED_VIDEO_CODEC_TYPE: SpiceMsgcDisplayPreferredVideoCodecType,
}
