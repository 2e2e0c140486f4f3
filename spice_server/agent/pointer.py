"""The pointer on its way to the agent (VDAgentMouseState); sans I/O."""

from __future__ import annotations

from collections import deque
from typing import Final

from spice_protocol.vd_agent import VDAgentMessageType, VDAgentMouseState
from spice_server.agent.messages import server_chunk

__all__ = ["PointerQueue"]

MAX_WAITING: Final = 64
"""States that wait for an agent that does not read; then the oldest click is lost."""

_BUTTONS: Final = 0x7F
"""Buttons that agents know, as ``SPICE_MOUSE_BUTTON_MASK_*``."""


class PointerQueue:
    """Positions overtake each other, presses and releases do not.

    An agent sees every change of the buttons at the place where it happened, and
    otherwise only the latest position.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, int, int, int]] = deque()
        """x, y, buttons as VDAgentMouseState has them, display."""
        self._last = (0, 0, 0, 0)
        self._told_buttons = 0

    def position(self, x: int, y: int, buttons: int, display_id: int) -> None:
        """Move to pixel (*x*, *y*) of a display; ``SPICE_MOUSE_BUTTON_MASK_*``."""
        # VD_AGENT_*BUTTON_MASK begin one bit higher.
        self._push((x, y, (buttons & _BUTTONS) << 1, display_id))

    def buttons(self, buttons: int) -> None:
        """Press or release buttons where the pointer is."""
        x, y, _, display_id = self._last
        self.position(x, y, buttons, display_id)

    def _push(self, state: tuple[int, int, int, int]) -> None:
        self._last = state
        waiting = self._waiting
        if waiting and waiting[-1][2] == state[2]:
            before = waiting[-2][2] if len(waiting) > 1 else self._told_buttons
            if before == state[2]:
                waiting.pop()  # nothing but a position
        waiting.append(state)
        if len(waiting) > MAX_WAITING:
            waiting.popleft()

    def release_all(self) -> None:
        """Release what is pressed."""
        if self._last[2]:
            self.buttons(0)

    def take(self) -> bytes | None:
        """Return the next chunk for the agent; ``None``: it knows everything."""
        if not self._waiting:
            return None
        x, y, buttons, display_id = self._waiting.popleft()
        self._told_buttons = buttons
        state = VDAgentMouseState(x, y, buttons, display_id)
        return server_chunk(VDAgentMessageType.MOUSE_STATE, state.pack())

    def reset(self) -> None:
        """Begin with another agent, which thinks that nothing is pressed."""
        self._waiting.clear()
        self._told_buttons = 0
        x, y, _, display_id = self._last
        self._last = (x, y, 0, display_id)
