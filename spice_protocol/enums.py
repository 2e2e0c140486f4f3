"""Enumerations of spice/enums.h; names verbatim without their C prefix.

A member whose bare name would start with a digit keeps ``FMT_`` of its prefix
(``SPICE_SURFACE_FMT_32_xRGB`` is ``SpiceSurfaceFmt.FMT_32_xRGB``).  Message ids live
with their channels in :mod:`spice_protocol.messages`.
"""

from __future__ import annotations

import enum

__all__ = [
    "ChannelType",
    "SpiceAlphaFlags",
    "SpiceAudioDataMode",
    "SpiceAudioFmt",
    "SpiceBitmapFlags",
    "SpiceBitmapFmt",
    "SpiceBrushType",
    "SpiceClipType",
    "SpiceCompositeFlags",
    "SpiceCursorFlags",
    "SpiceCursorType",
    "SpiceDataCompressionType",
    "SpiceGlScanoutFlags",
    "SpiceImageCompression",
    "SpiceImageFlags",
    "SpiceImageScaleMode",
    "SpiceImageType",
    "SpiceInfoCode",
    "SpiceJpegAlphaFlags",
    "SpiceKeyboardModifierFlags",
    "SpiceLineFlags",
    "SpiceLinkErr",
    "SpiceMaskFlags",
    "SpiceMigrateFlags",
    "SpiceMouseButton",
    "SpiceMouseButtonMask",
    "SpiceMouseMode",
    "SpiceNotifySeverity",
    "SpiceNotifyVisibility",
    "SpicePathFlags",
    "SpiceResourceType",
    "SpiceRopd",
    "SpiceStreamFlags",
    "SpiceStringFlags",
    "SpiceSurfaceFlags",
    "SpiceSurfaceFmt",
    "SpiceVideoCodecType",
    "SpiceVscMessageType",
    "SpiceWarnCode",
]


class ChannelType(enum.IntEnum):
    """``SPICE_CHANNEL_*``: the kind of a channel."""

    MAIN = 1
    DISPLAY = 2
    INPUTS = 3
    CURSOR = 4
    PLAYBACK = 5
    RECORD = 6
    TUNNEL = 7
    SMARTCARD = 8
    USBREDIR = 9
    PORT = 10
    WEBDAV = 11


class SpiceLinkErr(enum.IntEnum):
    """How a link attempt ended (SpiceLinkReply.error, the link result)."""

    OK = 0
    ERROR = 1
    INVALID_MAGIC = 2
    INVALID_DATA = 3
    VERSION_MISMATCH = 4
    NEED_SECURED = 5
    NEED_UNSECURED = 6
    PERMISSION_DENIED = 7
    BAD_CONNECTION_ID = 8
    CHANNEL_NOT_AVAILABLE = 9


class SpiceWarnCode(enum.IntEnum):
    """``what`` of a NOTIFY of severity WARN."""

    GENERAL = 0


class SpiceInfoCode(enum.IntEnum):
    """``what`` of a NOTIFY of severity INFO."""

    GENERAL = 0


class SpiceMigrateFlags(enum.IntFlag):
    """What a channel needs when it moves to another server."""

    NEED_FLUSH = 1 << 0
    NEED_DATA_TRANSFER = 1 << 1


class SpiceCompositeFlags(enum.IntFlag):
    """How DRAW_COMPOSITE combines its images."""

    OP0 = 1 << 0
    OP1 = 1 << 1
    OP2 = 1 << 2
    OP3 = 1 << 3
    OP4 = 1 << 4
    OP5 = 1 << 5
    OP6 = 1 << 6
    OP7 = 1 << 7
    SRC_FILTER0 = 1 << 8
    SRC_FILTER1 = 1 << 9
    SRC_FILTER2 = 1 << 10
    MASK_FILTER0 = 1 << 11
    MASK_FITLER1 = 1 << 12
    MASK_FILTER2 = 1 << 13
    SRC_REPEAT0 = 1 << 14
    SRC_REPEAT1 = 1 << 15
    MASK_REPEAT0 = 1 << 16
    MASK_REPEAT1 = 1 << 17
    COMPONENT_ALPHA = 1 << 18
    HAS_MASK = 1 << 19
    HAS_SRC_TRANSFORM = 1 << 20
    HAS_MASK_TRANSFORM = 1 << 21
    SOURCE_OPAQUE = 1 << 22
    MASK_OPAQUE = 1 << 23
    DEST_OPAQUE = 1 << 24


class SpiceNotifySeverity(enum.IntEnum):
    """How bad a NOTIFY is."""

    INFO = 0
    WARN = 1
    ERROR = 2


class SpiceNotifyVisibility(enum.IntEnum):
    """Whom a NOTIFY should reach."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2


class SpiceMouseMode(enum.IntFlag):
    """Who draws the pointer: the server (relative) or the client (absolute)."""

    SERVER = 1 << 0
    CLIENT = 1 << 1


class SpiceDataCompressionType(enum.IntEnum):
    """How COMPRESSED_DATA is packed."""

    NONE = 0
    LZ4 = 1


class SpiceClipType(enum.IntEnum):
    """Whether a draw message is clipped."""

    NONE = 0
    RECTS = 1


class SpicePathFlags(enum.IntFlag):
    """Properties of a path segment."""

    BEGIN = 1 << 0
    END = 1 << 1
    CLOSE = 1 << 3
    BEZIER = 1 << 4


class SpiceVideoCodecType(enum.IntEnum):
    """Codec of a video stream."""

    MJPEG = 1
    VP8 = 2
    H264 = 3
    VP9 = 4
    H265 = 5


class SpiceStreamFlags(enum.IntFlag):
    """Row order of a video stream."""

    TOP_DOWN = 1 << 0


class SpiceBrushType(enum.IntEnum):
    """What a brush paints with."""

    NONE = 0
    SOLID = 1
    PATTERN = 2


class SpiceMaskFlags(enum.IntFlag):
    """Properties of a mask."""

    INVERS = 1 << 0


class SpiceImageType(enum.IntEnum):
    """How the pixels of an image are packed."""

    BITMAP = 0
    QUIC = 1
    RESERVED = 2
    LZ_PLT = 100
    LZ_RGB = 101
    GLZ_RGB = 102
    FROM_CACHE = 103
    SURFACE = 104
    JPEG = 105
    FROM_CACHE_LOSSLESS = 106
    ZLIB_GLZ_RGB = 107
    JPEG_ALPHA = 108
    LZ4 = 109


class SpiceImageCompression(enum.IntEnum):
    """Image compression a server may be told to prefer."""

    INVALID = 0
    OFF = 1
    AUTO_GLZ = 2
    AUTO_LZ = 3
    QUIC = 4
    GLZ = 5
    LZ = 6
    LZ4 = 7


class SpiceImageFlags(enum.IntFlag):
    """What a client does with an image in its pixmap cache."""

    CACHE_ME = 1 << 0
    HIGH_BITS_SET = 1 << 1
    CACHE_REPLACE_ME = 1 << 2


class SpiceBitmapFmt(enum.IntEnum):
    """Pixel format of a raw bitmap."""

    FMT_INVALID = 0
    FMT_1BIT_LE = 1
    FMT_1BIT_BE = 2
    FMT_4BIT_LE = 3
    FMT_4BIT_BE = 4
    FMT_8BIT = 5
    FMT_16BIT = 6
    FMT_24BIT = 7
    FMT_32BIT = 8
    FMT_RGBA = 9
    FMT_8BIT_A = 10


class SpiceBitmapFlags(enum.IntFlag):
    """Row order and palette caching of a raw bitmap."""

    PAL_CACHE_ME = 1 << 0
    PAL_FROM_CACHE = 1 << 1
    TOP_DOWN = 1 << 2


class SpiceJpegAlphaFlags(enum.IntFlag):
    """Row order of a JPEG_ALPHA image."""

    TOP_DOWN = 1 << 0


class SpiceImageScaleMode(enum.IntEnum):
    """Filter for scaled copies."""

    INTERPOLATE = 0
    NEAREST = 1


class SpiceRopd(enum.IntFlag):
    """Raster operation descriptor."""

    INVERS_SRC = 1 << 0
    INVERS_BRUSH = 1 << 1
    INVERS_DEST = 1 << 2
    OP_PUT = 1 << 3
    OP_OR = 1 << 4
    OP_AND = 1 << 5
    OP_XOR = 1 << 6
    OP_BLACKNESS = 1 << 7
    OP_WHITENESS = 1 << 8
    OP_INVERS = 1 << 9
    INVERS_RES = 1 << 10


class SpiceLineFlags(enum.IntFlag):
    """Properties of a line; values identical to api/winddi.h."""

    START_WITH_GAP = 1 << 2
    STYLED = 1 << 3


class SpiceStringFlags(enum.IntFlag):
    """Glyph format of a string."""

    RASTER_A1 = 1 << 0
    RASTER_A4 = 1 << 1
    RASTER_A8 = 1 << 2
    RASTER_TOP_DOWN = 1 << 3


class SpiceSurfaceFlags(enum.IntFlag):
    """Properties of a surface."""

    PRIMARY = 1 << 0
    STREAMING_MODE = 1 << 1


class SpiceSurfaceFmt(enum.IntEnum):
    """Pixel format of a surface."""

    FMT_INVALID = 0
    FMT_1_A = 1
    FMT_8_A = 8
    FMT_16_555 = 16
    FMT_32_xRGB = 32
    FMT_16_565 = 80
    FMT_32_ARGB = 96


class SpiceAlphaFlags(enum.IntFlag):
    """Which sides of an ALPHA_BLEND have alpha."""

    DEST_HAS_ALPHA = 1 << 0
    SRC_SURFACE_HAS_ALPHA = 1 << 1


class SpiceResourceType(enum.IntEnum):
    """Kind of a cached resource (INVAL_LIST)."""

    INVALID = 0
    PIXMAP = 1


class SpiceGlScanoutFlags(enum.IntFlag):
    """Row order of a GL scanout."""

    Y0TOP = 1 << 0


class SpiceKeyboardModifierFlags(enum.IntFlag):
    """Lock keys, as LEDs show them."""

    SCROLL_LOCK = 1 << 0
    NUM_LOCK = 1 << 1
    CAPS_LOCK = 1 << 2


class SpiceMouseButton(enum.IntEnum):
    """A button that was pressed or released; wheel steps are UP and DOWN."""

    INVALID = 0
    LEFT = 1
    MIDDLE = 2
    RIGHT = 3
    UP = 4
    DOWN = 5
    SIDE = 6
    EXTRA = 7


class SpiceMouseButtonMask(enum.IntFlag):
    """Buttons that are down."""

    LEFT = 1 << 0
    MIDDLE = 1 << 1
    RIGHT = 1 << 2
    UP = 1 << 3
    DOWN = 1 << 4
    SIDE = 1 << 5
    EXTRA = 1 << 6


class SpiceCursorType(enum.IntEnum):
    """Pixel format of a cursor shape."""

    ALPHA = 0
    MONO = 1
    COLOR4 = 2
    COLOR8 = 3
    COLOR16 = 4
    COLOR24 = 5
    COLOR32 = 6


class SpiceCursorFlags(enum.IntFlag):
    """Where the client finds a cursor shape."""

    NONE = 1 << 0
    CACHE_ME = 1 << 1
    FROM_CACHE = 1 << 2


class SpiceAudioDataMode(enum.IntEnum):
    """Codec of sound data."""

    INVALID = 0
    RAW = 1
    CELT_0_5_1 = 2
    OPUS = 3


class SpiceAudioFmt(enum.IntEnum):
    """Sample format of sound."""

    INVALID = 0
    S16 = 1


class SpiceVscMessageType(enum.IntEnum):
    """Type of a smartcard message."""

    Init = 1
    Error = 2
    ReaderAdd = 3
    ReaderRemove = 4
    ATR = 5
    CardRemove = 6
    APDU = 7
    Flush = 8
    FlushComplete = 9
