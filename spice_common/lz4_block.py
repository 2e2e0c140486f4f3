"""Bare LZ4 blocks: what COMPRESSED_DATA of usbredir, port and webdav channels holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spice_common._c import ffi, lib

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["pack", "unpack"]


def pack(data: ReadableBuffer, max_size: int) -> bytes | None:
    """Return *data* as a block of at most *max_size* bytes; ``None``: it has more."""
    packed = bytearray(max_size)
    with (
        ffi.from_buffer("uint8_t[]", data) as source,
        ffi.from_buffer("uint8_t[]", packed, require_writable=True) as target,
    ):
        size = lib.lz4_block_pack(source, len(source), target, max_size)
    return bytes(memoryview(packed)[:size]) if size else None


def unpack(block: ReadableBuffer, size: int) -> bytearray:
    """Return the *size* bytes that a block holds; the caller bounds *size*.

    Raises:
        ValueError: it is damaged, or holds another number of bytes.

    """
    data = bytearray(size)
    with (
        ffi.from_buffer("uint8_t[]", block) as source,
        ffi.from_buffer("uint8_t[]", data, require_writable=True) as target,
    ):
        error = lib.lz4_block_unpack(source, len(source), target, size)
    if error:
        raise ValueError(f"no LZ4 block of {size} bytes")
    return data
