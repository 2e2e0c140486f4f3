"""Sets of pixels, kept as bands of rectangles by pixman."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from spice_common._c import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Box", "Region"]


class Box(NamedTuple):
    """A rectangle in pixels; right and bottom are excluded."""

    left: int
    top: int
    right: int
    bottom: int


class Region:
    """A set of pixels; coordinates are signed 32 bit.

    Methods that change it raise ``MemoryError``; the region is empty then.
    """

    def __init__(self, boxes: Iterable[Box] = ()) -> None:
        region = lib.region_new()
        if not region:
            raise MemoryError
        self.cdata: Any = ffi.gc(region, lib.region_free)
        """``struct region *``."""
        for box in boxes:
            self.add(box)

    def add(self, other: Region | Box) -> None:
        """Add pixels."""
        if isinstance(other, Region):
            _check(lib.region_add(self.cdata, other.cdata))
        else:
            _check(lib.region_add_rect(self.cdata, *other))

    def subtract(self, other: Region | Box) -> None:
        """Take pixels away."""
        if isinstance(other, Region):
            _check(lib.region_subtract(self.cdata, other.cdata))
        else:
            _check(lib.region_subtract_rect(self.cdata, *other))

    def intersect(self, other: Region | Box) -> None:
        """Keep only pixels that are in *other*, too."""
        if isinstance(other, Region):
            _check(lib.region_intersect(self.cdata, other.cdata))
        else:
            _check(lib.region_intersect_rect(self.cdata, *other))

    def clear(self) -> None:
        """Have no pixels any more."""
        lib.region_clear(self.cdata)

    def boxes(self) -> list[Box]:
        """Return the rectangles: disjoint, in bands from top to bottom."""
        count = lib.region_num_rects(self.cdata)
        numbers = ffi.new("int32_t[]", 4 * count)
        count = lib.region_rects(self.cdata, numbers, count)
        flat = ffi.unpack(numbers, 4 * count)
        return [Box(*flat[i : i + 4]) for i in range(0, len(flat), 4)]

    @property
    def extents(self) -> Box:
        """The smallest rectangle around it; all 0 if it is empty."""
        numbers = ffi.new("int32_t[4]")
        lib.region_extents(self.cdata, numbers)
        return Box(*ffi.unpack(numbers, 4))

    @property
    def area(self) -> int:
        """How many pixels there are."""
        return lib.region_area(self.cdata)

    def __bool__(self) -> bool:
        return lib.region_num_rects(self.cdata) > 0

    def __contains__(self, point: tuple[int, int]) -> bool:
        return bool(lib.region_contains_point(self.cdata, *point))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Region):
            return NotImplemented
        return bool(lib.region_equal(self.cdata, other.cdata))

    __hash__ = None  # type: ignore[assignment]  # mutable values are not keys

    def __repr__(self) -> str:
        return f"Region({self.boxes()!r})"


def _check(status: int) -> None:
    if status:
        raise MemoryError("a region grew too large")
