"""The null input sink: a screen that can be looked at and nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vd_interfaces.qxl import Rect

__all__ = ["NoInput"]


class NoInput:
    """A :class:`vd_interfaces.input.InputSink` that nobody listens to."""

    has_tablet = False
    """Relative motion asks least of a client: it sends none until it is clicked."""
    leds = 0

    def on_change(self, callback: Callable[[], None]) -> None:
        """Nothing here ever changes."""

    def push_scancode(self, byte: int) -> None:
        """Drop a key."""

    def motion(self, dx: int, dy: int, dz: int, buttons: int) -> None:
        """Drop a motion."""

    def position(self, x: int, y: int, buttons: int, display_id: int) -> None:
        """Drop a position."""

    def buttons(self, buttons: int) -> None:
        """Drop a click."""

    def set_displays(self, displays: Mapping[int, Rect]) -> None:
        """Drop where displays are."""

    def release_all(self) -> None:
        """Nothing is ever down."""
