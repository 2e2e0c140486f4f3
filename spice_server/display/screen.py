"""What a display channel is to each of its clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from spice_server.display.surface import Surfaces
    from vd_interfaces.qxl import MonitorsConfig

__all__ = ["Screen"]


class Screen(Protocol):
    """The state that clients show, and who wants to know how they get on."""

    @property
    def surfaces(self) -> Surfaces:
        """The surfaces of the display."""

    @property
    def monitors(self) -> MonitorsConfig | None:
        """How the heads lie, as the guest told."""

    def client_ready(self) -> None:
        """Note a client that begins to show pictures."""

    def client_fell_behind(self, dropped: int) -> None:
        """Note a client that was too slow, and *dropped* bytes for it."""

    def client_refreshed(self, size: int) -> None:
        """Note *size* bytes made from the surfaces for one client."""
