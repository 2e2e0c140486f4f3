"""Pixels as a SpiceImage, packed as a client's settings say (spice.proto: Image)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spice_common._c import ffi, lib
from spice_common.display_message import DisplayMessages
from spice_protocol.enums import (
    SpiceImageCompression,
    SpiceImageType,
    SpiceSurfaceFmt,
)

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from spice_common._native import CData
    from spice_common.client_images import GlzDictionary

__all__ = ["EncodedImage", "ImageEncoder", "ImageSettings", "Picture"]


@dataclass(slots=True, frozen=True)
class ImageSettings:
    """How a client wants its images."""

    compression: SpiceImageCompression = SpiceImageCompression.AUTO_GLZ
    jpeg: bool = False
    """Photos may be lossy."""
    jpeg_quality: int = 85
    """1 to 100."""
    zlib_glz: bool = False
    """Deflate GLZ images where that is smaller."""
    lz4: bool = True
    """The client can read LZ4; without it LZ takes its place."""


@dataclass(slots=True, frozen=True)
class Picture:
    """A rectangle of pixels."""

    pixels: ReadableBuffer
    """Rows, the top one first."""
    width: int
    height: int
    format: SpiceSurfaceFmt = SpiceSurfaceFmt.FMT_32_xRGB
    stride: int | None = None
    """Bytes from one row to the next; None: there is nothing between them."""


@dataclass(slots=True)
class EncodedImage:
    """What became of a picture."""

    data: bytes
    """SpiceImage: the descriptor, and what its type says."""
    type: SpiceImageType
    lossy: bool


class ImageEncoder:
    """Encodes pictures one after the other; for one thread at a time."""

    def __init__(self) -> None:
        encoder = lib.image_encoder_new()
        if not encoder:
            raise MemoryError
        self._encoder: Any = ffi.gc(encoder, lib.image_encoder_free)
        self._messages = DisplayMessages()

    def encode(
        self,
        picture: Picture,
        settings: ImageSettings,
        dictionary: GlzDictionary | None = None,
        *,
        image_id: int = 0,
        flags: int = 0,
    ) -> EncodedImage:
        """Return *picture* as an image; *flags* are SpiceImageFlags.

        What refers to *dictionary* has to be sent to its client.

        Raises:
            ValueError: the picture has no pixels, too many, or fewer than it says.

        """
        info: Any = ffi.new("struct encoded_info *")
        packed = settings.compression, settings.jpeg, settings.jpeg_quality
        with ffi.from_buffer("uint8_t[]", picture.pixels) as data:
            result = lib.image_encode(
                self._encoder,
                ffi.new(
                    "struct image_settings *",
                    (*packed, settings.zlib_glz, settings.lz4),
                ),
                ffi.NULL if dictionary is None else dictionary.cdata,
                _pixels(picture, data),
                image_id,
                flags,
                self._messages.cdata,
                info,
            )
        image = bytes(self._messages.take().data)
        if result:
            raise ValueError(f"no picture: {picture.width} x {picture.height}")
        return EncodedImage(image, SpiceImageType(info.type), bool(info.lossy))


def _pixels(picture: Picture, data: CData) -> CData:
    row = picture.width * lib.surface_pixel_size(picture.format)
    stride = row if picture.stride is None else picture.stride
    if not row or stride < row or len(data) < stride * (picture.height - 1) + row:
        raise ValueError(f"no picture: {len(data)} bytes")
    return ffi.new(
        "struct pixels *", (data, picture.width, picture.height, stride, picture.format)
    )
