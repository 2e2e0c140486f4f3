"""The border between a QXL device and the display worker that serves it.

A device and its worker live in one thread, the worker's: every method here is called
there and returns quickly.  Names follow spice-qxl.h (``QXLInterface`` is what a device
offers, ``QXLWorker`` what it may ask).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from spice_common.command_batch import CommandBatch
    from spice_common.cursor_command import CursorCommand

__all__ = [
    "Head",
    "MonitorsConfig",
    "PrimarySurface",
    "QXLInterface",
    "QXLWorker",
    "Rect",
]


@dataclass(slots=True)
class Rect:
    """A rectangle in pixels, right and bottom excluded (QXLRect's order)."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(slots=True)
class PrimarySurface:
    """The checked QXLSurfaceCreate of surface 0 and its memory."""

    width: int
    height: int
    stride: int
    """Bytes from one row to the next; negative: the rows go upwards."""
    format: int
    """``SPICE_SURFACE_FMT_*``."""
    flags: int
    memory: memoryview
    """Writable, ``abs(stride) * height`` bytes of guest memory."""


@dataclass(slots=True)
class Head:
    """One monitor's place on a surface (QXLHead)."""

    id: int
    surface_id: int
    width: int
    height: int
    x: int
    y: int
    flags: int = 0


@dataclass(slots=True)
class MonitorsConfig:
    """How heads lie on the primary surface (QXLMonitorsConfig)."""

    heads: Sequence[Head]
    max_allowed: int


class QXLWorker(Protocol):
    """What a display worker does for the device it is attached to."""

    def wakeup(self) -> None:
        """Take what the command and cursor rings hold, soon."""

    def oom(self) -> None:
        """Take and release as much as possible: the guest is out of memory."""

    def create_primary_surface(self, surface: PrimarySurface) -> None:
        """Show *surface* as surface 0; an older one is destroyed first."""

    def destroy_primary_surface(self) -> None:
        """Forget surface 0 and the cursor; its memory is not touched afterwards."""

    def destroy_surface(self, surface_id: int) -> None:
        """Finish what draws on or from a surface and forget it."""

    def destroy_surfaces(self) -> None:
        """Finish all drawing and forget every surface, the primary one too."""

    def flush_surfaces(self) -> None:
        """Finish all drawing: guest memory holds every surface's last state."""

    def update_area(self, surface_id: int, area: Rect) -> None:
        """Finish what draws on *area* of a surface."""

    def reset_cursor(self) -> None:
        """Forget the cursor."""

    def reset_image_cache(self) -> None:
        """Forget every cached image."""

    def monitors_config(self, config: MonitorsConfig) -> None:
        """Tell clients how the heads lie."""


class QXLInterface(Protocol):
    """What a QXL device offers to the display worker."""

    @property
    def id(self) -> int:
        """Number of the display, also the id of its channels."""

    def attach(self, worker: QXLWorker, loop: asyncio.AbstractEventLoop) -> None:
        """Watch the guest's doorbells on *loop* and serve *worker* from now on."""

    def detach(self) -> None:
        """Stop watching; the worker is not called any more."""

    def get_commands(self, batch: CommandBatch) -> int:
        """Refill *batch* from the command ring; the number of commands taken.

        What the previous call put there must have been released.  0 means the ring
        was empty and the guest has been asked to notify.
        """

    def release_commands(self, batch: CommandBatch) -> None:
        """Give the resources of every command in *batch* back to the guest."""

    def get_cursor_command(self) -> CursorCommand | None:
        """Take one cursor command; ``None``: empty, notification was asked for."""

    def flush_resources(self) -> int:
        """Push releases that are still held back; how many."""

    def set_client_capabilities(self, present: bool, capabilities: bytes) -> None:  # noqa: FBT001 - as spice-qxl.h
        """Tell the guest what all display clients can do (58 bytes of QXLRom)."""

    def client_monitors_config(self, config: MonitorsConfig | None) -> bool:
        """Ask the guest for a monitor layout; False if its driver cannot.

        ``None`` only asks whether it could.
        """
