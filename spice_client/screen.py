"""What a monitor shows: a part of a surface (MONITORS_CONFIG)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spice_common.region import Box

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spice_client.picture import Picture
    from spice_client.surface import Surface
    from spice_common.client_canvas import CanvasSurface
    from spice_protocol.messages.display import SpiceHead

__all__ = ["Screen", "screens_of"]


@dataclass(slots=True)
class Screen:
    """One monitor."""

    monitor_id: int
    box: Box
    """On its surface."""
    surface: Surface

    def picture(self) -> Picture:
        """Return what it shows.

        Raises:
            UnsupportedError: its surface is gone.

        """
        return self.surface.picture(self.box)


def screens_of(
    heads: Iterable[SpiceHead],
    surfaces: Mapping[int, Surface],
    primary: CanvasSurface | None,
) -> list[Screen]:
    """Return the monitors that show something; without any, one for all of *primary*."""
    screens = [
        Screen(
            head.monitor_id,
            Box(head.x, head.y, head.x + head.width, head.y + head.height),
            surfaces[head.surface_id],
        )
        for head in heads
        if head.surface_id in surfaces and head.width and head.height
    ]
    if not screens and primary is not None:
        whole = Box(0, 0, primary.width, primary.height)
        screens.append(Screen(0, whole, surfaces[primary.id]))
    return screens
