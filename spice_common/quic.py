"""QUIC images: the lossless codec of SPICE_IMAGE_TYPE_QUIC, in both directions.

The bits are those of spice-common's ``quic.c``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from spice_common._c import ffi, lib

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

__all__ = ["QuicDecoder", "QuicEncoder", "QuicHeader", "QuicImage", "QuicImageType"]


class QuicImageType(IntEnum):
    """What the pixels are (QuicImageType of spice-common)."""

    GRAY = 1
    RGB16 = 2
    """x1r5g5b5."""
    RGB24 = 3
    RGB32 = 4
    """The byte that is no color is not coded, and 0 when decoded."""
    RGBA = 5

    def row_size(self, width: int) -> int:
        """Return the bytes of a row of *width* pixels without padding."""
        return width * (1, 2, 3, 4, 4)[self - 1]


@dataclass(slots=True, frozen=True)
class QuicHeader:
    """What an image says of itself."""

    type: QuicImageType
    width: int
    """Pixels."""
    height: int

    @classmethod
    def parse(cls, data: ReadableBuffer) -> QuicHeader:
        """Read the header of an image.

        Raises:
            ValueError: this is no QUIC image, or one of impossible size.

        """
        fields: Any = ffi.new("uint32_t[3]")
        with ffi.from_buffer("uint8_t[]", data) as source:
            error = lib.quic_decode_header(
                source, len(source), fields, fields + 1, fields + 2
            )
        if error:
            raise ValueError("not a QUIC image")
        return cls(QuicImageType(fields[0]), fields[1], fields[2])


@dataclass(slots=True)
class QuicImage:
    """A decoded image."""

    header: QuicHeader
    pixels: bytearray
    """Rows without padding, the top one first."""


class QuicEncoder:
    """Encodes images; not to be used by two threads at once."""

    def __init__(self) -> None:
        encoder = lib.quic_encoder_new()
        if not encoder:
            raise MemoryError
        self.cdata: Any = ffi.gc(encoder, lib.quic_encoder_free)
        """``struct quic_encoder *``."""

    def encode(
        self,
        header: QuicHeader,
        pixels: ReadableBuffer,
        stride: int | None = None,
        max_size: int | None = None,
    ) -> bytes | None:
        """Return *pixels* as a QUIC image, or None if it is larger than *max_size* bytes.

        Rows are *stride* bytes apart; a negative stride means that the top row is last.
        Without *max_size*, there is room for the worst that can be.

        Raises:
            ValueError: *pixels* are too few for what *header* says.

        """
        worst = header.width * header.height * lib.QUIC_MAX_PIXEL_SIZE + 64
        out = bytearray(max(0, worst if max_size is None else max_size))
        size = self.encode_into(out, header, pixels, stride)
        return bytes(memoryview(out)[:size]) if size else None

    def encode_into(
        self,
        out: WriteableBuffer,
        header: QuicHeader,
        pixels: ReadableBuffer,
        stride: int | None = None,
    ) -> int:
        """Write *pixels* as a QUIC image to *out*: its bytes, or 0 if *out* is too small.

        Raises:
            ValueError: *pixels* are too few for what *header* says.

        """
        with (
            ffi.from_buffer("uint8_t[]", pixels) as data,
            ffi.from_buffer("uint8_t[]", out, require_writable=True) as dst,
        ):
            size = lib.quic_encode(
                self.cdata,
                header.type,
                header.width,
                header.height,
                data,
                len(data),
                header.type.row_size(header.width) if stride is None else stride,
                dst,
                len(dst),
            )
        if size == lib.QUIC_NO_MEMORY:
            raise MemoryError
        if size < 0:
            raise ValueError(f"pixels are no {header}")
        return size


class QuicDecoder:
    """Decodes images; not to be used by two threads at once."""

    def __init__(self) -> None:
        decoder = lib.quic_decoder_new()
        if not decoder:
            raise MemoryError
        self.cdata: Any = ffi.gc(decoder, lib.quic_decoder_free)
        """``struct quic_decoder *``."""

    def decode(
        self,
        data: ReadableBuffer,
        want: QuicImageType | None = None,
        max_size: int = 1 << 28,
    ) -> QuicImage:
        """Decode an image to the type *want*: by default its own.

        RGB24 and RGB32 can become each other, RGB16 can become RGB32.  *max_size* bounds
        the bytes of memory that a few bytes of data may ask for.

        Raises:
            ValueError: the image is damaged, cut off, no *want* or too large.

        """
        header = QuicHeader.parse(data)
        want = header.type if want is None else want
        size = want.row_size(header.width) * header.height
        if size > max_size:
            raise ValueError(f"{header} is too large")
        pixels = bytearray(size)
        self.decode_into(pixels, data, want)
        return QuicImage(header, pixels)

    def decode_into(
        self, out: WriteableBuffer, data: ReadableBuffer, want: QuicImageType
    ) -> None:
        """Decode an image to *out*, which has room for its rows without padding.

        Raises:
            ValueError: the image is damaged, cut off, no *want* or larger than *out*.

        """
        header = QuicHeader.parse(data)
        with (
            ffi.from_buffer("uint8_t[]", data) as source,
            ffi.from_buffer("uint8_t[]", out, require_writable=True) as dst,
        ):
            row = want.row_size(header.width)
            error = lib.quic_decode(
                self.cdata, source, len(source), dst, len(dst), row, want
            )
        if error == lib.QUIC_NO_MEMORY:
            raise MemoryError
        if error:
            raise ValueError(_reason(error, header, want))


def _reason(error: int, header: QuicHeader, want: QuicImageType) -> str:
    if error == lib.QUIC_BAD_ARGUMENT:
        return f"{header} cannot be decoded to {want.name}"
    fault = "ends too early" if error == lib.QUIC_TRUNCATED else "is damaged"
    return f"{header}: the QUIC data {fault}"
