"""A QXL device whose drawing is recorded on its way to the worker.

It stands between a device and its worker and looks like the device, so that neither
knows::

    worker = DisplayWorker(DeviceRecorder(device, sink))

The guest never waits for a record: if more is drawn than can be written, recording ends.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final, Protocol

from spice_common.record import DeviceMessage, Record, RecordFullError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from _typeshed import ReadableBuffer

    from spice_common.command_batch import CommandBatch
    from spice_common.cursor_command import CursorCommand
    from vd_interfaces.qxl import (
        MonitorsConfig,
        PrimarySurface,
        QXLInterface,
        QXLWorker,
        Rect,
    )

__all__ = ["DeviceRecorder", "RecordSink"]

MAX_SIZE: Final = 256 << 20
"""Bytes of one batch as text: a picture of 8192 x 4320 pixels, and as much again."""
PIECE_SIZE: Final = 1 << 20
"""Bytes that are passed on while the guest goes on drawing."""

_log = logging.getLogger(__name__)


class RecordSink(Protocol):
    """Who writes a record somewhere; any thread."""

    def put(self, data: ReadableBuffer) -> bool:
        """Take the next bytes, without waiting; False: nothing is written any more."""


class DeviceRecorder:
    """The :class:`~vd_interfaces.qxl.QXLInterface` of another, recorded."""

    def __init__(
        self,
        device: QXLInterface,
        sink: RecordSink,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Record what *device* draws to *sink*; *clock* tells nanoseconds."""
        self._device = device
        self._sink = sink
        self._clock = clock
        self._record: Record | None = Record(MAX_SIZE)

    # ---- QXLInterface

    @property
    def id(self) -> int:
        """Number of the display."""
        return self._device.id

    def attach(self, worker: QXLWorker, loop: asyncio.AbstractEventLoop) -> None:
        """Record what the device asks of *worker* from now on."""
        self.message(DeviceMessage.START)
        self._device.attach(_RecordedWorker(worker, self), loop)

    def detach(self) -> None:
        """End the record."""
        self._device.detach()
        self.message(DeviceMessage.STOP)
        self._pass_on()

    def get_commands(self, batch: CommandBatch) -> int:
        """Refill *batch*, and record it."""
        taken = self._device.get_commands(batch)
        if self._record is not None and taken:
            self._append(self._record.batch, batch)
        if not taken:
            self._pass_on()
        return taken

    def release_commands(self, batch: CommandBatch) -> None:
        """Give the resources of *batch* back to the guest."""
        self._device.release_commands(batch)

    def get_cursor_command(self) -> CursorCommand | None:
        """Take one cursor command, and record it."""
        command = self._device.get_cursor_command()
        if self._record is not None and command is not None:
            self._append(self._record.cursor, command)
        return command

    def flush_resources(self) -> int:
        """Push the releases that are held back."""
        return self._device.flush_resources()

    def set_client_capabilities(self, present: bool, capabilities: bytes) -> None:  # noqa: FBT001 - as spice-qxl.h
        """Tell the guest what all display clients can do."""
        self._device.set_client_capabilities(present, capabilities)

    def client_monitors_config(self, config: MonitorsConfig | None) -> bool:
        """Ask the guest for a monitor layout; False if its driver cannot."""
        return self._device.client_monitors_config(config)

    # ---- for the worker's stand-in

    def message(self, kind: DeviceMessage) -> None:
        """Record what the device asks of its worker."""
        if self._record is not None:
            self._append(self._record.message, kind)

    def create_primary(self, surface: PrimarySurface) -> None:
        """Record a new primary surface."""
        if self._record is not None:
            self._append(
                self._record.create_primary,
                (surface.width, surface.height),
                surface.stride,
                surface.format,
                surface.flags,
                surface.memory,
            )

    # ---- the record

    def _append(self, append: Callable[..., None], *what: object) -> None:
        """Record something, and the time."""
        assert self._record is not None
        try:
            append(*what, self._clock())
        except RecordFullError as error:
            _log.error("display %d: the record ends here: %s", self.id, error)
            self._pass_on()
            self._record = None
        else:
            if self._record.size >= PIECE_SIZE:
                self._pass_on()

    def _pass_on(self) -> None:
        if self._record is None or not self._record.size:
            return
        if not self._sink.put(self._record.take()):
            self._record = None


class _RecordedWorker:
    """The :class:`~vd_interfaces.qxl.QXLWorker` that the device knows.

    What ends a surface comes after what was drawn on it, also in the record: so the
    worker finishes drawing first, which it would do anyway.
    """

    def __init__(self, worker: QXLWorker, recorder: DeviceRecorder) -> None:
        self._worker = worker
        self._recorder = recorder
        self.wakeup = worker.wakeup  # at every doorbell, and not recorded

    def oom(self) -> None:
        self._recorder.message(DeviceMessage.OOM)
        self._worker.oom()

    def create_primary_surface(self, surface: PrimarySurface) -> None:
        self._worker.flush_surfaces()
        self._recorder.create_primary(surface)
        self._worker.create_primary_surface(surface)

    def destroy_primary_surface(self) -> None:
        self._worker.flush_surfaces()
        self._recorder.message(DeviceMessage.DESTROY_PRIMARY)
        self._worker.destroy_primary_surface()

    def destroy_surface(self, surface_id: int) -> None:
        self._worker.flush_surfaces()
        self._recorder.message(DeviceMessage.DESTROY_SURFACE_WAIT)
        self._worker.destroy_surface(surface_id)

    def destroy_surfaces(self) -> None:
        self._worker.flush_surfaces()
        self._recorder.message(DeviceMessage.DESTROY_SURFACES)
        self._worker.destroy_surfaces()

    def flush_surfaces(self) -> None:
        self._recorder.message(DeviceMessage.FLUSH_SURFACES)
        self._worker.flush_surfaces()

    def update_area(self, surface_id: int, area: Rect) -> None:
        self._recorder.message(DeviceMessage.UPDATE)
        self._worker.update_area(surface_id, area)

    def reset_cursor(self) -> None:
        self._recorder.message(DeviceMessage.RESET_CURSOR)
        self._worker.reset_cursor()

    def reset_image_cache(self) -> None:
        self._recorder.message(DeviceMessage.RESET_IMAGE_CACHE)
        self._worker.reset_image_cache()

    def monitors_config(self, config: MonitorsConfig) -> None:
        self._recorder.message(DeviceMessage.MONITORS_CONFIG)
        self._worker.monitors_config(config)
