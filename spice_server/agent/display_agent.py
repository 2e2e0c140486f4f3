"""The agent that is there when the guest has none: it changes the guest's resolution.

Clients send the size of their windows to the guest's agent (VDAgentMonitorsConfig) and
to nobody else.  A display whose driver takes monitor layouts through QXLRom needs no
agent for that, so the server itself answers as one that can do this and nothing more.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from spice_protocol.errors import ProtocolError
from spice_protocol.protocol import capability_words
from spice_protocol.vd_agent import (
    VD_AGENT_PROTOCOL,
    VDAgentAnnounceCapabilities,
    VDAgentCap,
    VDAgentMessage,
    VDAgentMessageType,
    VDAgentReply,
    VDAgentResult,
)
from spice_server.agent.monitors_config import read_layout
from spice_server.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from spice_server.limited_log import LimitedLog
    from vd_interfaces.qxl import MonitorsConfig

__all__ = ["CAPABILITIES", "DisplayAgent"]

CAPABILITIES: Final = (
    VDAgentCap.MONITORS_CONFIG,
    VDAgentCap.REPLY,
    VDAgentCap.SPARSE_MONITORS_CONFIG,
    VDAgentCap.FILE_XFER_DISABLED,
)
"""What clients are told; FILE_XFER_DISABLED lets them say why a drop fails."""

MAX_MESSAGE: Final = 64 * 1024
"""Bytes of a message worth gathering for :meth:`DisplayAgent.handle`: the largest that
means anything, a layout of 64 monitors, has 1.3 KiB."""

_log = logging.getLogger(__name__)


class DisplayAgent:
    """One client's talk with the agent; sans I/O."""

    def __init__(
        self,
        apply: Callable[[MonitorsConfig], None],
        log: logging.Logger | LimitedLog = _log,
    ) -> None:
        """Have *apply* called for every monitor layout that makes sense."""
        self._apply = apply
        self._log = log

    def handle(self, kind: int, body: bytes) -> list[bytes]:
        """Take a whole message of a client; the agent's messages in answer.

        Raises:
            ProtocolError: its capabilities are cut off.

        """
        match kind:
            case VDAgentMessageType.ANNOUNCE_CAPABILITIES:
                asked = VDAgentAnnounceCapabilities.unpack_from(body).request
                return [_announcement()] if asked else []
            case VDAgentMessageType.MONITORS_CONFIG:
                return [self._monitors_config(body)]
            case _:
                # Clipboard and the like, sent in spite of our capabilities.
                _log.debug("agent message %d is not for the display", kind)
                return []

    def _monitors_config(self, body: bytes) -> bytes:
        try:
            self._apply(read_layout(body))
            result = VDAgentResult.SUCCESS
        except (ClientError, ProtocolError) as error:
            self._log.info("monitor layout refused: %s", error)
            result = VDAgentResult.ERROR
        reply = VDAgentReply(type=VDAgentMessageType.MONITORS_CONFIG, error=result)
        return _message(VDAgentMessageType.REPLY, reply.pack())


def _announcement() -> bytes:
    words = capability_words(CAPABILITIES)
    announce = VDAgentAnnounceCapabilities(request=0).pack()
    body = announce + b"".join(word.to_bytes(4, "little") for word in words)
    return _message(VDAgentMessageType.ANNOUNCE_CAPABILITIES, body)


def _message(kind: VDAgentMessageType, body: bytes) -> bytes:
    header = VDAgentMessage(
        protocol=VD_AGENT_PROTOCOL, type=kind, opaque=0, size=len(body)
    )
    return header.pack() + body
