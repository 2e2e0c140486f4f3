"""What the operator lets agent and clients say to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spice_protocol.vd_agent import (
    VDAgentAnnounceCapabilities,
    VDAgentCap,
    VDAgentMessageType,
)

__all__ = ["AgentPolicy"]

_CLIPBOARD: Final = frozenset(
    {
        VDAgentMessageType.CLIPBOARD,
        VDAgentMessageType.CLIPBOARD_GRAB,
        VDAgentMessageType.CLIPBOARD_REQUEST,
        VDAgentMessageType.CLIPBOARD_RELEASE,
    }
)
_FILE_TRANSFER: Final = frozenset(
    {
        VDAgentMessageType.FILE_XFER_START,
        VDAgentMessageType.FILE_XFER_STATUS,
        VDAgentMessageType.FILE_XFER_DATA,
    }
)
_CLIPBOARD_CAPS: Final = (
    1 << VDAgentCap.CLIPBOARD
    | 1 << VDAgentCap.CLIPBOARD_BY_DEMAND
    | 1 << VDAgentCap.CLIPBOARD_SELECTION
)


@dataclass(frozen=True, slots=True)
class AgentPolicy:
    """What may pass; the same in both directions."""

    copy_paste: bool = True
    file_transfer: bool = True
    pointer: bool = True
    """Whether the agent is given pointer positions in client mouse mode."""

    def allows(self, kind: int) -> bool:
        """Whether messages of type *kind* (``VD_AGENT_*``) pass; unknown ones do."""
        if kind in _CLIPBOARD:
            return self.copy_paste
        if kind in _FILE_TRANSFER:
            return self.file_transfer
        return True

    def edit_capabilities(self, body: bytes) -> bytes:
        """Return the body of the agent's ANNOUNCE_CAPABILITIES as clients may see it.

        *body* is a VDAgentAnnounceCapabilities; the result is at most a word longer.
        """
        if self.copy_paste and self.file_transfer:
            return body
        at = VDAgentAnnounceCapabilities.SIZE
        word = int.from_bytes(body[at : at + 4], "little")
        if not self.copy_paste:
            word &= ~_CLIPBOARD_CAPS
        if not self.file_transfer:
            word |= 1 << VDAgentCap.FILE_XFER_DISABLED
        return body[:at] + word.to_bytes(4, "little") + body[at + 4 :]
