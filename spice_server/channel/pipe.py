"""What waits to be sent to one client.

Items hold references to immutable buffers, so what several clients wait for exists
once.  An item may be taken in parts, always of whole messages: what is left of it can
still be dropped without breaking the stream.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from spice_server.channel.framing import MINI_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from spice_server.channel.framing import MessageWriter

__all__ = ["Buffer", "Message", "MessageRun", "Pipe", "PipeItem", "Taken"]

ITEM_COST = 256
"""Bytes an item takes beside its buffers: many empty messages are not for free."""

Buffer = bytes | memoryview
"""Immutable bytes; a memoryview has format ``B``."""


@dataclass(slots=True)
class Taken:
    """What an item gave: buffers to send in order."""

    buffers: list[Buffer]
    messages: int
    done: bool
    """Whether nothing of the item is left."""


class PipeItem(Protocol):
    """One or more messages waiting for one client."""

    @property
    def size(self) -> int:
        """Bytes that are still to be taken, without full headers."""

    def take(self, writer: MessageWriter, max_messages: int, max_bytes: int) -> Taken:
        """Take whole messages from the front: at least one, else within both bounds."""


class Message:
    """One message; its body may be in several buffers."""

    __slots__ = ("body", "size", "type")

    def __init__(self, kind: int, *body: Buffer) -> None:
        self.type = kind
        self.body = body
        self.size = sum(map(len, body))

    def take(self, writer: MessageWriter, max_messages: int, max_bytes: int) -> Taken:  # noqa: ARG002 - PipeItem's
        """Take the message, see :class:`PipeItem`."""
        header = writer.header(self.type, self.size)
        return Taken([header, *self.body], 1, done=True)


class MessageRun:
    """Many messages, one after the other in one buffer, each with a mini header.

    *offsets* says where each message's header starts, in ascending order; the last
    message ends with *data*.
    """

    __slots__ = ("_data", "_next", "_offsets")

    def __init__(self, data: Buffer, offsets: Sequence[int]) -> None:
        self._data = memoryview(data)
        self._offsets = offsets
        self._next = 0

    @property
    def size(self) -> int:
        """Bytes that are still to be taken."""
        return len(self._data) - self._start(self._next)

    def _start(self, index: int) -> int:
        """Return where message *index* starts; the one after the last: the end."""
        return self._offsets[index] if index < len(self._offsets) else len(self._data)

    def take(self, writer: MessageWriter, max_messages: int, max_bytes: int) -> Taken:
        """Take messages as one slice, see :class:`PipeItem`."""
        first = self._next
        start = self._start(first)
        # The message that reaches beyond max_bytes is left for the next time.
        last = bisect_right(self._offsets, start + max_bytes, lo=first) - 1
        if start + max_bytes >= len(self._data):
            last = len(self._offsets)
        last = max(first + 1, min(last, first + max_messages))
        self._next = last
        done = last >= len(self._offsets)
        buffers: list[Buffer]
        if writer.mini:
            writer.count(last - first)
            if writer.apart:
                buffers = [
                    self._data[self._start(i) : self._start(i + 1)]
                    for i in range(first, last)
                ]
            else:
                buffers = [self._data[start : self._start(last)]]
        else:
            buffers = [b for i in range(first, last) for b in self._full(writer, i)]
        return Taken(buffers, last - first, done=done)

    def _full(self, writer: MessageWriter, index: int) -> tuple[Buffer, Buffer]:
        """Return message *index* with a full header in place of the mini one."""
        start = self._start(index)
        kind, size = MINI_HEADER.unpack_from(self._data, start)
        body = self._data[start + MINI_HEADER.size : self._start(index + 1)]
        return writer.header(kind, size), body


class Pipe:
    """The items waiting for one client, oldest first, and their size in bytes."""

    def __init__(self) -> None:
        self._items: deque[PipeItem] = deque()
        self.size = 0
        """Bytes waiting."""

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[PipeItem]:
        return iter(self._items)

    @property
    def cost(self) -> int:
        """Bytes of memory that the waiting items hold, about."""
        return self.size + ITEM_COST * len(self._items)

    def push(self, item: PipeItem) -> None:
        """Let *item* wait behind all others."""
        self._items.append(item)
        self.size += item.size

    def take(
        self, writer: MessageWriter, max_messages: int, max_bytes: int
    ) -> tuple[list[Buffer], int]:
        """Take messages from the front, return their buffers and how many they are.

        Only the last message may reach beyond *max_bytes*: a large one must go, too.
        """
        buffers: list[Buffer] = []
        messages = 0
        room = max_bytes
        while self._items and messages < max_messages and room > 0:
            item = self._items[0]
            before = item.size
            taken = item.take(writer, max_messages - messages, room)
            if taken.done:
                self._items.popleft()
            size = before if taken.done else before - item.size
            self.size -= size
            room -= size
            messages += taken.messages
            buffers += taken.buffers
            if not taken.done:
                break
        return buffers, messages

    def discard(self, unwanted: Callable[[PipeItem], bool]) -> int:
        """Drop every waiting item that is *unwanted*, return the bytes freed."""
        before = self.size
        self._items = deque(i for i in self._items if not unwanted(i))
        self.size = sum(i.size for i in self._items)
        return before - self.size

    def clear(self) -> None:
        """Drop everything."""
        self._items.clear()
        self.size = 0
