"""What all other structures of spice/qxl_dev.h are made of."""

from __future__ import annotations

from typing import ClassVar

from spice_protocol.wire import WireStruct, i16, i32, u32, u64

__all__ = [
    "QXLDataChunk",
    "QXLPoint",
    "QXLPoint16",
    "QXLPointFix",
    "QXLRect",
    "QXLReleaseInfo",
    "QXLURect",
]


class QXLPoint(WireStruct):
    """A pixel's place."""

    x: i32
    y: i32


class QXLPointFix(WireStruct):
    """A place in fixed point 28.4."""

    x: i32
    y: i32


class QXLPoint16(WireStruct):
    """A pixel's place in 16 bits."""

    x: i16
    y: i16


class QXLRect(WireStruct):
    """A rectangle; right and bottom excluded."""

    top: i32
    left: i32
    bottom: i32
    right: i32


class QXLURect(WireStruct):
    """A rectangle without signs."""

    top: u32
    left: u32
    bottom: u32
    right: u32


class QXLReleaseInfo(WireStruct):
    """First member of every command: *id* from the guest, *next* back to it."""

    ALIASES: ClassVar[dict[str, str]] = {"next": "id"}

    id: u64


class QXLDataChunk(WireStruct):
    """One piece of data that lies scattered in guest memory."""

    FLEXIBLE: ClassVar[str] = "data"

    data_size: u32
    prev_chunk: u64
    next_chunk: u64
