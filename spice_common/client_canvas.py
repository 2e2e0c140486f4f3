"""What a SPICE client shows: surfaces and caches as a server's messages change them.

::

    cache = PictureCache()  # one for all displays of a session
    canvas = ClientCanvas(cache)  # one for each display channel
    progress = canvas.receive(data)  # many messages in one call
    del data[: progress.consumed]
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spice_common._c import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed import ReadableBuffer

__all__ = [
    "CanvasSurface",
    "ClientCanvas",
    "ClientCounts",
    "ClientError",
    "PictureCache",
    "Progress",
    "Reason",
]

MAX_CACHE_PIXELS: Final = 1 << 32
"""Of images; 32 GiB, beyond which nobody's memory reaches."""
MAX_WINDOW_PIXELS: Final = 1 << 25
"""Of the GLZ window: libspice-server's own bound."""


class Reason(enum.IntEnum):
    """Why :meth:`ClientCanvas.receive` came back."""

    MORE = lib.CLIENT_MORE
    """What is left is no whole message."""
    OTHER = lib.CLIENT_OTHER
    """The next message is whole, and for the caller to handle."""
    FAILED = lib.CLIENT_FAILED
    """The next message is wrong."""


class ClientError(enum.IntEnum):
    """What is wrong with a message; the detail that comes with it is in brackets."""

    OK = lib.CLIENT_OK
    BAD_MESSAGE = lib.CLIENT_BAD_MESSAGE
    """Its fields do not fit into it (a reason of command.h)."""
    TOO_BIG = lib.CLIENT_TOO_BIG
    """It is longer than any (bytes)."""
    NO_SURFACE = lib.CLIENT_NO_SURFACE
    """It names a surface that is not there (surface id)."""
    SURFACE_EXISTS = lib.CLIENT_SURFACE_EXISTS
    """It makes one that is there (surface id)."""
    BAD_SURFACE = lib.CLIENT_BAD_SURFACE
    """No surface can be of such a format or size (surface id)."""
    NO_IMAGE = lib.CLIENT_NO_IMAGE
    """An image is not in the cache (image id)."""
    NO_GLZ_IMAGE = lib.CLIENT_NO_GLZ_IMAGE
    """A GLZ image refers to one that is not in the window (id of the former)."""
    NO_PALETTE = lib.CLIENT_NO_PALETTE
    """A palette is not in the cache (palette id)."""
    BAD_IMAGE = lib.CLIENT_BAD_IMAGE
    """An image cannot be decoded (``SPICE_IMAGE_TYPE_*``)."""
    UNSUPPORTED_IMAGE = lib.CLIENT_UNSUPPORTED_IMAGE
    """There is no such type of image (``SPICE_IMAGE_TYPE_*``)."""
    REJECTED = lib.CLIENT_REJECTED
    """Its numbers do not fit the surfaces (surface id)."""
    UNSUPPORTED = lib.CLIENT_UNSUPPORTED
    """The canvas does not draw this (surface id)."""
    LIMIT_IMAGES = lib.CLIENT_LIMIT_IMAGES
    """More is cached than was offered (image id)."""
    LIMIT_PALETTES = lib.CLIENT_LIMIT_PALETTES
    """More palettes are cached than anybody needs (palette id)."""
    LIMIT_SURFACES = lib.CLIENT_LIMIT_SURFACES
    """Surfaces take more than 1 GiB (surface id)."""
    NO_MEMORY = lib.CLIENT_NO_MEMORY
    """Ours is used up."""


@dataclass(slots=True)
class Progress:
    """How far a run of messages was done."""

    consumed: int
    """Bytes of messages done with."""
    messages: int
    """How many these were."""
    reason: Reason
    type: int
    """Of the next message, unless the reason is ``MORE``."""
    error: ClientError
    detail: int


@dataclass(slots=True)
class CanvasSurface:
    """What a surface is like."""

    id: int
    width: int
    height: int
    format: int
    """``SPICE_SURFACE_FMT_*``."""
    serial: int
    """No two surfaces of a canvas ever have the same."""


@dataclass(slots=True)
class ClientCounts:
    """What a display channel brought so far."""

    messages: dict[int, tuple[int, int]]
    """By message id: how many, and their bytes with headers."""
    images: dict[int, tuple[int, int, int]]
    """By ``SPICE_IMAGE_TYPE_*``: how many, bytes of their messages, and pixels."""
    draws: int
    """Messages that changed a surface."""


class PictureCache:
    """Cached images and the GLZ window, shared by the display channels of a session.

    Args:
        image_pixels: size of the image cache as it is offered to the server.
        window_pixels: size of the GLZ window, likewise.

    Raises:
        ValueError: a size is not possible.

    """

    def __init__(
        self, image_pixels: int = 20 << 20, window_pixels: int = 4 << 20
    ) -> None:
        if not 0 <= image_pixels <= MAX_CACHE_PIXELS:
            raise ValueError(f"an image cache of {image_pixels} pixels")
        if not 0 <= window_pixels <= MAX_WINDOW_PIXELS:
            raise ValueError(f"a GLZ window of {window_pixels} pixels")
        cache = lib.client_cache_new(image_pixels, window_pixels)
        if not cache:
            raise MemoryError
        self.cdata: Any = ffi.gc(cache, lib.client_cache_free)
        """``struct client_cache *``, for :class:`ClientCanvas`."""

    def forget_images(self) -> None:
        """Drop all images; the GLZ window stays."""
        lib.client_cache_forget_images(self.cdata)

    @property
    def num_images(self) -> int:
        """How many images are cached."""
        return lib.client_cache_num_images(self.cdata)

    @property
    def image_bytes(self) -> int:
        """What they take."""
        return lib.client_cache_image_bytes(self.cdata)


class ClientCanvas:
    """One display channel's surfaces.

    Args:
        cache: what it shares with others of its session.
        paint: without, messages are only counted.
        max_message: bytes of the largest message that is taken.

    """

    def __init__(
        self,
        cache: PictureCache,
        *,
        paint: bool = True,
        max_message: int = (256 << 20) + 65536,
    ) -> None:
        canvas = lib.client_canvas_new(cache.cdata, paint, max_message)
        if not canvas:
            raise MemoryError
        self.cache = cache
        self._canvas: Any = ffi.gc(canvas, lib.client_canvas_free)
        self._surfaces: Any = lib.client_canvas_surfaces(canvas)
        self._progress: Any = ffi.new("struct client_progress *")
        self._detail: Any = ffi.new("uint64_t *")
        self._info: Any = ffi.new("struct canvas_surface_info *")

    def receive(self, data: ReadableBuffer, *, full_header: bool = False) -> Progress:
        """Do what the messages in *data* say, as many as are whole and about pictures.

        Args:
            data: what the server sent, from a message's header on.
            full_header: headers are SpiceDataHeader, not SpiceMiniDataHeader.

        A message that failed with ``NO_IMAGE`` or ``NO_GLZ_IMAGE`` changed nothing and
        may be tried again.

        """
        progress = self._progress
        with ffi.from_buffer("uint8_t[]", data) as pointer:
            lib.client_canvas_receive(
                self._canvas, pointer, len(pointer), full_header, progress
            )
        return Progress(
            progress.consumed,
            progress.messages,
            Reason(progress.reason),
            progress.type,
            ClientError(progress.error),
            progress.detail,
        )

    @staticmethod
    def takes(message_type: int) -> bool:
        """Whether messages of this type are about pictures."""
        return bool(lib.client_canvas_takes(message_type))

    def message(
        self, message_type: int, body: ReadableBuffer
    ) -> tuple[ClientError, int]:
        """Do one message; what is wrong with it, and the detail."""
        with ffi.from_buffer("uint8_t[]", body) as pointer:
            error = lib.client_canvas_message(
                self._canvas, message_type, pointer, len(pointer), self._detail
            )
        return ClientError(error), self._detail[0]

    def forget_palettes(self) -> None:
        """Drop all palettes."""
        lib.client_canvas_forget_palettes(self._canvas)

    @property
    def marked(self) -> bool:
        """The server said that the screen may be shown."""
        return bool(lib.client_canvas_marked(self._canvas))

    @property
    def complete(self) -> bool:
        """Every pixel of the screen was drawn; ``False`` also if that is not known."""
        return bool(lib.client_canvas_complete(self._canvas))

    @property
    def primary(self) -> CanvasSurface | None:
        """The surface that is the screen."""
        return self.surface(lib.client_canvas_primary(self._canvas))

    def surface(self, surface_id: int) -> CanvasSurface | None:
        """Return what a surface is like; ``None``: there is none of that id."""
        info = self._info
        if lib.canvas_surface_info(self._surfaces, surface_id, info):
            return None
        return CanvasSurface(
            surface_id, info.width, info.height, info.format, info.serial
        )

    def surface_ids(self) -> list[int]:
        """Return the ids of all surfaces, ascending."""
        ids = ffi.new("uint32_t[]", lib.CLIENT_SURFACES)
        count = lib.canvas_surface_ids(self._surfaces, ids, len(ids))
        return list(ffi.unpack(ids, count))

    def read(self, surface: CanvasSurface, pixel_size: int) -> bytes:
        """Return a surface's pixels of *pixel_size* bytes in rows without padding.

        Raises:
            ValueError: it is gone, or its pixels are of another size.

        """
        pixels = bytearray(surface.width * surface.height * pixel_size)
        with ffi.from_buffer("uint8_t[]", pixels, require_writable=True) as out:
            if lib.client_canvas_read(self._canvas, surface.id, out, len(pixels)):
                raise ValueError(f"surface {surface.id} cannot be read")
        return bytes(pixels)

    def read_argb(self, surface: CanvasSurface) -> bytes:
        """Return a surface's pixels as ARGB words, little endian, top row first.

        Raises:
            ValueError: it is gone.

        """
        pixels = bytearray(4 * surface.width * surface.height)
        with ffi.from_buffer("uint8_t[]", pixels, require_writable=True) as out:
            if lib.canvas_read_surface(self._surfaces, surface.id, out, len(pixels)):
                raise ValueError(f"surface {surface.id} cannot be read")
        return bytes(pixels)

    @property
    def draws(self) -> int:
        """Messages so far that changed a surface."""
        counts: Any = lib.client_canvas_counts(self._canvas)
        draws: int = counts.draws
        return draws

    def counts(self) -> ClientCounts:
        """Return the counters as they are now."""
        counts: Any = lib.client_canvas_counts(self._canvas)
        return ClientCounts(
            messages=_table(counts.messages, counts.bytes),  # type: ignore[arg-type]
            images=_table(counts.images, counts.image_bytes, counts.image_pixels),  # type: ignore[arg-type]
            draws=counts.draws,
        )


def _table(*columns: Iterable[int]) -> dict[int, tuple[int, ...]]:
    rows = zip(*columns, strict=True)
    return {number: row for number, row in enumerate(rows) if row[0]}
