"""One client of a cursor channel.

Clients take SET, MOVE, HIDE and TRAIL only between an INIT and a RESET.  So a client that
is too slow for the pointer's changes loses them, and gets a RESET and an INIT with the
pointer as it is once its pipe has drained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from spice_protocol.draw import SpicePoint16
from spice_protocol.enums import SpiceCursorFlags
from spice_protocol.messages.cursor import (
    CursorMsg,
    SpiceCursor,
    SpiceCursorHeader,
    SpiceMsgCursorInit,
    SpiceMsgCursorInvalOne,
    SpiceMsgCursorMove,
    SpiceMsgCursorSet,
    SpiceMsgCursorTrail,
)
from spice_server.channel.ack import DEFAULT_WINDOW
from spice_server.channel.channel_client import ChannelClient
from spice_server.cursor.cache import CursorCache

if TYPE_CHECKING:
    from spice_common.cursor_command import CursorShape
    from spice_server.channel.connection import Connection
    from spice_server.channel.link_info import LinkInfo
    from spice_server.channel.pipe import PipeItem
    from spice_server.cursor.pointer import PointerState

__all__ = ["MAX_PIPE_ITEMS", "CursorChannelClient"]

MAX_PIPE_ITEMS: Final = 128
"""Changes of the pointer that may wait: more are older than anybody wants to see."""


class CursorChannelClient(ChannelClient):
    """A cursor channel's end at the server."""

    ack_window: ClassVar[int] = DEFAULT_WINDOW

    def __init__(
        self, connection: Connection, link: LinkInfo, channel: PointerState
    ) -> None:
        super().__init__(connection, link)
        self._channel = channel
        self._cache = CursorCache()
        self._initialized = False
        self._behind = False

    # -- what the channel says -------------------------------------------------

    def greet(self) -> None:
        """Show the pointer as it is."""
        self.initialize()

    def initialize(self) -> None:
        """Send INIT if the client awaits one."""
        if self._initialized or self._behind:
            return
        self._initialized = True
        pointer = self._channel.pointer
        message = SpiceMsgCursorInit(
            position=SpicePoint16(pointer.x, pointer.y),
            trail_length=pointer.trail_length,
            trail_frequency=pointer.trail_frequency,
            visible=pointer.visible,
            cursor=self._cursor(pointer.shape),
        )
        self.send(CursorMsg.INIT, message.pack())

    def reset(self) -> None:
        """Send RESET: what follows begins with an INIT."""
        if self._behind:
            return
        self._cache.clear()
        self.send(CursorMsg.INVAL_ALL)
        if self._initialized:
            self._initialized = False
            self.send(CursorMsg.RESET)

    def set(self) -> None:
        """Send the pointer's shape and place."""
        if not self._listens():
            return
        pointer = self._channel.pointer
        message = SpiceMsgCursorSet(
            position=SpicePoint16(pointer.x, pointer.y),
            visible=pointer.visible,
            cursor=self._cursor(pointer.shape),
        )
        self.send(CursorMsg.SET, message.pack())

    def move(self) -> None:
        """Send the pointer's place."""
        if self._listens():
            pointer = self._channel.pointer
            message = SpiceMsgCursorMove(position=SpicePoint16(pointer.x, pointer.y))
            self.send(CursorMsg.MOVE, message.pack())

    def hide(self) -> None:
        """Hide the pointer."""
        if self._listens():
            self.send(CursorMsg.HIDE)

    def trail(self) -> None:
        """Send the pointer's trail."""
        if self._listens():
            pointer = self._channel.pointer
            message = SpiceMsgCursorTrail(pointer.trail_length, pointer.trail_frequency)
            self.send(CursorMsg.TRAIL, message.pack())

    def _listens(self) -> bool:
        return self._initialized and not self._behind

    def _cursor(self, shape: CursorShape | None) -> SpiceCursor:
        """Return the shape as this client gets it: by its data or from its cache."""
        if shape is None:
            return SpiceCursor(SpiceCursorFlags.NONE)
        header = SpiceCursorHeader(
            unique=shape.unique,
            type=shape.type,
            width=shape.width,
            height=shape.height,
            hot_spot_x=shape.hot_spot_x,
            hot_spot_y=shape.hot_spot_y,
        )
        if shape.unique == 0:
            return SpiceCursor(0, header, shape.data)
        if self._cache.use(shape.unique):
            return SpiceCursor(SpiceCursorFlags.FROM_CACHE, header)
        evicted = self._cache.add(shape.unique)
        if evicted is not None:
            self.send(CursorMsg.INVAL_ONE, SpiceMsgCursorInvalOne(evicted).pack())
        return SpiceCursor(SpiceCursorFlags.CACHE_ME, header, shape.data)

    # -- being slow ------------------------------------------------------------

    def push(self, item: PipeItem) -> None:
        """Let *item* wait for its turn."""
        super().push(item)
        if len(self.pipe) > MAX_PIPE_ITEMS and not self._behind:
            self._fall_behind()

    def pipe_overflow(self) -> None:
        """Drop what waits and begin anew later."""
        if self._behind:
            super().pipe_overflow()
        self._fall_behind()

    def _fall_behind(self) -> None:
        self._behind = True
        self.pipe.clear()
        self.log.debug("is behind")

    def pump(self) -> None:
        """Move what window and socket allow; begin anew when all is gone."""
        super().pump()
        if self.closed or not self._behind:
            return
        if len(self.pipe) == 0 and self.connection.pending == 0:
            self._behind = False
            # The dropped messages may have been those that ended or began a life.
            self._initialized = True
            self.reset()
            if self._channel.shown:
                self.initialize()
