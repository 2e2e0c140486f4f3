"""What the agent says: chunks of the port into AGENT_DATA messages; sans I/O.

Nothing is gathered but one piece of 2048 bytes: a clipboard of 100 MB passes through
piece by piece.  Agents may put a message of any size into one chunk, as vdagentd does,
or cut it anywhere; a chunk never holds more than one message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spice_protocol.vd_agent import (
    VD_AGENT_MAX_DATA_SIZE,
    VD_AGENT_PROTOCOL,
    VDAgentAnnounceCapabilities,
    VDAgentMessage,
    VDAgentMessageType,
    VDIChunkHeader,
    VdpPort,
)
from spice_server.agent.messages import agent_message
from spice_server.errors import AgentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spice_server.agent.policy import AgentPolicy

__all__ = ["GuestStream", "Piece"]

MAX_ANNOUNCEMENT: Final = 256
"""Bytes of an ANNOUNCE_CAPABILITIES: two thousand capabilities; there are 18."""


@dataclass(frozen=True, slots=True)
class Piece:
    """An AGENT_DATA message's worth of a message."""

    data: bytes
    """At most 2048 bytes."""
    first: bool
    """Whether a message begins here."""
    last: bool
    """Whether it ends here."""


class GuestStream:
    """One agent from opening the port to closing it."""

    def __init__(self, policy: AgentPolicy) -> None:
        self.capabilities: int | None = None
        """The first word of what the agent announced; ``None``: nothing yet."""
        self._policy = policy
        self._chunk_header = bytearray()
        self._chunk_left = 0
        self._port = 0
        self._waiting = bytearray()
        """Of a piece that is not full, or of a message's header."""
        self._in_message = False
        self._left = 0
        """Bytes of the message still to come."""
        self._passes = False
        self._first = False
        self._announces = False
        self._announced = False

    def announced(self) -> bool:
        """Whether the agent has told its capabilities since this was asked last."""
        told, self._announced = self._announced, False
        return told

    def feed(self, data: bytes) -> Iterator[Piece]:
        """Take what came from the port; yield what is for clients.

        Raises:
            AgentError: it is not the agent's protocol; nothing more can be read.

        """
        view = memoryview(data)
        while view:
            if not self._chunk_left:
                view = self._begin_chunk(view)
                continue
            part, view = view[: self._chunk_left], view[self._chunk_left :]
            self._chunk_left -= len(part)
            if self._port == VdpPort.CLIENT_PORT:
                yield from self._client_data(part)

    def _begin_chunk(self, view: memoryview) -> memoryview:
        missing = VDIChunkHeader.SIZE - len(self._chunk_header)
        self._chunk_header += view[:missing]
        if len(self._chunk_header) == VDIChunkHeader.SIZE:
            header = VDIChunkHeader.unpack(self._chunk_header)
            self._chunk_header.clear()
            if header.port not in {VdpPort.CLIENT_PORT, VdpPort.SERVER_PORT}:
                raise AgentError(f"a chunk for port {header.port}")
            self._port, self._chunk_left = header.port, header.size
        return view[missing:]

    def _client_data(self, part: memoryview) -> Iterator[Piece]:
        if not self._in_message:
            missing = VDAgentMessage.SIZE - len(self._waiting)
            self._waiting += part[:missing]
            part = part[missing:]
            if len(self._waiting) < VDAgentMessage.SIZE:
                return
            self._begin_message(VDAgentMessage.unpack(self._waiting))
        if len(part) + self._chunk_left > self._left:
            raise AgentError("a chunk that is longer than its message")
        self._left -= len(part)
        if self._passes:
            yield from self._cut(part)
        if not self._left:
            yield from self._end_message()

    def _begin_message(self, header: VDAgentMessage) -> None:
        if header.protocol != VD_AGENT_PROTOCOL:
            raise AgentError(f"protocol {header.protocol}")
        self._announces = header.type == VDAgentMessageType.ANNOUNCE_CAPABILITIES
        least = VDAgentAnnounceCapabilities.SIZE
        if self._announces and not least <= header.size <= MAX_ANNOUNCEMENT:
            raise AgentError(f"capabilities in {header.size} bytes")
        self._passes = self._policy.allows(header.type)
        if not self._passes:
            self._waiting.clear()
        self._in_message = self._first = True
        self._left = header.size

    def _cut(self, part: memoryview) -> Iterator[Piece]:
        """Yield full pieces; what is left waits, as may the message's last one."""
        while len(self._waiting) + len(part) > VD_AGENT_MAX_DATA_SIZE:
            room = VD_AGENT_MAX_DATA_SIZE - len(self._waiting)
            yield self._piece(bytes(self._waiting) + part[:room], last=False)
            part = part[room:]
        self._waiting += part

    def _end_message(self) -> Iterator[Piece]:
        self._in_message = False
        if not self._passes:
            return
        data = bytes(self._waiting)
        if self._announces:
            body = data[VDAgentMessage.SIZE :]
            at = VDAgentAnnounceCapabilities.SIZE
            self._announced = True
            self.capabilities = int.from_bytes(body[at : at + 4], "little")
            body = self._policy.edit_capabilities(body)
            data = agent_message(VDAgentMessageType.ANNOUNCE_CAPABILITIES, body)
        yield self._piece(data, last=True)

    def _piece(self, data: bytes, *, last: bool) -> Piece:
        piece = Piece(data, self._first, last)
        self._first = False
        self._waiting.clear()
        return piece
