"""The order of chunks to the agent; sans I/O."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from spice_protocol.vd_agent import (
    VD_AGENT_MAX_DATA_SIZE,
    VDAgentMessageType,
    VdpPort,
)
from spice_server.agent.messages import chunk_header, server_chunk

if TYPE_CHECKING:
    from spice_server.agent.client import AgentClient

__all__ = ["MAX_PADDING", "GuestQueue"]

MAX_PADDING: Final = 128 * 1024 * 1024
"""Bytes that are filled up for a client that went; spice-gtk's largest clipboard has
100 MB.  More is announced by nobody honest: such a message is given up, and
CLIENT_DISCONNECTED lets vdagentd forget its beginning."""

_ZEROS: Final = bytes(VD_AGENT_MAX_DATA_SIZE)


class GuestQueue:
    """What waits for the agent, besides the pointer.

    Client messages share VDP_CLIENT_PORT, so each is written whole before the next one
    begins; what the server says has a port of its own and may stand in between.
    """

    def __init__(self) -> None:
        self._server: dict[VDAgentMessageType, bytes] = {}
        """Chunks of the server by type, at most one of each: the latest."""
        self._waiting: dict[AgentClient, None] = {}
        """Clients with pieces in ``outgoing``, the one that waited longest first."""
        self.speaker: AgentClient | None = None
        """Whose message is begun and not finished."""
        self._rest: deque[bytes] = deque()
        """What a client that went had still sent of its message."""
        self._padding = 0

    def reset(self) -> None:
        """Begin with another agent."""
        self._server.clear()
        self._waiting.clear()
        self._rest.clear()
        self.speaker = None
        self._padding = 0

    @property
    def holder(self) -> AgentClient | None:
        """The client in the middle of a message for whose end others wait."""
        speaker = self.speaker
        if speaker is None or speaker.outgoing or not self._waiting:
            return None
        return speaker

    def post(self, kind: VDAgentMessageType, body: bytes = b"") -> None:
        """Let the server say something, in place of what waits of the same type."""
        self._server[kind] = server_chunk(kind, body)

    def wait(self, client: AgentClient) -> None:
        """Let *client* have its turn; it has something in ``outgoing``."""
        self._waiting.setdefault(client)

    def forget(self, client: AgentClient) -> None:
        """Do without a client that went; see the message it began to its end."""
        self._waiting.pop(client, None)
        if client is not self.speaker:
            return
        self.speaker = None
        for data, last in client.outgoing:
            self._rest.append(data)
            if last:
                return
        if client.stream.left <= MAX_PADDING:
            self._padding = client.stream.left
        else:
            self._rest.clear()
            self.post(VDAgentMessageType.CLIENT_DISCONNECTED)

    def take(self) -> bytes | None:
        """Return the next chunk; ``None``: nobody has anything that may be said now."""
        if self._rest:
            return _client_chunk(self._rest.popleft())
        if self._padding:
            size = min(self._padding, VD_AGENT_MAX_DATA_SIZE)
            self._padding -= size
            return _client_chunk(_ZEROS[:size])
        if self._server:
            return self._server.pop(next(iter(self._server)))
        client = self.speaker or next(iter(self._waiting), None)
        if client is None or not client.outgoing:
            return None
        data, last = client.outgoing.popleft()
        self.speaker = None if last else client
        del self._waiting[client]
        if client.outgoing:
            self._waiting[client] = None
        client.give_back()
        return _client_chunk(data)


def _client_chunk(data: bytes) -> bytes:
    return chunk_header(VdpPort.CLIENT_PORT, len(data)) + data
