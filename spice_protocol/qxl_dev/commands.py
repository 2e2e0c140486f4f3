"""Commands other than drawing (spice/qxl_dev.h)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from spice_protocol.qxl_dev.constants import QXL_CURSUR_DEVICE_DATA_SIZE
from spice_protocol.qxl_dev.geometry import (
    QXLDataChunk,
    QXLPoint16,
    QXLRect,
    QXLReleaseInfo,
)
from spice_protocol.wire import Bytes, Union, WireStruct, i32, u8, u16, u32, u64

__all__ = [
    "QXLCompatUpdateCmd",
    "QXLCursor",
    "QXLCursorCmd",
    "QXLCursorHeader",
    "QXLCursorSet",
    "QXLCursorTrail",
    "QXLMessage",
    "QXLSurface",
    "QXLSurfaceCmd",
    "QXLUpdateCmd",
]


class QXLMessage(WireStruct):
    """QXL_CMD_MESSAGE: a text for the log."""

    FLEXIBLE: ClassVar[str] = "data"

    release_info: QXLReleaseInfo


class QXLCompatUpdateCmd(WireStruct):
    """QXL_CMD_UPDATE of a driver in compatibility mode."""

    release_info: QXLReleaseInfo
    area: QXLRect
    update_id: u32


class QXLUpdateCmd(WireStruct):
    """QXL_CMD_UPDATE: finish drawing on an area."""

    release_info: QXLReleaseInfo
    area: QXLRect
    update_id: u32
    surface_id: u32


class QXLCursorHeader(WireStruct):
    """A cursor's shape."""

    unique: u64
    type: u16
    width: u16
    height: u16
    hot_spot_x: u16
    hot_spot_y: u16


class QXLCursor(WireStruct):
    """A cursor's shape and the first chunk of its pixels."""

    header: QXLCursorHeader
    data_size: u32
    chunk: QXLDataChunk


class QXLCursorSet(WireStruct):
    """The unnamed structure ``QXLCursorCmd.u.set``."""

    position: QXLPoint16
    visible: u8
    shape: u64


class QXLCursorTrail(WireStruct):
    """The unnamed structure ``QXLCursorCmd.u.trail``."""

    length: u16
    frequency: u16


class QXLCursorCmd(WireStruct):
    """QXL_CMD_CURSOR: one command of the cursor ring."""

    release_info: QXLReleaseInfo
    type: u8
    u: Annotated[
        bytes,
        Union({"set": QXLCursorSet, "trail": QXLCursorTrail, "position": QXLPoint16}),
    ]
    device_data: Annotated[bytes, Bytes(QXL_CURSUR_DEVICE_DATA_SIZE)] = b""


class QXLSurface(WireStruct):
    """An off-screen surface; *format* is ``SPICE_SURFACE_FMT_*``."""

    format: u32
    width: u32
    height: u32
    stride: i32
    data: u64


class QXLSurfaceCmd(WireStruct):
    """QXL_CMD_SURFACE: create or destroy an off-screen surface."""

    release_info: QXLReleaseInfo
    surface_id: u32
    type: u8
    flags: u32
    u: Annotated[bytes, Union({"surface_create": QXLSurface})]
