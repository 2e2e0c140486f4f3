"""Images as they lie in guest memory (spice/qxl_dev.h)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from spice_protocol.wire import Union, WireStruct, u8, u16, u32, u64

__all__ = [
    "QXLBitmap",
    "QXLImage",
    "QXLImageDescriptor",
    "QXLImageID",
    "QXLJPEGData",
    "QXLLZRGBData",
    "QXLPalette",
    "QXLQUICData",
    "QXLSurfaceId",
    "image_id",
]


class QXLImageID(WireStruct):
    """The two halves of QXLImageDescriptor.id."""

    group: u32
    unique: u32


class QXLImageDescriptor(WireStruct):
    """What an image is; *type* is ``SPICE_IMAGE_TYPE_*``."""

    id: u64
    type: u8
    flags: u8
    width: u32
    height: u32


class QXLPalette(WireStruct):
    """Colours of an indexed bitmap."""

    FLEXIBLE: ClassVar[str] = "ents"

    unique: u64
    num_ents: u16


class QXLBitmap(WireStruct):
    """Raw pixels; *format* is ``SPICE_BITMAP_FMT_*``."""

    format: u8
    flags: u8
    x: u32
    y: u32
    stride: u32
    palette: u64
    data: u64


class QXLSurfaceId(WireStruct):
    """An image that is another surface."""

    surface_id: u32


class QXLQUICData(WireStruct):
    """Pixels the guest compressed itself; a QXLDataChunk follows."""

    FLEXIBLE: ClassVar[str] = "data"

    data_size: u32


QXLLZRGBData = QXLQUICData
QXLJPEGData = QXLQUICData


class QXLImage(WireStruct):
    """An image; *u* stands for C's unnamed union."""

    descriptor: QXLImageDescriptor
    u: Annotated[
        bytes,
        Union({
            "bitmap": QXLBitmap, "quic": QXLQUICData, "surface_image": QXLSurfaceId,
        }),
    ]  # fmt: skip


def image_id(group: int, unique: int) -> int:
    """Return what ``QXL_SET_IMAGE_ID`` stores."""
    return unique << 32 | group
