"""Runs of display messages, made in C and sent as they are."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Any

from spice_common._c import ffi, lib

__all__ = ["DisplayMessages", "DisplayRun"]

_EMPTY = memoryview(b"")


@dataclass(slots=True)
class DisplayRun:
    """Messages for one client; immutable."""

    data: memoryview
    """Messages with mini headers, one behind the other."""
    starts: array[int]
    """Where each message's header starts in *data*."""
    complete: bool
    """False: memory was short and some message is missing."""


class DisplayMessages:
    """Where messages are made; its memory is used again and again."""

    def __init__(self) -> None:
        messages = lib.display_messages_new()
        if not messages:
            raise MemoryError
        self.cdata: Any = ffi.gc(messages, lib.display_messages_free)
        """``struct display_messages *``."""

    @property
    def size(self) -> int:
        """Bytes of messages not taken yet."""
        size: int = self.cdata.size
        return size

    def take(self) -> DisplayRun:
        """Return the run and begin another one."""
        messages = self.cdata
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
        lib.display_messages_clear(messages)
        return DisplayRun(data=data, starts=starts, complete=complete)
