"""Runs of display messages as items of one client's pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spice_server.channel.pipe import MessageRun, Taken

if TYPE_CHECKING:
    from collections.abc import Callable

    from spice_common.display_message import DisplayRun
    from spice_server.channel.framing import MessageWriter

__all__ = ["DisplayItem"]


class DisplayItem(MessageRun):
    """A run that one client will get, or give up for a refresh.

    *on_start* is called with the run when its first message is taken: from then on the
    client has to get all of it.
    """

    __slots__ = ("_on_start", "run", "started")

    def __init__(self, run: DisplayRun, on_start: Callable[[DisplayRun], None]) -> None:
        super().__init__(run.data, run.starts)
        self.run = run
        self.started = False
        self._on_start = on_start

    def take(self, writer: MessageWriter, max_messages: int, max_bytes: int) -> Taken:
        """Take messages, see :class:`~spice_server.channel.pipe.PipeItem`."""
        if not self.started:
            self.started = True
            self._on_start(self.run)
        return super().take(writer, max_messages, max_bytes)
