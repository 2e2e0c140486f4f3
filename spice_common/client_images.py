"""What one client keeps of the images it was sent."""

from __future__ import annotations

from typing import Any, Final

from spice_common._c import ffi, lib

__all__ = ["GlzDictionary", "ImageShare", "PixmapCache"]

MAX_WINDOW: Final = 1 << 25
"""Pixels; what GLZ can refer back to."""


class GlzDictionary:
    """The images that GLZ may refer to; for all display channels of a client."""

    def __init__(self, window: int) -> None:
        """Keep as many images as the client does, which has room for *window* pixels."""
        dictionary = lib.glz_dictionary_new(min(window, MAX_WINDOW))
        if not dictionary:
            raise MemoryError
        self.cdata: Any = ffi.gc(dictionary, lib.glz_dictionary_free)
        """``struct glz_dictionary *``."""

    def reset(self) -> None:
        """Refer to no earlier image any more: the client may not have got them all."""
        lib.glz_dictionary_reset(self.cdata)


class PixmapCache:
    """The images a client has in its cache, for one display channel's part of it."""

    def __init__(self, pixels: int) -> None:
        cache = lib.pixmap_cache_new(pixels)
        if not cache:
            raise MemoryError
        self.cdata: Any = ffi.gc(cache, lib.pixmap_cache_free)
        """``struct pixmap_cache *``."""


class ImageShare:
    """Images encoded for one client of a display, for its other clients."""

    def __init__(self) -> None:
        share = lib.image_share_new()
        if not share:
            raise MemoryError
        self.cdata: Any = ffi.gc(share, lib.image_share_free)
        """``struct image_share *``."""

    @property
    def hits(self) -> int:
        """Images that needed not be encoded again."""
        return lib.image_share_hits(self.cdata)
