"""Numbers and enumerations of spice/qxl_dev.h."""

from __future__ import annotations

import enum

__all__ = [
    "CLIENT_MONITORS_CONFIG_CRC32_POLY",
    "MAX_CLIENT_MONITORS",
    "QXL_COMMAND_FLAG_COMPAT",
    "QXL_COMMAND_FLAG_COMPAT_16BPP",
    "QXL_COMMAND_RING_SIZE",
    "QXL_CURSOR_RING_SIZE",
    "QXL_CURSUR_DEVICE_DATA_SIZE",
    "QXL_DEVICE_ID_DEVEL",
    "QXL_DEVICE_ID_STABLE",
    "QXL_IO_RANGE_SIZE",
    "QXL_LOG_BUF_SIZE",
    "QXL_RAM_MAGIC",
    "QXL_RELEASE_RING_SIZE",
    "QXL_REVISION_DEVEL",
    "QXL_ROM_MAGIC",
    "QXL_SURF_FLAG_KEEP_DATA",
    "QXL_SURF_TYPE_PRIMARY",
    "REDHAT_PCI_VENDOR_ID",
    "QXLBitmapFlags",
    "QXLCmdType",
    "QXLEffectType",
    "QXLImageFlags",
    "QXLOperator",
    "QXLSurfaceCmdType",
    "QxlCursorCmdType",
    "QxlDrawType",
    "QxlImageGroup",
    "QxlInterrupt",
    "QxlIo",
    "QxlPath",
    "QxlRange",
    "QxlRevision",
]

REDHAT_PCI_VENDOR_ID = 0x1B36
QXL_DEVICE_ID_STABLE = 0x0100
QXL_DEVICE_ID_DEVEL = 0x01FF
QXL_REVISION_DEVEL = 0x01
QXL_ROM_MAGIC = int.from_bytes(b"QXRO", "little")
QXL_RAM_MAGIC = int.from_bytes(b"QXRA", "little")
QXL_COMMAND_RING_SIZE = 32
QXL_CURSOR_RING_SIZE = 32
QXL_RELEASE_RING_SIZE = 8
QXL_LOG_BUF_SIZE = 4096
QXL_IO_RANGE_SIZE = 25
QXL_COMMAND_FLAG_COMPAT = 1 << 0
QXL_COMMAND_FLAG_COMPAT_16BPP = 2 << 0
QXL_SURF_TYPE_PRIMARY = 0
QXL_SURF_FLAG_KEEP_DATA = 1 << 0
QXL_CURSUR_DEVICE_DATA_SIZE = 128
CLIENT_MONITORS_CONFIG_CRC32_POLY = 0xEDB88320
MAX_CLIENT_MONITORS = 64
"""``QXLRom.client_monitors_config.heads``."""


class QxlRevision(enum.IntEnum):
    """``QXL_REVISION_*``: PCI revision of the stable device."""

    STABLE_V04 = 1
    STABLE_V06 = 2
    STABLE_V10 = 3
    STABLE_V12 = 4


class QxlRange(enum.IntEnum):
    """``QXL_*_RANGE_INDEX``: PCI BAR numbers."""

    RAM = 0
    VRAM = 1
    ROM = 2
    IO = 3


class QxlIo(enum.IntEnum):
    """``QXL_IO_*``: I/O ports."""

    NOTIFY_CMD = 0
    NOTIFY_CURSOR = 1
    UPDATE_AREA = 2
    UPDATE_IRQ = 3
    NOTIFY_OOM = 4
    RESET = 5
    SET_MODE = 6
    LOG = 7
    MEMSLOT_ADD = 8
    MEMSLOT_DEL = 9
    DETACH_PRIMARY = 10
    ATTACH_PRIMARY = 11
    CREATE_PRIMARY = 12
    DESTROY_PRIMARY = 13
    DESTROY_SURFACE_WAIT = 14
    DESTROY_ALL_SURFACES = 15
    UPDATE_AREA_ASYNC = 16
    MEMSLOT_ADD_ASYNC = 17
    CREATE_PRIMARY_ASYNC = 18
    DESTROY_PRIMARY_ASYNC = 19
    DESTROY_SURFACE_ASYNC = 20
    DESTROY_ALL_SURFACES_ASYNC = 21
    FLUSH_SURFACES_ASYNC = 22
    FLUSH_RELEASE = 23
    MONITORS_CONFIG_ASYNC = 24


class QxlInterrupt(enum.IntFlag):
    """``QXL_INTERRUPT_*``: bits of int_pending and int_mask."""

    DISPLAY = 1 << 0
    CURSOR = 1 << 1
    IO_CMD = 1 << 2
    ERROR = 1 << 3
    CLIENT = 1 << 4
    CLIENT_MONITORS_CONFIG = 1 << 5


class QXLCmdType(enum.IntEnum):
    """``QXL_CMD_*``: what a QXLCommand points to."""

    NOP = 0
    DRAW = 1
    UPDATE = 2
    CURSOR = 3
    MESSAGE = 4
    SURFACE = 5


class QxlCursorCmdType(enum.IntEnum):
    """``QXL_CURSOR_*``: what a QXLCursorCmd asks for."""

    SET = 0
    MOVE = 1
    HIDE = 2
    TRAIL = 3


class QxlDrawType(enum.IntEnum):
    """``QXL_DRAW_*`` and ``QXL_COPY_BITS``: what a QXLDrawable draws."""

    DRAW_NOP = 0
    DRAW_FILL = 1
    DRAW_OPAQUE = 2
    DRAW_COPY = 3
    COPY_BITS = 4
    DRAW_BLEND = 5
    DRAW_BLACKNESS = 6
    DRAW_WHITENESS = 7
    DRAW_INVERS = 8
    DRAW_ROP3 = 9
    DRAW_STROKE = 10
    DRAW_TEXT = 11
    DRAW_TRANSPARENT = 12
    DRAW_ALPHA_BLEND = 13
    DRAW_COMPOSITE = 14


class QXLEffectType(enum.IntEnum):
    """``QXL_EFFECT_*``: whether a drawable hides what lies under it."""

    BLEND = 0
    OPAQUE = 1
    REVERT_ON_DUP = 2
    BLACKNESS_ON_DUP = 3
    WHITENESS_ON_DUP = 4
    NOP_ON_DUP = 5
    NOP = 6
    OPAQUE_BRUSH = 7


class QXLOperator(enum.IntEnum):
    """``QXL_OP_*``: operator bits of QXLComposite.flags (Render's numbers)."""

    CLEAR = 0x00
    SOURCE = 0x01
    DST = 0x02
    OVER = 0x03
    OVER_REVERSE = 0x04
    IN = 0x05
    IN_REVERSE = 0x06
    OUT = 0x07
    OUT_REVERSE = 0x08
    ATOP = 0x09
    ATOP_REVERSE = 0x0A
    XOR = 0x0B
    ADD = 0x0C
    SATURATE = 0x0D
    MULTIPLY = 0x30
    SCREEN = 0x31
    OVERLAY = 0x32
    DARKEN = 0x33
    LIGHTEN = 0x34
    COLOR_DODGE = 0x35
    COLOR_BURN = 0x36
    HARD_LIGHT = 0x37
    SOFT_LIGHT = 0x38
    DIFFERENCE = 0x39
    EXCLUSION = 0x3A
    HSL_HUE = 0x3B
    HSL_SATURATION = 0x3C
    HSL_COLOR = 0x3D
    HSL_LUMINOSITY = 0x3E


class QXLSurfaceCmdType(enum.IntEnum):
    """``QXL_SURFACE_CMD_*``."""

    CREATE = 0
    DESTROY = 1


class QxlPath(enum.IntFlag):
    """``QXL_PATH_*``: flags of a QXLPathSeg."""

    BEGIN = 1 << 0
    END = 1 << 1
    CLOSE = 1 << 3
    BEZIER = 1 << 4


class QxlImageGroup(enum.IntEnum):
    """``QXL_IMAGE_GROUP_*``: low half of an image id."""

    DRIVER = 0
    DEVICE = 1
    RED = 2
    DRIVER_DONT_CACHE = 3


class QXLImageFlags(enum.IntFlag):
    """``QXL_IMAGE_*``: flags of a QXLImageDescriptor."""

    CACHE = 1 << 0
    HIGH_BITS_SET = 1 << 1


class QXLBitmapFlags(enum.IntFlag):
    """``QXL_BITMAP_*``: flags of a QXLBitmap."""

    DIRECT = 1 << 0
    UNSTABLE = 1 << 1
    TOP_DOWN = 1 << 2
