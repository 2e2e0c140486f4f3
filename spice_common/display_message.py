"""Drawing batches and the messages that tell clients of it.

::

    messages = DisplayMessages()
    position = BatchPosition()
    more = True
    while more:
        more = messages.draw(canvas, batch, position, max_bytes=4 << 20)
        run = messages.take()
        ...  # run.data goes to every client that is not behind
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spice_common._c import ffi, lib

if TYPE_CHECKING:
    from spice_common.canvas import Canvas
    from spice_common.command_batch import CommandBatch
    from spice_common.region import Box

__all__ = [
    "MAX_DRAW_MESSAGE_SIZE",
    "BatchPosition",
    "DamageMap",
    "DisplayMessages",
    "DisplayRun",
    "draw_batch",
]

MAX_DRAW_MESSAGE_SIZE: Final = lib.MAX_DRAW_MESSAGE_SIZE
"""Bytes of pixels in a message of a run, unless a single row is longer."""

_EMPTY: Final = memoryview(b"")


class BatchPosition:
    """How far a batch was drawn."""

    __slots__ = ("cdata",)

    def __init__(self) -> None:
        self.cdata: Any = ffi.new("struct batch_position *")
        """``struct batch_position *``."""


@dataclass(slots=True)
class DisplayRun:
    """What drawing a part of a batch means to clients; immutable."""

    data: memoryview
    """Messages with mini headers, one behind the other."""
    starts: array[int]
    """Where each message's header starts in *data*."""
    damage: bytes
    """What changed, as :meth:`DamageMap.add` takes it."""
    events: tuple[tuple[int, int], ...]
    """Surfaces that came (id, serial) or went (id, 0), in order."""
    complete: bool
    """False: memory was short, clients must be refreshed from the surfaces."""

    def __bool__(self) -> bool:
        return bool(self.starts or self.damage or self.events or not self.complete)


class DamageMap:
    """What a client has not seen of each surface."""

    def __init__(self) -> None:
        damage = lib.damage_map_new()
        if not damage:
            raise MemoryError
        self.cdata: Any = ffi.gc(damage, lib.damage_map_free)
        """``struct damage_map *``."""

    def add(self, damage: bytes) -> None:
        """Add the damage of a :class:`DisplayRun`.

        Raises:
            MemoryError: there is no memory to remember it.

        """
        with ffi.from_buffer("struct damage[]", damage) as rects:
            if lib.damage_map_add(self.cdata, rects, len(rects)):
                raise MemoryError

    def add_box(self, surface_id: int, box: Box) -> None:
        """Add one rectangle of a surface."""
        if lib.damage_map_add(
            self.cdata, ffi.new("struct damage *", (surface_id, *box)), 1
        ):
            raise MemoryError

    def forget(self, surface_id: int) -> None:
        """Nothing of a surface is damaged: it is gone."""
        lib.damage_map_forget(self.cdata, surface_id)

    def clear(self) -> None:
        """Nothing is damaged."""
        lib.damage_map_clear(self.cdata)

    def __bool__(self) -> bool:
        return not lib.damage_map_empty(self.cdata)


class DisplayMessages:
    """Makes runs of messages; its memory is used again and again."""

    def __init__(self) -> None:
        messages = lib.display_messages_new()
        if not messages:
            raise MemoryError
        self._messages: Any = ffi.gc(messages, lib.display_messages_free)

    @property
    def size(self) -> int:
        """Bytes of messages not taken yet."""
        size: int = self._messages.size
        return size

    def draw(
        self,
        canvas: Canvas,
        batch: CommandBatch,
        position: BatchPosition,
        *,
        max_bytes: int,
        damage_only: bool = False,
    ) -> bool:
        """Draw *batch* from *position* on, and append the messages.

        Args:
            canvas: its surfaces change.
            batch: what to draw.
            position: moves on.
            max_bytes: about how many bytes to write before returning.
            damage_only: no client wants the messages, but some need the damage.

        Returns:
            Whether there is more of the batch to draw.

        """
        self._messages.damage_only = damage_only
        more = lib.display_draw_batch(
            canvas.cdata, batch.cdata, position.cdata, self._messages, max_bytes
        )
        _keep_mapped(canvas, batch)
        return bool(more)

    def refresh(
        self,
        canvas: Canvas,
        damage: DamageMap,
        *,
        max_bytes: int,
        max_message: int = MAX_DRAW_MESSAGE_SIZE,
    ) -> bool:
        """Append what *damage* names as it looks now and take it out of the map.

        Args:
            canvas: where the pixels are.
            damage: what to repair.
            max_bytes: about how many bytes to write before returning.
            max_message: bytes of pixels in one message, unless a row is longer.

        Returns:
            Whether *damage* names more: about *max_bytes* were written.

        """
        self._messages.damage_only = False
        return bool(
            lib.display_refresh(
                canvas.cdata, damage.cdata, self._messages, max_message, max_bytes
            )
        )

    def create_surface(self, canvas: Canvas, surface_id: int) -> None:
        """Append SURFACE_CREATE for a surface there is."""
        self._messages.damage_only = False
        if lib.display_surface_create_message(self._messages, canvas.cdata, surface_id):
            raise MemoryError

    def destroy_surface(self, surface_id: int) -> None:
        """Append SURFACE_DESTROY."""
        self._messages.damage_only = False
        if lib.display_surface_destroy_message(self._messages, surface_id):
            raise MemoryError

    def take(self) -> DisplayRun:
        """Return the run and begin another one."""
        messages = self._messages
        size = messages.size
        data = _EMPTY
        complete = not messages.out_of_memory
        if size:
            pointer: Any = lib.display_messages_take_data(messages)
            if pointer:
                owned = ffi.gc(pointer, lib.display_messages_free_data, size)
                data = memoryview(ffi.buffer(owned, size)).toreadonly()
            else:
                complete = False
        starts = array("I")
        if data:
            starts.frombytes(ffi.buffer(messages.starts, 4 * messages.num_messages))
        damage = messages.damage[0 : messages.num_damage]
        events = messages.events[0 : messages.num_events]
        run = DisplayRun(
            data=data,
            starts=starts,
            damage=bytes(ffi.buffer(damage)) if messages.num_damage else b"",
            events=tuple((event.surface_id, event.serial) for event in events),
            complete=complete,
        )
        lib.display_messages_clear(messages)
        return run


def draw_batch(
    canvas: Canvas, batch: CommandBatch, position: BatchPosition, *, max_bytes: int
) -> bool:
    """Draw as :meth:`DisplayMessages.draw` does while nobody is looking."""
    more = lib.display_draw_batch(
        canvas.cdata, batch.cdata, position.cdata, ffi.NULL, max_bytes
    )
    _keep_mapped(canvas, batch)
    return bool(more)


def _keep_mapped(canvas: Canvas, batch: CommandBatch) -> None:
    count = batch.cdata.num_surface_commands
    if count:
        commands = batch.cdata.surface_commands[0:count]
        canvas.keep_mapped({c.surface_id for c in commands}, batch.buffers)
