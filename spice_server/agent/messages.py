"""Making agent messages and chunks."""

from __future__ import annotations

import functools

from spice_protocol.vd_agent import (
    VD_AGENT_PROTOCOL,
    VDAgentMessage,
    VDIChunkHeader,
    VdpPort,
)

__all__ = ["agent_message", "chunk_header", "server_chunk"]


def agent_message(kind: int, body: bytes) -> bytes:
    """Return a whole message of type *kind* (``VD_AGENT_*``)."""
    header = VDAgentMessage(
        protocol=VD_AGENT_PROTOCOL, type=kind, opaque=0, size=len(body)
    )
    return header.pack() + body


@functools.lru_cache(maxsize=256)
def chunk_header(port: VdpPort, size: int) -> bytes:
    """Return the header of a chunk of *size* bytes; most have the same."""
    return VDIChunkHeader(port, size).pack()


def server_chunk(kind: int, body: bytes) -> bytes:
    """Return a message from the server to the agent, as the port carries it."""
    message = agent_message(kind, body)
    return chunk_header(VdpPort.SERVER_PORT, len(message)) + message
