"""Commands of the guest's cursor ring, copied out of its memory one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spice_common._c import ffi, lib
from spice_common.command_batch import take_error_counts
from spice_common.ipc_ring import checked

if TYPE_CHECKING:
    from spice_common.ipc_ring import Consumer
    from spice_common.memslot import MemslotTable
    from spice_common.release_ring import ReleaseRing

__all__ = ["CursorCommand", "CursorReader", "CursorShape"]


@dataclass(slots=True)
class CursorShape:
    """A pointer's picture: a checked QXLCursor."""

    unique: int
    """Cache key the guest gave, 0 if it must not be cached."""
    type: int
    """``SPICE_CURSOR_TYPE_*``."""
    width: int
    height: int
    hot_spot_x: int
    hot_spot_y: int
    data: bytes
    """Exactly the bytes that type and size ask for."""


@dataclass(slots=True)
class CursorCommand:
    """A checked QXLCursorCmd."""

    type: int
    """``QXL_CURSOR_SET``, ``_MOVE``, ``_HIDE`` or ``_TRAIL``."""
    x: int = 0
    y: int = 0
    visible: bool = False
    shape: CursorShape | None = None
    trail_length: int = 0
    trail_frequency: int = 0


class CursorReader:
    """Takes commands from a cursor ring."""

    def __init__(self) -> None:
        """Make a reader.

        Raises:
            MemoryError: there is no memory for it.

        """
        reader = lib.cursor_reader_new()
        if not reader:
            raise MemoryError
        self._reader: Any = ffi.gc(reader, lib.cursor_reader_free)

    def pop(
        self, ring: Consumer, slots: MemslotTable, release_ring: ReleaseRing
    ) -> CursorCommand | None:
        """Take one good command; its resource is given back at once.

        :attr:`notify` and :attr:`release_notify` tell which interrupts to raise, also
        when nothing was returned.

        Returns:
            ``None``: the ring is empty and the guest has been asked to notify.

        Raises:
            RingBrokenError: the guest broke the cursor ring.

        """
        found = lib.cursor_reader_pop(
            self._reader,
            ring.cdata,
            slots.cdata,
            release_ring.cdata,
            release_ring.bunch,
        )
        return self._command() if checked(found) else None

    @property
    def notify(self) -> bool:
        """The last call made room the guest waits for: ``QXL_INTERRUPT_CURSOR``."""
        return bool(self._reader.notify)

    @property
    def release_notify(self) -> bool:
        """The last call pushed resources: raise ``QXL_INTERRUPT_DISPLAY``."""
        result: int = self._reader.release_result
        return result > 0 and bool(result & lib.RELEASE_NOTIFY)

    def take_errors(self) -> dict[str, int]:
        """Return how many commands were dropped since the last call, by reason."""
        return take_error_counts(self._reader.errors)

    def _command(self) -> CursorCommand:
        command = self._reader.command
        shape = None
        if command.data_size:
            shape = CursorShape(
                unique=command.unique,
                type=command.shape_type,
                width=command.width,
                height=command.height,
                hot_spot_x=command.hot_spot_x,
                hot_spot_y=command.hot_spot_y,
                data=bytes(ffi.buffer(command.data, command.data_size)),
            )
        return CursorCommand(
            type=command.type,
            x=command.x,
            y=command.y,
            visible=bool(command.visible),
            shape=shape,
            trail_length=command.trail_length,
            trail_frequency=command.trail_frequency,
        )
