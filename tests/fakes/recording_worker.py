"""A display worker that only writes down what the device asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vd_interfaces.qxl import MonitorsConfig, PrimarySurface, Rect


class RecordingWorker:
    """A QXLWorker; ``calls`` holds (method, arguments...) in order."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def names(self) -> list[str]:
        """The methods called, in order."""
        return [call[0] for call in self.calls]

    def take(self) -> list[tuple[Any, ...]]:
        """Return the calls so far and forget them."""
        calls, self.calls = self.calls, []
        return calls

    def wakeup(self) -> None:
        self.calls.append(("wakeup",))

    def oom(self) -> None:
        self.calls.append(("oom",))

    def create_primary_surface(self, surface: PrimarySurface) -> None:
        self.calls.append(("create_primary_surface", surface))

    def destroy_primary_surface(self) -> None:
        self.calls.append(("destroy_primary_surface",))

    def destroy_surface(self, surface_id: int) -> None:
        self.calls.append(("destroy_surface", surface_id))

    def destroy_surfaces(self) -> None:
        self.calls.append(("destroy_surfaces",))

    def flush_surfaces(self) -> None:
        self.calls.append(("flush_surfaces",))

    def update_area(self, surface_id: int, area: Rect) -> None:
        self.calls.append(("update_area", surface_id, area))

    def reset_cursor(self) -> None:
        self.calls.append(("reset_cursor",))

    def reset_image_cache(self) -> None:
        self.calls.append(("reset_image_cache",))

    def monitors_config(self, config: MonitorsConfig) -> None:
        self.calls.append(("monitors_config", config))
