"""What a guest draws, as the text of a "SPICE_REPLAY 1" file.

Events are collected in a buffer that the owner takes and writes somewhere::

    record = Record(max_size=64 << 20)
    record.message(DeviceMessage.START, now)
    record.batch(batch, now)
    file.write(record.take())

Times are nanoseconds of ``CLOCK_MONOTONIC``.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

from spice_common._c import ffi, lib
from spice_common.errors import CoreError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from spice_common.command_batch import CommandBatch
    from spice_common.cursor_command import CursorCommand

__all__ = ["DeviceMessage", "Record", "RecordFullError"]


class RecordFullError(CoreError):
    """More waits to be written than there may be."""


class DeviceMessage(enum.IntEnum):
    """What a device asks of its worker (RedWorkerMessage of spice-server)."""

    UPDATE = lib.RECORD_UPDATE
    OOM = lib.RECORD_OOM
    START = lib.RECORD_START
    STOP = lib.RECORD_STOP
    DESTROY_SURFACES = lib.RECORD_DESTROY_SURFACES
    DESTROY_PRIMARY = lib.RECORD_DESTROY_PRIMARY
    RESET_CURSOR = lib.RECORD_RESET_CURSOR
    RESET_IMAGE_CACHE = lib.RECORD_RESET_IMAGE_CACHE
    DESTROY_SURFACE_WAIT = lib.RECORD_DESTROY_SURFACE_WAIT
    FLUSH_SURFACES = lib.RECORD_FLUSH_SURFACES
    MONITORS_CONFIG = lib.RECORD_MONITORS_CONFIG


class Record:
    """The record of one display, from its beginning."""

    def __init__(self, max_size: int) -> None:
        """Make a record of which at most *max_size* bytes wait to be taken.

        Raises:
            MemoryError: there is no memory for it.

        """
        record = lib.record_new(max_size)
        if not record:
            raise MemoryError
        self._record: Any = ffi.gc(record, lib.record_free)
        self._size: Any = ffi.new("uint64_t *")

    def batch(self, batch: CommandBatch, now: int) -> None:
        """Append the good commands of *batch*; their pixels are read from the guest.

        Raises:
            RecordFullError: there was no room for the last of them.

        """
        self._check(lib.record_batch(self._record, batch.cdata, now))

    def cursor(self, command: CursorCommand, now: int) -> None:
        """Append a command of the cursor ring.

        Raises:
            RecordFullError: there is no room for it.

        """
        told = ffi.new("struct cursor_command *")
        self._check(lib.record_cursor(self._record, _fill(told, command), now))

    def message(self, kind: DeviceMessage, now: int) -> None:
        """Append what the device asks of its worker.

        Raises:
            RecordFullError: there is no room for it.

        """
        self._check(lib.record_message(self._record, kind, now))

    def create_primary(
        self,
        size: tuple[int, int],
        stride: int,
        surface_format: int,
        flags: int,
        memory: ReadableBuffer,
        now: int,
    ) -> None:
        """Append the making of the primary surface, with what *memory* shows.

        Raises:
            RecordFullError: there is no room for it.

        """
        surface: Any = ffi.new("struct record_surface *")
        with ffi.from_buffer("uint8_t[]", memory) as data:
            surface.width, surface.height = size
            surface.stride = stride
            surface.format = surface_format
            surface.flags = flags
            surface.data = data
            surface.size = len(data)
            self._check(lib.record_create_primary(self._record, surface, now))

    @property
    def size(self) -> int:
        """Bytes that wait to be taken."""
        return lib.record_size(self._record)

    def take(self) -> ReadableBuffer:
        """Take the bytes that wait, whole events; not copied."""
        data = lib.record_take(self._record, self._size)
        if not data:
            return b""
        owned = ffi.gc(data, lib.record_free_data, self._size[0])
        return ffi.buffer(owned, self._size[0])

    @staticmethod
    def _check(status: int) -> None:
        if status:
            raise RecordFullError("more is drawn than can be written")


def _fill(told: Any, command: CursorCommand) -> Any:  # noqa: ANN401 - cffi's
    """Give *told* the values of *command*."""
    told.type = command.type
    told.x, told.y = command.x, command.y
    told.visible = command.visible
    told.trail_length = command.trail_length
    told.trail_frequency = command.trail_frequency
    shape = command.shape
    if shape is not None:
        told.unique = shape.unique
        told.shape_type = shape.type
        told.width, told.height = shape.width, shape.height
        told.hot_spot_x, told.hot_spot_y = shape.hot_spot_x, shape.hot_spot_y
        told.data_size = len(shape.data)
        # from_buffer keeps the bytes; the pointer is used within the call only.
        told.data = ffi.from_buffer("uint8_t[]", shape.data)
    return told
