"""Messages to and from the guest's agent, in chunks that cost tokens (vd_agent.h)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spice_protocol.errors import LimitExceededError
from spice_protocol.protocol import (
    capability_words,
    pack_capabilities,
    unpack_capabilities,
)
from spice_protocol.vd_agent import (
    VD_AGENT_MAX_DATA_SIZE,
    VD_AGENT_PROTOCOL,
    VDAgentAnnounceCapabilities,
    VDAgentCap,
    VDAgentMessage,
    VDAgentMessageType,
    VDAgentMonConfig,
    VDAgentMonitorsConfig,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["AgentConnection", "AgentMessage"]

MAX_AGENT_MESSAGE = 64 << 20
"""Bytes; clipboard pictures are the largest honest messages."""

_CAPABILITIES = (
    VDAgentCap.MONITORS_CONFIG,
    VDAgentCap.REPLY,
    VDAgentCap.SPARSE_MONITORS_CONFIG,
    VDAgentCap.MONITORS_CONFIG_POSITION,
)


@dataclass(slots=True)
class AgentMessage:
    """One message of the agent."""

    type: int
    """``VD_AGENT_*``."""
    data: bytes


class AgentConnection:
    """One agent from its connection to its end."""

    def __init__(self, send_chunk: Callable[[bytes], None], tokens: int) -> None:
        self.capabilities: tuple[int, ...] = ()
        """Words of the agent's VDAgentAnnounceCapabilities."""
        self.received: deque[AgentMessage] = deque(maxlen=64)
        """The last messages, for whoever is interested."""
        self._send_chunk = send_chunk
        self._tokens = tokens
        self._waiting: deque[bytes] = deque()
        self._buffer = bytearray()

    def send(self, message_type: int, data: bytes) -> None:
        """Send a message; it waits if there are not enough tokens."""
        header = VDAgentMessage(VD_AGENT_PROTOCOL, message_type, 0, len(data))
        whole = header.pack() + data
        for start in range(0, len(whole), VD_AGENT_MAX_DATA_SIZE):
            self._waiting.append(whole[start : start + VD_AGENT_MAX_DATA_SIZE])
        self.add_tokens(0)

    def add_tokens(self, tokens: int) -> None:
        """Send as many waiting chunks as tokens allow."""
        self._tokens += tokens
        while self._waiting and self._tokens > 0:
            self._tokens -= 1
            self._send_chunk(self._waiting.popleft())

    def announce_capabilities(self, *, request: bool) -> None:
        """Tell what this client can do; with *request* ask the agent for the same."""
        words = pack_capabilities(capability_words(_CAPABILITIES))
        head = VDAgentAnnounceCapabilities(int(request)).pack()
        self.send(VDAgentMessageType.ANNOUNCE_CAPABILITIES, head + words)

    def configure_monitors(self, sizes: Sequence[tuple[int, int]]) -> None:
        """Ask the guest for monitors of these widths and heights, left to right."""
        parts, x = [VDAgentMonitorsConfig(len(sizes), 0).pack()], 0
        for width, height in sizes:
            parts.append(VDAgentMonConfig(height, width, 32, x, 0).pack())
            x += width
        self.send(VDAgentMessageType.MONITORS_CONFIG, b"".join(parts))

    def receive_chunk(self, chunk: bytes) -> None:
        """Take a chunk of the agent's messages.

        Raises:
            ProtocolError: a message makes no sense.

        """
        self._buffer += chunk
        while len(self._buffer) >= VDAgentMessage.SIZE:
            header = VDAgentMessage.unpack_from(self._buffer)
            if header.size > MAX_AGENT_MESSAGE:
                raise LimitExceededError(f"an agent message of {header.size} bytes")
            end = VDAgentMessage.SIZE + header.size
            if len(self._buffer) < end:
                return
            data = bytes(self._buffer[VDAgentMessage.SIZE : end])
            del self._buffer[:end]
            self._handle(AgentMessage(header.type, data))

    def _handle(self, message: AgentMessage) -> None:
        self.received.append(message)
        if message.type != VDAgentMessageType.ANNOUNCE_CAPABILITIES:
            return
        announced = VDAgentAnnounceCapabilities.unpack(message.data)
        size = VDAgentAnnounceCapabilities.SIZE
        words = (len(message.data) - size) // 4
        self.capabilities = unpack_capabilities(message.data, size, words)
        if announced.request:
            self.announce_capabilities(request=False)
