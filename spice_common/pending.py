"""What clients have still to be told of a display, and drawing batches.

::

    pending = Pending(canvas)
    position = BatchPosition()
    while draw_batch(canvas, batch, position, [pending], scratch, max_bytes=2 << 20):
        ...  # others have their turn
    more = pending.flush(messages, max_bytes=4 << 20)
    run = messages.take()  # run.data goes to the client
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from spice_common._c import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spice_common.canvas import Canvas
    from spice_common.client_images import GlzDictionary, ImageShare, PixmapCache
    from spice_common.command_batch import CommandBatch
    from spice_common.display_message import DisplayMessages

__all__ = [
    "BatchPosition",
    "ImageCount",
    "Pending",
    "PendingCounters",
    "PendingSettings",
    "draw_batch",
]

IMAGE_TYPES: Final = (
    "bitmap",
    "quic",
    "lz_plt",
    "lz_rgb",
    "glz_rgb",
    "from_cache",
    "surface",
    "jpeg",
    "from_cache_lossless",
    "zlib_glz_rgb",
    "jpeg_alpha",
    "lz4",
)
"""SPICE_IMAGE_TYPE_* in the order of their numbers, as C counts them."""


class BatchPosition:
    """How far a batch was drawn."""

    __slots__ = ("cdata",)

    def __init__(self) -> None:
        self.cdata: Any = ffi.new("struct batch_position *")
        """``struct batch_position *``."""


@dataclass(frozen=True, slots=True)
class PendingSettings:
    """How one client's pictures are made."""

    compression: int = 1
    """``SPICE_IMAGE_COMPRESSION_*``; 1: off."""
    jpeg: bool = False
    """Photos may be lossy at first; see :meth:`Pending.damage_lossy`."""
    jpeg_quality: int = 85
    zlib_glz: bool = False
    """Deflate GLZ where that is shorter."""
    lz4: bool = False
    """The client can read LZ4."""
    composite: bool = False
    """The client can draw COMPOSITE."""
    channel: int = 0
    """Number of the display among all that share the client's caches."""
    compare: bool = True
    """Keep a copy of the primary surface as the client shows it, and send what differs."""
    pictures: bool = False
    """The client draws plain pictures, fills and moves of its primary surface, without
    clip or rop, and nothing else; what it was not sent yet is not black."""


@dataclass(slots=True)
class ImageCount:
    """Images of one type."""

    count: int = 0
    bytes: int = 0
    pixels: int = 0


@dataclass(slots=True)
class PendingCounters:
    """What became of commands and pixels; see pending.h."""

    natives: int = 0
    """Commands to be drawn by the client."""
    hidden: int = 0
    """Of these, not sent because newer ones or pixels cover them."""
    damaged: int = 0
    """Commands of which the result is sent."""
    collapses: int = 0
    """How often commands waited so long that they were given up for their result."""
    same_tiles: int = 0
    """Damaged tiles that showed the right pixels already."""
    scrolls: int = 0
    """Moves found in pixels."""
    flat: int = 0
    """Pictures of one color, sent as fills."""
    cache_hits: int = 0
    images: dict[str, ImageCount] = field(default_factory=dict)
    """By type."""


class Pending:
    """One client's; it knows nothing yet, and all of *canvas* is pending."""

    def __init__(self, canvas: Canvas) -> None:
        pending = lib.pending_new(canvas.cdata)
        if not pending:
            raise MemoryError
        self.cdata: Any = ffi.gc(pending, lib.pending_free)
        """``struct pending *``."""
        self._canvas = canvas  # C looks at it
        self._kept: tuple[object, ...] = ()
        self._shared: ImageShare | None = None
        self.set(PendingSettings())

    def set(self, settings: PendingSettings) -> None:
        """Make pictures like this from now on."""
        lib.pending_set(
            self.cdata,
            ffi.new(
                "struct pending_settings *",
                (
                    settings.compression,
                    settings.jpeg,
                    settings.jpeg_quality,
                    settings.zlib_glz,
                    settings.lz4,
                    settings.composite,
                    settings.channel,
                    settings.compare,
                    settings.pictures,
                ),
            ),
        )

    def use(self, dictionary: GlzDictionary | None, cache: PixmapCache | None) -> None:
        """Refer to what the client keeps of earlier images."""
        null = ffi.NULL
        lib.pending_set_dictionary(self.cdata, dictionary.cdata if dictionary else null)
        lib.pending_set_cache(self.cdata, cache.cdata if cache else null)
        self._kept = (dictionary, cache)

    def share(self, images: ImageShare | None) -> None:
        """Share encoded images with other clients; ``None``: there are none."""
        lib.pending_set_share(self.cdata, images.cdata if images else ffi.NULL)
        self._shared = images

    def surface_created(self, surface_id: int, *, black: bool) -> None:
        """Tell of a surface of the canvas that came, *black* or with pixels."""
        lib.pending_surface_created(self.cdata, surface_id, black)

    def surface_destroyed(self, surface_id: int) -> None:
        """Tell of a surface that goes; to be called while the canvas knows it."""
        lib.pending_surface_destroyed(self.cdata, surface_id)

    def damage_all(self) -> None:
        """Something was not told, nobody knows what: everything is pending."""
        lib.pending_damage_all(self.cdata)

    def damage_lossy(self) -> int:
        """Have what was sent lossily sent exactly; how many tiles there are of it."""
        return lib.pending_damage_lossy(self.cdata)

    def flush(
        self,
        messages: DisplayMessages,
        *,
        max_bytes: int,
        whole: bool = False,
        exact: bool = False,
    ) -> bool:
        """Append messages for what is pending.

        Args:
            messages: gets them.
            max_bytes: about how many bytes of pixels to look at before returning.
            whole: if the primary surface is damaged send all of it as one picture.
            exact: no lossy pictures, whatever the settings allow.

        Returns:
            Whether there is more.

        """
        return bool(
            lib.pending_flush(self.cdata, messages.cdata, max_bytes, whole, exact)
        )

    def __bool__(self) -> bool:
        return not lib.pending_empty(self.cdata)

    def counters(self) -> PendingCounters:
        """Return the counters as they are now."""
        counters: Any = lib.pending_counters(self.cdata)
        return PendingCounters(
            natives=counters.natives,
            hidden=counters.hidden,
            damaged=counters.damaged,
            collapses=counters.collapses,
            same_tiles=counters.same_tiles,
            scrolls=counters.scrolls,
            flat=counters.flat,
            cache_hits=counters.cache_hits,
            images={
                name: ImageCount(image.count, image.bytes, image.pixels)
                for name, image in zip(IMAGE_TYPES, counters.images, strict=True)
                if image.count
            },
        )


def draw_batch(
    canvas: Canvas,
    batch: CommandBatch,
    position: BatchPosition,
    clients: Sequence[Pending],
    scratch: DisplayMessages,
    *,
    max_bytes: int,
) -> bool:
    """Draw *batch* from *position* on and note it for each of *clients*.

    Args:
        canvas: its surfaces change.
        batch: what to draw.
        position: moves on.
        clients: who has to be told.
        scratch: memory to use.
        max_bytes: about how many bytes of pixels to write before returning.

    Returns:
        Whether there is more of the batch to draw.

    """
    if clients:
        pointers = ffi.new("struct pending *[]", [c.cdata for c in clients])
    else:
        pointers = ffi.NULL
    more = lib.pending_draw_batch(
        canvas.cdata,
        batch.cdata,
        position.cdata,
        pointers,
        len(clients),
        scratch.cdata,
        max_bytes,
    )
    count = batch.cdata.num_surface_commands
    if count:
        commands = batch.cdata.surface_commands[0:count]
        canvas.keep_mapped({c.surface_id for c in commands}, batch.buffers)
    return bool(more)
