"""From a pixel of a display to the axes of a tablet that covers the guest's desktop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vd_interfaces.qxl import Rect

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Desktop"]

_AXIS_STEPS = 0x8000
"""Values of an axis: 0 to INPUT_EVENT_ABS_MAX (include/ui/input.h)."""

_NOWHERE = Rect(top=0, left=0, bottom=1, right=1)


class Desktop:
    """Where displays lie beside each other, in pixels."""

    def __init__(self, displays: Mapping[int, Rect]) -> None:
        """Take *displays*, whose keys are their ids."""
        self._displays = dict(displays)
        self._width = max((place.right for place in displays.values()), default=1)
        self._height = max((place.bottom for place in displays.values()), default=1)

    def locate(self, display_id: int, x: int, y: int) -> tuple[int, int]:
        """Return both axes' values for pixel (*x*, *y*) of a display.

        A position beyond the display's edge is on its edge, not on the next display.
        A display that is not known is the one that lies first.
        """
        place = self._displays.get(display_id)
        if place is None:
            place = next(iter(self._displays.values()), _NOWHERE)
        return (
            _scale(place.left, x, place.right, self._width),
            _scale(place.top, y, place.bottom, self._height),
        )


def _scale(start: int, offset: int, end: int, size: int) -> int:
    """Return an axis' value in the middle of a pixel.

    Guests round down: at a pixel's first value they may land on the one before, which
    at the seam of two monitors is another monitor.
    """
    pixel = min(max(start + offset, start), end - 1)
    return (2 * pixel + 1) * _AXIS_STEPS // (2 * size)
