"""One port that an agent may be behind."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from spice_server.agent.from_guest import GuestStream
from spice_server.errors import AgentError
from spice_server.limited_log import LimitedLog

if TYPE_CHECKING:
    from spice_server.agent.from_guest import Piece
    from spice_server.agent.policy import AgentPolicy
    from vd_interfaces.port import GuestPort

__all__ = ["PortEnd", "PortUser"]

_log = LimitedLog(logging.getLogger(__name__))


class PortUser(Protocol):
    """Who is told of agents behind ports."""

    policy: AgentPolicy

    def agent_came(self, end: PortEnd) -> None:
        """Learn of the agent behind *end*; it may be a new one behind it."""

    def agent_went(self, end: PortEnd) -> None:
        """Do without the agent behind *end*."""

    def agent_said(self, end: PortEnd, piece: Piece) -> None:
        """Take a piece of a message."""

    def agent_rests(self, end: PortEnd) -> None:
        """Look after what the last bytes brought."""

    def port_writable(self, end: PortEnd) -> None:
        """Write more."""


class PortEnd:
    """Our end of a port: a ``PortHandler``."""

    def __init__(self, port: GuestPort, agent: PortUser) -> None:
        self.port = port
        self.writable = True
        """Whether the port takes more now."""
        self.stream = GuestStream(agent.policy)
        self._agent = agent
        self._paused = False
        self._deaf = True

    def port_opened(self) -> None:
        """Begin with an agent that opened the port."""
        self.stream = GuestStream(self._agent.policy)
        self.writable = True
        self._deaf = False
        self._agent.agent_came(self)

    def port_closed(self) -> None:
        """Forget the agent."""
        self._deaf = True
        self._agent.agent_went(self)

    def port_data(self, data: bytes) -> None:
        """Take what the agent says; once it makes no sense, no more until it reopens."""
        if self._deaf:
            return
        try:
            for piece in self.stream.feed(data):
                self._agent.agent_said(self, piece)
        except AgentError as error:
            _log.warning("%s: the agent is dropped: %s", self.port.name, error)
            self._deaf = True
            self._agent.agent_went(self)
            return
        self._agent.agent_rests(self)

    def port_writable(self) -> None:
        """Write more."""
        self.writable = True
        self._agent.port_writable(self)

    def pause(self, *, paused: bool) -> None:
        """Let the agent wait, or go on."""
        if paused == self._paused:
            return
        self._paused = paused
        if paused:
            self.port.pause()
        else:
            self.port.resume()
