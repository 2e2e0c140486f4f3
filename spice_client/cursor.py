"""The cursor channel: shape, place and visibility of the pointer (sans-I/O)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from spice_client.channel import Channel
from spice_protocol.enums import ChannelType, SpiceCursorFlags
from spice_protocol.errors import InvalidValueError, LimitExceededError
from spice_protocol.messages.cursor import (
    CursorMsg,
    SpiceCursor,
    SpiceMsgCursorInit,
    SpiceMsgCursorInvalOne,
    SpiceMsgCursorMove,
    SpiceMsgCursorSet,
)

if TYPE_CHECKING:
    from spice_client.link import LinkResult
    from spice_client.session import Session
    from spice_protocol.wire import WireStruct

__all__ = ["CursorChannel"]

MAX_CACHED = 1024
"""Shapes; libspice-server's cache holds 256."""
MAX_CACHED_SIZE = 64 << 20
"""Bytes of them: each may have 128 x 128 pixels."""


class CursorChannel(Channel):
    """The pointer as the server describes it."""

    TYPE = ChannelType.CURSOR
    HANDLERS: ClassVar[dict[int, str]] = {
        CursorMsg.INIT: "handle_init",
        CursorMsg.RESET: "handle_reset",
        CursorMsg.SET: "handle_set",
        CursorMsg.MOVE: "handle_move",
        CursorMsg.HIDE: "handle_hide",
        CursorMsg.INVAL_ONE: "handle_inval_one",
        CursorMsg.INVAL_ALL: "handle_inval_all",
    }

    def __init__(
        self, link: LinkResult, channel_id: int = 0, session: Session | None = None
    ) -> None:
        super().__init__(link, channel_id, session)
        self.initialized = False
        """Whether INIT came."""
        self.visible = False
        self.position = (0, 0)
        """Of the hot spot, in pixels."""
        self.shape: SpiceCursor | None = None
        """Header and pixels."""
        self._cache: dict[int, SpiceCursor] = {}

    def handle_init(self, message: SpiceMsgCursorInit) -> None:
        """Begin with the pointer as it is."""
        self.initialized = True
        self._cache.clear()
        self._set(message)

    def handle_set(self, message: SpiceMsgCursorSet) -> None:
        """Change the shape."""
        self._set(message)

    def _set(self, message: SpiceMsgCursorInit | SpiceMsgCursorSet) -> None:
        self.position = (message.position.x, message.position.y)
        self.visible = bool(message.visible)
        self.shape = self._resolve(message.cursor)

    def _resolve(self, cursor: SpiceCursor) -> SpiceCursor | None:
        if cursor.header is None:
            return None
        unique = cursor.header.unique
        if cursor.flags & SpiceCursorFlags.FROM_CACHE:
            cached = self._cache.get(unique)
            if cached is None:
                raise InvalidValueError(f"cursor {unique:#x} is not cached")
            return cached
        if cursor.flags & SpiceCursorFlags.CACHE_ME:
            self._cache[unique] = cursor
            size = sum(len(cached.data) for cached in self._cache.values())
            if len(self._cache) > MAX_CACHED or size > MAX_CACHED_SIZE:
                raise LimitExceededError(
                    f"{len(self._cache)} cached cursors of {size} bytes"
                )
        return cursor

    def handle_move(self, message: SpiceMsgCursorMove) -> None:
        """Move the pointer; that shows it, too."""
        self.position = (message.position.x, message.position.y)
        self.visible = True

    def handle_hide(self, _message: WireStruct) -> None:
        """Hide the pointer."""
        self.visible = False

    def handle_reset(self, _message: WireStruct) -> None:
        """Forget everything."""
        self.visible = False
        self.shape = None
        self._cache.clear()

    def handle_inval_one(self, message: SpiceMsgCursorInvalOne) -> None:
        """Drop a cached shape."""
        self._cache.pop(message.id, None)

    def handle_inval_all(self, _message: WireStruct) -> None:
        """Drop all cached shapes."""
        self._cache.clear()
