"""The surfaces of a display: guest memory that draw commands change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spice_common._c import ffi, lib
from spice_common.borrowed import Borrowed
from spice_common.errors import SurfaceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from _typeshed import WriteableBuffer


__all__ = ["NUM_SURFACES", "Canvas", "CanvasCounters", "Surface"]

NUM_SURFACES: Final = 1024
"""Surface ids of one display, as QEMU's QXL announces them (QXLRom.n_surfaces)."""

_NONE: Final = (0, None)

_REASONS = {
    lib.CANVAS_BAD_ID: "the id is too high, taken, or unknown",
    lib.CANVAS_BAD_FORMAT: "nothing can be drawn on this format",
    lib.CANVAS_BAD_SIZE: "its size is impossible or beyond its memory",
}


@dataclass(slots=True)
class Surface:
    """What a surface is like."""

    id: int
    width: int
    height: int
    format: int
    """``SPICE_SURFACE_FMT_*``."""
    stride: int
    """Bytes; negative: the last row comes first in memory."""
    serial: int
    """No two surfaces ever have the same."""


@dataclass(slots=True)
class CanvasCounters:
    """What became of the draw commands so far."""

    drawn: dict[int, int]
    """By ``QXL_DRAW_*``."""
    unsupported: dict[int, int]
    """By ``QXL_DRAW_*``: good commands that are not drawn yet."""
    rejected: int
    """The guest's numbers did not fit together."""
    clipped: int
    """Nothing was visible."""
    pixel_bytes: int
    """Written to surfaces."""


class Canvas:
    """A table of surfaces; keeps their memory mapped until they are destroyed."""

    def __init__(self, num_surfaces: int = NUM_SURFACES) -> None:
        canvas = lib.canvas_new(num_surfaces)
        if not canvas:
            raise MemoryError
        self.cdata: Any = ffi.gc(canvas, lib.canvas_free)
        """``struct canvas *``, for the other wrappers of this package."""
        self._num_surfaces = num_surfaces
        self._memory: dict[int, tuple[int, object]] = {}
        # By surface id: serial, and what keeps the memory mapped.

    def create_surface(
        self, surface: Surface, memory: WriteableBuffer, *, clear: bool
    ) -> Surface:
        """Let *memory* be a surface; return it with its serial.

        Args:
            surface: what it is like; its serial means nothing.
            memory: at least ``abs(stride) * height`` bytes of guest memory.
            clear: make it black; else it shows what the memory holds.

        Raises:
            SurfaceError: there cannot be such a surface.

        """
        buffer = Borrowed(memory)
        status = lib.canvas_create_surface(
            self.cdata,
            surface.id,
            surface.format,
            surface.width,
            surface.height,
            surface.stride,
            buffer.pointer,
            buffer.size,
            clear,
        )
        if status:
            raise SurfaceError(f"surface {surface.id}: {_REASONS[status]}")
        created = self.surface(surface.id)
        assert created is not None  # just made
        self._memory[surface.id] = (created.serial, buffer)
        return created

    def destroy_surface(self, surface_id: int) -> None:
        """Forget a surface; its memory is not touched any more.

        Raises:
            SurfaceError: there is none of that id.

        """
        status = lib.canvas_destroy_surface(self.cdata, surface_id)
        if status:
            raise SurfaceError(f"surface {surface_id}: {_REASONS[status]}")
        self._memory.pop(surface_id, None)

    def surface(self, surface_id: int) -> Surface | None:
        """Return what a surface is like; ``None``: there is none of that id."""
        info: Any = ffi.new("struct canvas_surface_info *")
        if lib.canvas_surface_info(self.cdata, surface_id, info):
            return None
        return Surface(
            id=surface_id,
            width=info.width,
            height=info.height,
            format=info.format,
            stride=info.stride,
            serial=info.serial,
        )

    def surface_ids(self) -> list[int]:
        """Return the ids of all surfaces, ascending."""
        ids = ffi.new("uint32_t[]", self._num_surfaces)
        return list(ffi.unpack(ids, lib.canvas_surface_ids(self.cdata, ids, len(ids))))

    def read_surface(self, surface_id: int) -> bytes:
        """Return a surface's pixels as rows of ARGB words, little endian, top first.

        Raises:
            SurfaceError: there is none of that id.

        """
        surface = self.surface(surface_id)
        if surface is None:
            raise SurfaceError(f"surface {surface_id}: there is none")
        pixels = bytearray(4 * surface.width * surface.height)
        with ffi.from_buffer("uint8_t[]", pixels, require_writable=True) as out:
            lib.canvas_read_surface(self.cdata, surface_id, out, len(pixels))
        return bytes(pixels)

    @property
    def not_drawn(self) -> int:
        """Commands so far that were rejected or are not supported yet."""
        counters: Any = lib.canvas_counters(self.cdata)
        count: int = counters.not_drawn
        return count

    def counters(self) -> CanvasCounters:
        """Return the counters as they are now."""
        counters: Any = lib.canvas_counters(self.cdata)
        return CanvasCounters(
            drawn=_nonzero(counters.drawn),
            unsupported=_nonzero(counters.unsupported),
            rejected=counters.rejected,
            clipped=counters.clipped,
            pixel_bytes=counters.pixel_bytes,
        )

    def keep_mapped(
        self, surface_ids: Iterable[int], buffers: Mapping[int, Borrowed]
    ) -> None:
        """Hold on to the guest memory of surfaces that a batch may have made."""
        for surface_id in surface_ids:
            surface = self.surface(surface_id)
            if surface is None:
                self._memory.pop(surface_id, None)
            elif self._memory.get(surface_id, _NONE)[0] != surface.serial:
                self._memory[surface_id] = (surface.serial, buffers)


def _nonzero(counts: Any) -> dict[int, int]:  # noqa: ANN401 - cffi's
    return {i: int(n) for i, n in enumerate(counts) if n}
