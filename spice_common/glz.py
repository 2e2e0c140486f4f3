"""GLZ images: SPICE_IMAGE_TYPE_GLZ_RGB, which may repeat images that were sent before.

The byte streams are those of spice-server's ``glz-encoder.c`` and spice-gtk's
``decode-glz.c``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spice_common._c import ffi, lib
from spice_common.lz import LzHeader, LzImage, LzImageType

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

__all__ = [
    "GlzDictionary",
    "GlzError",
    "GlzHeader",
    "GlzStats",
    "GlzWindow",
    "MissingImageError",
    "decode_header",
]

_MIN_OUTPUT = 64
_ERRORS = {
    lib.GLZ_DAMAGED: "the data are damaged",
    lib.GLZ_NO_IMAGE: "it repeats an image that is not here",
    lib.GLZ_TOO_MUCH: "the window would become too large",
    lib.GLZ_BAD_ID: "its id is not to be expected",
}


class GlzError(ValueError):
    """What the server sent is not to be decoded."""


class MissingImageError(GlzError):
    """An image repeats one that is not here; another channel may yet bring that."""


@dataclass(slots=True, frozen=True)
class GlzHeader:
    """What an image says of itself."""

    image: LzHeader
    id: int
    window_head_distance: int
    """How many images back the oldest is that may still be repeated."""


@dataclass(slots=True, frozen=True)
class GlzStats:
    """What a dictionary has done and holds."""

    next_id: int
    """Images encoded so far."""
    pixels: int
    """That were encoded."""
    bytes: int
    """That came of them."""
    matched_own: int
    """Pixels that repeat their own image."""
    matched_earlier: int
    """Pixels that repeat an earlier image."""
    window_images: int
    window_pixels: int
    memory: int
    """Bytes."""


class GlzDictionary:
    """What a client has seen; any thread may encode with it, one at a time does."""

    def __init__(self, window_pixels: int) -> None:
        """Keep up to *window_pixels*, which the client announces (at most 2^25)."""
        dictionary = lib.glz_dictionary_new(min(window_pixels, 1 << 25))
        if not dictionary:
            raise MemoryError
        self.cdata: Any = ffi.gc(dictionary, lib.glz_dictionary_free)
        """``struct glz_dictionary *``."""

    def encode(
        self,
        header: LzHeader,
        pixels: ReadableBuffer,
        stride: int | None = None,
        max_size: int | None = None,
    ) -> bytes | None:
        """Return *pixels*, whose rows are *stride* bytes apart, as a GLZ image.

        The client must get it, for later ones may repeat it.  None: it would take more
        than *max_size* bytes, or is larger than the window; nothing has happened then.

        Raises:
            ValueError: *pixels* are too few for what *header* says, or of a type that
                is not RGB16, RGB24, RGB32 or RGBA.

        """
        row = header.type.row_size(header.width)
        size = row * header.height * 17 // 16 + _MIN_OUTPUT
        out = bytearray(size if max_size is None else max_size)
        written = self.encode_into(out, header, pixels, stride)
        return bytes(out[:written]) if written else None

    def encode_into(
        self,
        out: WriteableBuffer,
        header: LzHeader,
        pixels: ReadableBuffer,
        stride: int | None = None,
    ) -> int:
        """Encode *pixels* to *out*; return the bytes written, 0: as :meth:`encode`.

        Raises:
            ValueError: as :meth:`encode`.

        """
        with (
            ffi.from_buffer("uint8_t[]", pixels) as data,
            ffi.from_buffer("uint8_t[]", out, require_writable=True) as dst,
        ):
            written = lib.glz_encode(
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
        if written < 0:
            raise ValueError(f"pixels are no {header}")
        return written

    def reset(self) -> None:
        """Use no image of before again; ids go on."""
        lib.glz_dictionary_reset(self.cdata)

    @property
    def stats(self) -> GlzStats:
        """What it has done and holds."""
        stats: Any = ffi.new("struct glz_stats *")
        lib.glz_dictionary_stats(self.cdata, stats)
        return GlzStats(
            **{name: getattr(stats, name) for name in GlzStats.__slots__}  # fields
        )


def decode_header(data: ReadableBuffer) -> GlzHeader:
    """Read the header of an image.

    Raises:
        GlzError: this is no GLZ image.

    """
    header: Any = ffi.new("struct glz_header *")
    with ffi.from_buffer("uint8_t[]", data) as source:
        if lib.glz_decode_header(source, len(source), header):
            raise GlzError("not a GLZ image")
    image = LzHeader(
        LzImageType(header.type), header.width, header.height, bool(header.top_down)
    )
    return GlzHeader(image, header.id, header.window_head_distance)


class GlzWindow:
    """The images that a client keeps, shared by its display channels."""

    def __init__(self, max_pixels: int) -> None:
        """Keep *max_pixels* at most: more than was announced, by an image at least."""
        window = lib.glz_window_new(max_pixels)
        if not window:
            raise MemoryError
        self._window: Any = ffi.gc(window, lib.glz_window_free)
        self._max_pixels = max_pixels

    def decode(self, data: ReadableBuffer) -> LzImage:
        """Decode an image to RGB32 (RGBA: with alpha) and keep it.

        Raises:
            MissingImageError: try again when other channels have brought theirs.
            GlzError: it is damaged, comes twice, or the window would be too large.

        """
        header = decode_header(data)
        width, height = header.image.width, header.image.height
        if width * height > self._max_pixels:
            raise GlzError(f"{header}: {_ERRORS[lib.GLZ_TOO_MUCH]}")
        pixels = bytearray(4 * width * height)
        self.decode_into(pixels, data, 4 * width)
        return LzImage(header.image, pixels)

    def decode_into(
        self, out: WriteableBuffer, data: ReadableBuffer, stride: int
    ) -> None:
        """Decode an image as :meth:`decode`, to rows in *out*, *stride* bytes apart.

        Raises:
            GlzError: as :meth:`decode`, or it does not fit there.

        """
        with (
            ffi.from_buffer("uint8_t[]", data) as source,
            ffi.from_buffer("uint8_t[]", out, require_writable=True) as dst,
        ):
            error = lib.glz_decode(
                self._window, source, len(source), dst, len(dst), stride
            )
        if error == lib.GLZ_NO_MEMORY:
            raise MemoryError
        if error:
            missing = error == lib.GLZ_NO_IMAGE
            kind = MissingImageError if missing else GlzError
            raise kind(f"GLZ image: {_ERRORS[error]}")

    def clear(self) -> None:
        """Forget all images, as when the connection begins anew."""
        lib.glz_window_clear(self._window)
