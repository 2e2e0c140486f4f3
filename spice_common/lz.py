"""LZ images: SPICE_IMAGE_TYPE_LZ_RGB, LZ_PLT and the alpha plane of JPEG_ALPHA.

The byte streams are those of spice-common's ``lz.c``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from spice_common._c import ffi, lib

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

__all__ = [
    "LzEncoder",
    "LzHeader",
    "LzImage",
    "LzImageType",
    "decode",
    "decode_header",
    "decode_into",
]


class LzImageType(IntEnum):
    """What the pixels are (LzImageType of spice-common)."""

    PLT1_LE = 1
    PLT1_BE = 2
    PLT4_LE = 3
    PLT4_BE = 4
    PLT8 = 5
    RGB16 = 6
    """x1r5g5b5."""
    RGB24 = 7
    RGB32 = 8
    """The byte that is no color is not coded."""
    RGBA = 9
    XXXA = 10
    """Only the alpha plane of 32-bit pixels."""
    A8 = 11

    def row_size(self, width: int) -> int:
        """Return the bytes of a row of *width* pixels without padding."""
        return lib.lz_row_size(self, width)


@dataclass(slots=True, frozen=True)
class LzHeader:
    """What an image says of itself."""

    type: LzImageType
    width: int
    """Pixels."""
    height: int
    top_down: bool
    """False: the first row that is decoded is the picture's last one."""


@dataclass(slots=True)
class LzImage:
    """A decoded image."""

    header: LzHeader
    pixels: bytearray
    """Rows without padding, in the order in which they were encoded."""


class LzEncoder:
    """Encodes images; not to be used by two threads at once."""

    def __init__(self) -> None:
        encoder = lib.lz_encoder_new()
        if not encoder:
            raise MemoryError
        self.cdata: Any = ffi.gc(encoder, lib.lz_encoder_free)
        """``struct lz_encoder *``."""

    def encode(
        self, header: LzHeader, pixels: ReadableBuffer, stride: int | None = None
    ) -> bytes:
        """Return *pixels*, whose rows are *stride* bytes apart, as an LZ image.

        Raises:
            ValueError: *pixels* are too few for what *header* says, or too many.

        """
        # Literals take a byte more for each 32 units; a match is never longer.
        row = header.type.row_size(header.width)
        out = bytearray(row * header.height * 17 // 16 + 64)
        size = self.encode_into(out, header, pixels, stride)
        return bytes(out[:size])

    def encode_into(
        self,
        out: WriteableBuffer,
        header: LzHeader,
        pixels: ReadableBuffer,
        stride: int | None = None,
    ) -> int:
        """Encode *pixels* to *out*; return the bytes written, 0 if it is too small.

        Raises:
            ValueError: *pixels* are too few for what *header* says, or too many.

        """
        with (
            ffi.from_buffer("uint8_t[]", pixels) as data,
            ffi.from_buffer("uint8_t[]", out, require_writable=True) as dst,
        ):
            size = lib.lz_encode(
                self.cdata,
                header.type,
                header.width,
                header.height,
                data,
                len(data),
                header.type.row_size(header.width) if stride is None else stride,
                header.top_down,
                dst,
                len(dst),
            )
        if size < 0:
            raise ValueError(f"pixels are no {header}")
        return size


def decode_header(data: ReadableBuffer) -> LzHeader:
    """Read the header of an image.

    Raises:
        ValueError: this is no LZ image.

    """
    header: Any = ffi.new("struct lz_header *")
    with ffi.from_buffer("uint8_t[]", data) as source:
        if lib.lz_decode_header(source, len(source), header):
            raise ValueError("not an LZ image")
    return LzHeader(
        LzImageType(header.type), header.width, header.height, bool(header.top_down)
    )


def decode(
    data: ReadableBuffer, want: LzImageType | None = None, max_size: int = 1 << 28
) -> LzImage:
    """Decode an image to the type *want*: its own, or RGB32 for RGB16 and RGB24.

    Palette types yield their indexes.

    Raises:
        ValueError: the image is damaged, no *want*, or of more than *max_size* bytes.

    """
    header = decode_header(data)
    want = header.type if want is None else want
    row = want.row_size(header.width)
    if row * header.height > max_size:
        raise ValueError(f"{header} is too large")
    pixels = bytearray(row * header.height)
    decode_into(pixels, data, row, want)
    return LzImage(header, pixels)


def decode_into(
    out: WriteableBuffer, data: ReadableBuffer, stride: int, want: LzImageType
) -> None:
    """Decode an image to rows of *want* in *out*, *stride* bytes apart.

    Raises:
        ValueError: the image is damaged, no *want*, or does not fit there.

    """
    with (
        ffi.from_buffer("uint8_t[]", data) as source,
        ffi.from_buffer("uint8_t[]", out, require_writable=True) as dst,
    ):
        if lib.lz_decode(source, len(source), dst, len(dst), stride, want):
            raise ValueError("the LZ data are damaged")
