"""The agent as clients know it: the guest's own, or the display's as long as there is none.

Everything is passed on piece by piece, and nothing is kept beyond a few pieces for
each side: who does not read stops who writes.

* To the guest: a client's tokens come back when the port took its pieces.  Between two
  pieces of one client's message no other client's may stand, so others wait for its
  end; a client that lets them wait for ``TURN_TIME`` is ended.  What a client that goes
  leaves unfinished is filled up with zeros, or, beyond ``MAX_PADDING``, given up.
* To clients: all that listen hear everything, from the beginning of a message on.  A
  client without tokens or with a full socket pauses the port.  Where others could go
  on, it is ended after ``READ_TIME``.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from spice_protocol.vd_agent import VDAgentCap, VDAgentMessageType
from spice_server.agent.messages import server_chunk
from spice_server.agent.pointer import PointerQueue
from spice_server.agent.port_end import PortEnd
from spice_server.agent.to_guest import GuestQueue
from spice_server.limited_log import LimitedLog

if TYPE_CHECKING:
    from collections.abc import Callable

    from spice_server.agent.client import AgentClient
    from spice_server.agent.from_guest import Piece
    from spice_server.agent.policy import AgentPolicy
    from vd_interfaces.port import GuestPort
    from vd_interfaces.qxl import MonitorsConfig

__all__ = ["Agent"]

READ_TIME: Final = 30.0
"""Seconds a client may hold up others by not reading, as stock."""
TURN_TIME: Final = 10.0
"""Seconds a client may hold up others in the middle of a message."""


_log = LimitedLog(logging.getLogger(__name__))


class Agent:
    """Routes between the ports of agents, clients and the displays; main thread only."""

    def __init__(self, policy: AgentPolicy) -> None:
        self.policy = policy
        self.clients: list[AgentClient] = []
        self.pointer = PointerQueue()
        self._ends: list[PortEnd] = []
        self._open: list[PortEnd] = []
        """Ends with an agent, the one that is used last."""
        self._current: PortEnd | None = None
        self._queue = GuestQueue()
        self._pumping = False
        self._apply_monitors: Callable[[MonitorsConfig], None] | None = None
        self._graphics: bytes | None = None
        self._observers: list[Callable[[], None]] = []
        self._patience: dict[str, asyncio.TimerHandle] = {}

    # -- what there is ---------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether somebody answers as the guest's agent."""
        return self.has_guest or self.takes_monitors

    @property
    def has_guest(self) -> bool:
        """Whether it is the guest's own agent that answers."""
        return self._current is not None

    @property
    def takes_pointer(self) -> bool:
        """Whether pointer positions go to the agent."""
        return self.has_guest and self.policy.pointer

    @property
    def takes_monitors(self) -> bool:
        """Whether the displays take monitor layouts themselves."""
        return self._apply_monitors is not None

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call *callback* whenever the guest's agent came or went."""
        self._observers.append(callback)

    # -- for the composition ---------------------------------------------------

    def attach(self, port: GuestPort | None) -> None:
        """Serve the agent that opens *port*; ``None``: forget all ports.

        There may be several ports; whose agent came last is used.
        """
        if port is None:
            for end in self._ends[:]:
                self._detach(end)
            return
        end = PortEnd(port, self)
        self._ends.append(end)
        port.attach(end)

    def detach(self, port: GuestPort) -> None:
        """Serve *port* no longer."""
        for end in self._ends[:]:
            if end.port is port:
                self._detach(end)

    def _detach(self, end: PortEnd) -> None:
        self._ends.remove(end)
        self.agent_went(end)
        end.port.attach(None)

    def set_display_agent(self, apply: Callable[[MonitorsConfig], None] | None) -> None:
        """Let the displays take monitor layouts, instead of the guest's agent.

        *apply* is called with every layout a client asks for; ``None``: the guest's
        drivers take none, or none any more.  Without an agent in the guest the server
        answers as one that can do this and nothing else.
        """
        change = self.takes_monitors != (apply is not None)
        self._apply_monitors = apply
        if change and not self.has_guest:
            self._tell_change()

    def set_graphics_devices(self, info: bytes | None) -> None:
        """Tell agents that want to know which device shows which monitor.

        *info* is a VDAgentGraphicsDeviceInfo with its records.
        """
        self._graphics = info
        self._tell_graphics_devices()

    def apply_monitors(self, config: MonitorsConfig) -> None:
        """Ask the displays for a monitor layout."""
        if self._apply_monitors is not None:
            self._apply_monitors(config)

    # -- clients ---------------------------------------------------------------

    def join(self, client: AgentClient) -> None:
        """Account for a new session."""
        self.clients.append(client)

    def leave(self, client: AgentClient) -> None:
        """Forget a session; what it began is finished."""
        if client not in self.clients:
            return
        self.clients.remove(client)
        if self.has_guest:
            self._queue.forget(client)
            if not self.clients:
                self._queue.post(VDAgentMessageType.CLIENT_DISCONNECTED)
            self._pump()
        self._balance()

    def client_wrote(self, client: AgentClient) -> None:
        """Pass on what *client* has put into ``outgoing``."""
        if client is self._queue.speaker:
            self._be_patient("turn", TURN_TIME, on=False)
        self._queue.wait(client)
        self._pump()

    def client_reads(self, client: AgentClient) -> None:
        """Go on with a client that may take more now."""
        was_blocked = client.blocked
        client.flush()
        if was_blocked:
            self._balance()

    # -- pointer ---------------------------------------------------------------

    def position(self, x: int, y: int, buttons: int, display_id: int) -> None:
        """Pointer at pixel (*x*, *y*) of a display (``InputSink.position``)."""
        self.pointer.position(x, y, buttons, display_id)
        self._pump()

    def buttons(self, buttons: int) -> None:
        """Buttons changed without motion (``InputSink.buttons``)."""
        self.pointer.buttons(buttons)
        self._pump()

    def release_all(self) -> None:
        """Release every button that is down (a client went away)."""
        if self.takes_pointer:
            self.pointer.release_all()
            self._pump()

    # -- ports -----------------------------------------------------------------

    def agent_came(self, end: PortEnd) -> None:
        """Use the agent behind *end* from now on; it may be a new one behind it."""
        self.agent_went(end)
        self._open.append(end)
        self._switch()

    def agent_went(self, end: PortEnd) -> None:
        """Do without the agent behind *end*."""
        if end in self._open:
            self._open.remove(end)
            self._switch()

    def agent_said(self, end: PortEnd, piece: Piece) -> None:
        """Let all clients have a piece of a message."""
        if end is self._current:
            for client in self.clients[:]:
                client.deliver(piece)

    def agent_rests(self, end: PortEnd) -> None:
        """Look after what the last bytes brought."""
        if end is not self._current:
            return
        if end.stream.announced():
            self._tell_graphics_devices()
        self._balance()

    def port_writable(self, end: PortEnd) -> None:
        """Write more."""
        if end is self._current:
            self._pump()

    # -- inside ----------------------------------------------------------------

    def _switch(self) -> None:
        end = self._open[-1] if self._open else None
        if end is self._current:
            return
        before, self._current = self._current, end
        if before is not None:
            before.pause(paused=False)
        if before in self._open:  # it forgets the message that is cut off
            before.port.write(server_chunk(VDAgentMessageType.CLIENT_DISCONNECTED, b""))
        _log.info("the guest's agent %s", "is gone" if end is None else "is there")
        self._queue.reset()
        self.pointer.reset()
        self._tell_change()
        self._balance()
        self._tell_graphics_devices()
        self._pump()
        for callback in self._observers:
            callback()

    def _tell_change(self) -> None:
        for client in self.clients[:]:
            client.agent_changed()

    def _tell_graphics_devices(self) -> None:
        if self._current is None or self._graphics is None:
            return
        if (
            self._current.stream.capabilities or 0
        ) >> VDAgentCap.GRAPHICS_DEVICE_INFO & 1:
            kind = VDAgentMessageType.GRAPHICS_DEVICE_INFO
            self._queue.post(kind, self._graphics)
            self._pump()

    def _pump(self) -> None:
        """Write as much as the port takes."""
        end = self._current
        if self._pumping or end is None:
            return
        self._pumping = True
        try:
            while end is self._current and end.writable:
                chunk = self.pointer.take() or self._queue.take()
                if chunk is None:
                    break
                # The port may say in between that it can take more.
                end.writable = False
                if end.port.write(chunk):
                    end.writable = True
        finally:
            self._pumping = False
        if end is not self._current:
            self._pump()
            return
        holder = self._queue.holder if end.writable else None
        self._be_patient("turn", TURN_TIME, on=holder is not None)

    def _balance(self) -> None:
        """Pause the port for those who do not read."""
        blocked = [c for c in self.clients if c.blocked]
        if self._current is not None:
            self._current.pause(paused=bool(blocked))
        others = any(c.tokens.started and not c.blocked for c in self.clients)
        self._be_patient("read", READ_TIME, on=bool(blocked) and others)

    def _be_patient(self, what: str, seconds: float, *, on: bool) -> None:
        """Wait *seconds* for a client, or no longer."""
        if not on:
            timer = self._patience.pop(what, None)
            if timer is not None:
                timer.cancel()
        elif what not in self._patience:
            loop = asyncio.get_running_loop()
            self._patience[what] = loop.call_later(seconds, self._lose_patience, what)

    def _lose_patience(self, what: str) -> None:
        del self._patience[what]
        if what == "read":
            for client in self.clients[:]:
                if client.blocked:
                    client.fail("others wait for it to read from the agent")
        elif self._queue.holder is not None:
            self._queue.holder.fail("others wait for the end of its agent message")
