"""An input sink that remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vd_interfaces.qxl import Rect


class RecordingSink:
    """Implements ``vd_interfaces.input.InputSink``."""

    def __init__(self, *, has_tablet: bool = True, leds: int = 0) -> None:
        self.has_tablet = has_tablet
        self.leds = leds
        self.calls: list[tuple[Any, ...]] = []
        self._observers: list[Callable[[], None]] = []

    def on_change(self, callback: Callable[[], None]) -> None:
        self._observers.append(callback)

    def change(self, **attributes: Any) -> None:
        """Set attributes as a guest would, and tell of it."""
        for name, value in attributes.items():
            setattr(self, name, value)
        for callback in self._observers:
            callback()

    def push_scancode(self, byte: int) -> None:
        self.calls.append(("scancode", byte))

    def motion(self, dx: int, dy: int, dz: int, buttons: int) -> None:
        self.calls.append(("motion", dx, dy, dz, buttons))

    def position(self, x: int, y: int, buttons: int, display_id: int) -> None:
        self.calls.append(("position", x, y, buttons, display_id))

    def buttons(self, buttons: int) -> None:
        self.calls.append(("buttons", buttons))

    def set_displays(self, displays: Mapping[int, Rect]) -> None:
        self.calls.append(("displays", dict(displays)))

    def release_all(self) -> None:
        self.calls.append(("release_all",))

    @property
    def scancodes(self) -> bytes:
        """All bytes of scancode so far."""
        return bytes(c[1] for c in self.calls if c[0] == "scancode")
