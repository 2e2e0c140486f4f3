"""The surfaces of a display, the batch being drawn on them, and who has to be told."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from spice_common.canvas import Canvas, Surface
from spice_common.client_images import ImageShare
from spice_common.display_message import DisplayMessages
from spice_common.pending import BatchPosition, Pending, draw_batch
from spice_protocol.qxl_dev import QXL_SURF_FLAG_KEEP_DATA, QxlDrawType

if TYPE_CHECKING:
    from spice_common.command_batch import CommandBatch
    from vd_interfaces.qxl import PrimarySurface

__all__ = ["PRIMARY", "STEP_SIZE", "Surfaces"]

PRIMARY: Final = 0
"""Id of the primary surface."""

STEP_SIZE: Final = 2 * 1024 * 1024
"""Bytes drawn before others get their turn: about a millisecond."""

_log = logging.getLogger(__name__)


class Surfaces:
    """Draws batches step by step, and notes for each client what it has to be told."""

    def __init__(self, display_id: int) -> None:
        self.canvas = Canvas()
        self.clients: list[Pending] = []
        """What each client has still to be told."""
        self._images = ImageShare()
        self._display_id = display_id
        self._scratch = DisplayMessages()
        self._batch: CommandBatch | None = None
        self._position = BatchPosition()
        self._not_drawn = 0
        self._next_report = 1

    # -- clients ---------------------------------------------------------------

    def add_client(self) -> Pending:
        """Begin to note for a client that knows nothing yet."""
        pending = Pending(self.canvas)
        self.clients.append(pending)
        self._share_images()
        return pending

    def remove_client(self, pending: Pending) -> None:
        """Note nothing any more for a client that is gone."""
        self.clients.remove(pending)
        self._share_images()

    def _share_images(self) -> None:
        """Encode once what several clients get; one alone has nobody to share with."""
        several = len(self.clients) > 1
        for pending in self.clients:
            pending.share(self._images if several else None)

    # -- batches ---------------------------------------------------------------

    @property
    def drawing(self) -> bool:
        """Whether a batch is not drawn to its end."""
        return self._batch is not None

    def begin(self, batch: CommandBatch) -> None:
        """Draw *batch* from now on; the one before is drawn to its end."""
        assert self._batch is None
        self._batch = batch
        self._position = BatchPosition()

    def draw(self) -> None:
        """Draw a step of the batch."""
        assert self._batch is not None
        if not draw_batch(
            self.canvas,
            self._batch,
            self._position,
            self.clients,
            self._scratch,
            max_bytes=STEP_SIZE,
        ):
            self._batch = None

    def abandon(self) -> None:
        """Give the batch up; clients are told everything anew."""
        self._batch = None
        for pending in self.clients:
            pending.damage_all()

    def close(self) -> None:
        """Touch guest memory no more: the device is gone."""
        self._batch = None
        for surface_id in self.canvas.surface_ids():
            self.canvas.destroy_surface(surface_id)

    def report(self) -> None:
        """Log what was not drawn, at each doubling of the count."""
        count = self.canvas.not_drawn
        if count < self._next_report:
            return
        self._next_report = 2 * count
        counters = self.canvas.counters()
        types = ", ".join(
            f"{n} x {QxlDrawType(kind).name}"
            for kind, n in counters.unsupported.items()
        )
        _log.warning(
            "display %d: %d commands were not drawn: %d rejected; unsupported: %s",
            self._display_id,
            count,
            counters.rejected,
            types or "none",
        )

    # -- surfaces --------------------------------------------------------------

    @property
    def primary(self) -> Surface | None:
        """The primary surface, if there is one."""
        return self.canvas.surface(PRIMARY)

    def create_primary(self, primary: PrimarySurface) -> None:
        """Let guest memory be surface 0.

        Raises:
            SurfaceError: there cannot be such a surface.

        """
        surface = Surface(
            id=PRIMARY,
            width=primary.width,
            height=primary.height,
            format=primary.format,
            stride=primary.stride,
            serial=0,
        )
        keep = primary.flags & QXL_SURF_FLAG_KEEP_DATA
        self.canvas.create_surface(surface, primary.memory, clear=not keep)
        for pending in self.clients:
            pending.surface_created(PRIMARY, black=not keep)

    def destroy(self, surface_id: int) -> bool:
        """Forget a surface; False: there was none."""
        if self.canvas.surface(surface_id) is None:
            return False
        for pending in self.clients:
            pending.surface_destroyed(surface_id)
        self.canvas.destroy_surface(surface_id)
        return True
