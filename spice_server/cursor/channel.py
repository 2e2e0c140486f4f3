"""The cursor channel: the guest's pointer, to any number of clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from spice_protocol.enums import ChannelType
from spice_protocol.qxl_dev import QxlCursorCmdType
from spice_server.channel.channel import Channel
from spice_server.cursor.channel_client import CursorChannelClient
from spice_server.cursor.pointer import Pointer

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator

    from spice_common.cursor_command import CursorCommand
    from spice_server.channel.channel_client import ChannelClient
    from spice_server.channel.connection import Connection
    from spice_server.channel.link_info import LinkInfo

__all__ = ["CursorChannel"]


class CursorChannel(Channel):
    """Passes the pointer to its clients; lives in the worker's thread."""

    type = ChannelType.CURSOR

    def __init__(
        self, channel_id: int, get_loop: Callable[[], asyncio.AbstractEventLoop]
    ) -> None:
        """Serve display *channel_id*'s pointer on the loop that *get_loop* returns."""
        super().__init__(channel_id)
        self.pointer = Pointer()
        self.shown = False
        """Whether there is a screen for the pointer to be on."""
        self.client_mouse_mode = False
        """Clients draw the pointer where it is for them: MOVE says nothing new."""
        self._get_loop = get_loop
        self._moved = False

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the worker's loop."""
        return self._get_loop()

    def create_client(self, connection: Connection, link: LinkInfo) -> ChannelClient:
        """Make the client of a new link."""
        return CursorChannelClient(connection, link, self)

    def _each(self) -> Iterator[CursorChannelClient]:
        for client in list(self.clients.values()):
            yield cast("CursorChannelClient", client)

    # -- from the worker -------------------------------------------------------

    def process(self, command: CursorCommand) -> None:
        """Carry out a cursor command; moves are sent by :meth:`flush`."""
        pointer = self.pointer
        match command.type:
            case QxlCursorCmdType.SET:
                pointer.shape = command.shape
                pointer.visible = command.visible
                pointer.x, pointer.y = command.x, command.y
                self._moved = False
                self._tell(CursorChannelClient.set)
            case QxlCursorCmdType.MOVE:
                reappears = not pointer.visible
                pointer.visible = True
                pointer.x, pointer.y = command.x, command.y
                self._moved |= reappears or not self.client_mouse_mode
            case QxlCursorCmdType.HIDE:
                pointer.visible = False
                self._moved = False
                self._tell(CursorChannelClient.hide)
            case QxlCursorCmdType.TRAIL:
                pointer.trail_length = command.trail_length
                pointer.trail_frequency = command.trail_frequency
                self._tell(CursorChannelClient.trail)
            case _:
                pass  # the device lets no other type through

    def flush(self) -> None:
        """Send where the pointer is if it moved: of many moves only the last."""
        if self._moved:
            self._moved = False
            self._tell(CursorChannelClient.move)

    def show(self) -> None:
        """Begin to show the pointer: there is a screen now."""
        self.shown = True
        self._tell(CursorChannelClient.initialize)

    def reset(self) -> None:
        """Forget the pointer; the next :meth:`show` begins anew."""
        self.pointer = Pointer()
        self.shown = False
        self._moved = False
        self._tell(CursorChannelClient.reset)

    def _tell(self, message: Callable[[CursorChannelClient], None]) -> None:
        for client in self._each():
            message(client)
