"""What a display channel is to each of its clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from spice_common.display_message import DisplayRun
    from spice_common.pending import Pending
    from spice_server.display.client_caches import Pictures
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

    @property
    def id(self) -> int:
        """Number of the display."""

    @property
    def pictures(self) -> Pictures:
        """How pictures shall be made."""

    def client_ready(self) -> None:
        """Note a client that begins to show pictures."""

    def client_gone(self, pending: Pending) -> None:
        """Note that a client is gone, and what was done for it."""

    def make_messages(
        self, pending: Pending, max_bytes: int, *, whole: bool, exact: bool
    ) -> tuple[bool, DisplayRun]:
        """Make messages of what is pending; whether there is more, and the run."""
