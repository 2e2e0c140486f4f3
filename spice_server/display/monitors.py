"""What clients are told of a display's heads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spice_protocol.messages.display import SpiceHead, SpiceMsgDisplayMonitorsConfig
from spice_server.display.surface import PRIMARY

if TYPE_CHECKING:
    from vd_interfaces.qxl import Head, MonitorsConfig

__all__ = ["monitors_message"]


def monitors_message(
    config: MonitorsConfig, width: int, height: int
) -> SpiceMsgDisplayMonitorsConfig:
    """Return MONITORS_CONFIG for a primary surface of *width* x *height*.

    The guest may say what it likes: a head that is not on the surface or has the id of
    another is left out, and what leaves the surface is cut off.  If none remains the
    whole surface is one head, so that there is something to show.
    """
    heads: dict[int, SpiceHead] = {}
    for head in config.heads:
        shown = _shown(head, width, height)
        if shown.width > 0 and shown.height > 0:
            heads.setdefault(shown.monitor_id, shown)
    if not heads:
        heads[0] = SpiceHead(0, PRIMARY, width, height, 0, 0, 0)
    return SpiceMsgDisplayMonitorsConfig(
        max_allowed=max(config.max_allowed, len(heads)), heads=list(heads.values())
    )


def _shown(head: Head, width: int, height: int) -> SpiceHead:
    """Cut *head* to the primary surface; one on another surface has no size."""
    on_primary = head.surface_id == PRIMARY
    return SpiceHead(
        monitor_id=head.id,
        surface_id=PRIMARY,
        width=max(min(head.width, width - head.x), 0) * on_primary,
        height=max(min(head.height, height - head.y), 0) * on_primary,
        x=head.x,
        y=head.y,
        flags=head.flags,
    )
