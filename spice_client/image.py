"""Images of display messages as bitmaps; the pixmap and palette caches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spice_client.errors import UnsupportedError
from spice_common.bitmap import Bitmap
from spice_protocol.draw import SpiceBitmap, SpiceSurfaceImage
from spice_protocol.enums import SpiceBitmapFlags, SpiceImageFlags, SpiceImageType
from spice_protocol.errors import InvalidValueError, LimitExceededError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spice_client.surface import Surface
    from spice_protocol.draw import SpiceImage, SpicePalette

__all__ = ["ImageCache"]

MAX_CACHE_SIZE = 512 << 20
"""Bytes of cached bitmaps: far above what is offered in INIT, so that only a server
that ignores the offer meets it."""
MAX_PALETTES = 1024
"""Palettes of 1 KiB at most; libspice-server keeps 128."""


class ImageCache:
    """Turns images into bitmaps and remembers those the server tells to keep."""

    def __init__(self, surfaces: Mapping[int, Surface]) -> None:
        self._surfaces = surfaces
        self._bitmaps: dict[int, Bitmap] = {}
        self._size = 0
        self._palettes: dict[int, list[int]] = {}

    def bitmap(self, image: SpiceImage, name: str) -> Bitmap:
        """Return an image's pixels; *name* is the message it came in.

        Raises:
            UnsupportedError: they are compressed.
            InvalidValueError: they are said to be cached and are not.

        """
        kind = image.descriptor.type
        match image.data:
            case SpiceBitmap():
                bitmap = self._raw(image.data, name)
            case SpiceSurfaceImage():
                bitmap = self._surface(image.data.surface_id, name)
            case None:
                return self._cached(image.descriptor.id, name)
            case _:
                shown = f"{SpiceImageType(kind).name}({kind})"
                raise UnsupportedError(f"{name}: images of type {shown}")
        keep = SpiceImageFlags.CACHE_ME | SpiceImageFlags.CACHE_REPLACE_ME
        if image.descriptor.flags & keep:
            self._keep(image.descriptor.id, bitmap)
        return bitmap

    def _raw(self, data: SpiceBitmap, name: str) -> Bitmap:
        return Bitmap(
            data.data,
            data.format,
            data.x,
            data.y,
            data.stride,
            top_down=bool(data.flags & SpiceBitmapFlags.TOP_DOWN),
            palette=self._palette(data, name),
        )

    def _palette(self, data: SpiceBitmap, name: str) -> list[int]:
        if data.flags & SpiceBitmapFlags.PAL_FROM_CACHE:
            cached = self._palettes.get(data.palette_id)
            if cached is None:
                raise InvalidValueError(f"{name}: palette {data.palette_id} not cached")
            return cached
        if data.palette is None:
            return []
        if data.flags & SpiceBitmapFlags.PAL_CACHE_ME:
            self._keep_palette(data.palette)
        return data.palette.ents

    def _keep_palette(self, palette: SpicePalette) -> None:
        self._palettes[palette.unique] = palette.ents
        if len(self._palettes) > MAX_PALETTES:
            raise LimitExceededError(f"{len(self._palettes)} cached palettes")

    def _surface(self, surface_id: int, name: str) -> Bitmap:
        surface = self._surfaces.get(surface_id)
        if surface is None:
            raise InvalidValueError(f"{name}: there is no surface {surface_id}")
        return surface.as_bitmap()

    def _cached(self, image_id: int, name: str) -> Bitmap:
        bitmap = self._bitmaps.get(image_id)
        if bitmap is None:
            raise InvalidValueError(f"{name}: image {image_id:#x} is not cached")
        return bitmap

    def _keep(self, image_id: int, bitmap: Bitmap) -> None:
        self.forget(image_id)
        bitmap.data = bytes(bitmap.data)
        self._bitmaps[image_id] = bitmap
        self._size += len(bitmap.data)
        if self._size > MAX_CACHE_SIZE:
            raise LimitExceededError(f"{self._size} bytes of cached images")

    def forget(self, image_id: int) -> None:
        """Drop one image, if it is there."""
        bitmap = self._bitmaps.pop(image_id, None)
        if bitmap is not None:
            self._size -= memoryview(bitmap.data).nbytes

    def forget_images(self) -> None:
        """Drop all images."""
        self._bitmaps.clear()
        self._size = 0

    def forget_palette(self, palette_id: int) -> None:
        """Drop one palette, if it is there."""
        self._palettes.pop(palette_id, None)

    def forget_palettes(self) -> None:
        """Drop all palettes."""
        self._palettes.clear()

    def clear(self) -> None:
        """Drop everything."""
        self.forget_images()
        self.forget_palettes()
