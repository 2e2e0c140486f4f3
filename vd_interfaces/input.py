"""Where a client's keys and pointer go (spice-input.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vd_interfaces.qxl import Rect

__all__ = ["InputSink"]


class InputSink(Protocol):
    """A guest's keyboard, mouse and tablet.

    Nothing here blocks or fails: a sink that cannot keep up coalesces motion and drops
    nothing else.
    """

    @property
    def has_tablet(self) -> bool:
        """Whether absolute positions reach the guest (client mouse mode)."""

    @property
    def leds(self) -> int:
        """``SPICE_KEYBOARD_MODIFIER_FLAGS_*`` that the guest shows lit."""

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call *callback* whenever ``leds`` or ``has_tablet`` may have changed."""

    def push_scancode(self, byte: int) -> None:
        """One byte of a PC scancode, set 1 (``push_scan_freg``)."""

    def motion(self, dx: int, dy: int, dz: int, buttons: int) -> None:
        """Relative motion; *buttons* is ``SPICE_MOUSE_BUTTON_MASK_*``."""

    def position(self, x: int, y: int, buttons: int, display_id: int) -> None:
        """Pointer at pixel (*x*, *y*) of a display's primary surface."""

    def buttons(self, buttons: int) -> None:
        """Buttons changed without motion; wheel steps are buttons 4 and 5."""

    def set_displays(self, displays: Mapping[int, Rect]) -> None:
        """Where displays lie on the guest's desktop; *displays* has their ids.

        The desktop goes from 0, 0 to the last row and column that a display has.
        """

    def release_all(self) -> None:
        """Release every key and button that is down (a client went away)."""
