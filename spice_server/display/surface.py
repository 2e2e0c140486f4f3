"""The surfaces of a display and the batch of commands being drawn on them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from spice_common.canvas import Canvas, Surface
from spice_common.display_message import (
    BatchPosition,
    DamageMap,
    DisplayMessages,
    draw_batch,
)
from spice_common.region import Box
from spice_protocol.qxl_dev import QXL_SURF_FLAG_KEEP_DATA, QxlDrawType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spice_common.command_batch import CommandBatch
    from spice_common.display_message import DisplayRun
    from vd_interfaces.qxl import PrimarySurface

__all__ = ["PRIMARY", "STEP_SIZE", "Surfaces"]

PRIMARY: Final = 0
"""Id of the primary surface."""

STEP_SIZE: Final = 2 * 1024 * 1024
"""Bytes drawn and marshalled before others get their turn: about a millisecond."""

_log = logging.getLogger(__name__)


class Surfaces:
    """Draws batches step by step, and makes the messages that clients need.

    What is returned as a :class:`DisplayRun` goes to all clients that are up to date.
    """

    def __init__(self, display_id: int) -> None:
        self.canvas = Canvas()
        self._display_id = display_id
        self._messages = DisplayMessages()
        self._batch: CommandBatch | None = None
        self._position = BatchPosition()
        self._not_drawn = 0
        self._next_report = 1

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

    def draw(self, *, messages: bool, damage: bool) -> DisplayRun | None:
        """Draw a step of the batch.

        Args:
            messages: some client is up to date and wants to be told.
            damage: some client is behind and wants to know what changed.

        """
        assert self._batch is not None
        if messages or damage:
            more = self._messages.draw(
                self.canvas,
                self._batch,
                self._position,
                max_bytes=STEP_SIZE,
                damage_only=not messages,
            )
            run = self._messages.take()
        else:
            more = draw_batch(
                self.canvas, self._batch, self._position, max_bytes=STEP_SIZE
            )
            run = None
        if not more:
            self._batch = None
        return run

    def abandon(self) -> DisplayRun:
        """Give the batch up; what is returned has clients refreshed."""
        self._batch = None
        run = self._messages.take()
        run.complete = False
        return run

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

    def serials(self) -> dict[int, int]:
        """Return the serial of every surface there is, by id."""
        found = map(self.canvas.surface, self.canvas.surface_ids())
        return {surface.id: surface.serial for surface in found if surface is not None}

    def create_primary(self, primary: PrimarySurface) -> DisplayRun:
        """Let guest memory be surface 0 and return what tells of it.

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
        return self._describe(PRIMARY, black=not keep)

    def destroy(self, surface_id: int) -> DisplayRun | None:
        """Forget a surface and return what tells of it; ``None``: there was none."""
        if self.canvas.surface(surface_id) is None:
            return None
        self.canvas.destroy_surface(surface_id)
        self._messages.destroy_surface(surface_id)
        run = self._messages.take()
        run.events = ((surface_id, 0),)
        return run

    # -- messages --------------------------------------------------------------

    def _describe(self, surface_id: int, *, black: bool) -> DisplayRun:
        """Return what tells of a new surface; it is incomplete if it is not *black*."""
        surface = self.canvas.surface(surface_id)
        assert surface is not None  # just made
        self._messages.create_surface(self.canvas, surface_id)
        run = self._messages.take()
        run.events = ((surface_id, surface.serial),)
        run.complete = black
        return run

    def damage_all(self, damage: DamageMap, surface_id: int) -> None:
        """Note that a client has seen nothing of a surface."""
        surface = self.canvas.surface(surface_id)
        if surface is not None:
            damage.add_box(surface_id, Box(0, 0, surface.width, surface.height))

    def reconcile(self, known: Mapping[int, int], damage: DamageMap) -> DisplayRun:
        """Bring a client that knows surfaces *known* (id: serial) to those there are.

        *damage* forgets surfaces that are gone and gains new ones as a whole.
        """
        serials = self.serials()
        gone = [i for i, serial in known.items() if serials.get(i) != serial]
        new = [i for i, serial in serials.items() if known.get(i) != serial]
        for surface_id in gone:
            self._messages.destroy_surface(surface_id)
            damage.forget(surface_id)
        for surface_id in new:
            self._messages.create_surface(self.canvas, surface_id)
            self.damage_all(damage, surface_id)
        run = self._messages.take()
        run.events = tuple((i, 0) for i in gone) + tuple((i, serials[i]) for i in new)
        return run

    def refresh(
        self, damage: DamageMap, max_bytes: int, max_message: int
    ) -> DisplayRun:
        """Take about *max_bytes* of damage and return the pixels that repair it."""
        self._messages.refresh(
            self.canvas, damage, max_bytes=max_bytes, max_message=max_message
        )
        return self._messages.take()
