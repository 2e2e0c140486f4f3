"""Who moves the pointer: the guest (server mode) or the client (client mode)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spice_protocol.enums import SpiceMouseMode

if TYPE_CHECKING:
    from collections.abc import Callable

    from spice_server.agent.agent import Agent
    from vd_interfaces.input import InputSink

__all__ = ["MouseMode"]


class MouseMode:
    """The mouse mode all clients share; main thread only.

    Client mode needs somebody in the guest who takes absolute positions: a tablet, or
    an agent, which comes first.  It is in force as soon as that is so, and until a
    client asks for the other.
    """

    def __init__(self, sink: InputSink, agent: Agent) -> None:
        self._sink = sink
        self._agent = agent
        self._observers: list[Callable[[], None]] = []
        self.supported = SpiceMouseMode.SERVER
        """Modes that may be asked for."""
        self.current = SpiceMouseMode.SERVER
        self.refresh()
        sink.on_change(self.refresh)
        agent.on_change(self.refresh)

    @property
    def is_client(self) -> bool:
        """Whether positions count, not motion."""
        return self.current is SpiceMouseMode.CLIENT

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call *callback* whenever a mode becomes possible, impossible or current."""
        self._observers.append(callback)

    def request(self, mode: int) -> bool:
        """Put *mode* in force as a client asks; False if it is not possible."""
        if mode not in {SpiceMouseMode.SERVER, SpiceMouseMode.CLIENT}:
            return False
        if not self.supported & mode:
            return False
        self._set(self.supported, SpiceMouseMode(mode))
        return True

    def refresh(self) -> None:
        """Look again whether the guest takes positions."""
        allowed = self._sink.has_tablet or self._agent.takes_pointer
        if allowed == bool(self.supported & SpiceMouseMode.CLIENT):
            return
        if allowed:
            both = SpiceMouseMode.SERVER | SpiceMouseMode.CLIENT
            self._set(both, SpiceMouseMode.CLIENT)
        else:
            self._set(SpiceMouseMode.SERVER, SpiceMouseMode.SERVER)

    def _set(self, supported: SpiceMouseMode, current: SpiceMouseMode) -> None:
        if (supported, current) == (self.supported, self.current):
            return
        self.supported, self.current = supported, current
        for callback in self._observers:
            callback()
