"""A guest's port with an agent behind it that does what the test says."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from vd_interfaces.port import PortHandler

__all__ = ["AgentPort", "agent_message", "chunk"]

CLIENT, SERVER = 1, 2
_CHUNK = struct.Struct("<II")
_MESSAGE = struct.Struct("<IIQI")


def agent_message(kind: int, body: bytes = b"", *, protocol: int = 1) -> bytes:
    """Return a VDAgentMessage."""
    return _MESSAGE.pack(protocol, kind, 0, len(body)) + body


def chunk(data: bytes, port: int = CLIENT) -> bytes:
    """Return a chunk of the port."""
    return _CHUNK.pack(port, len(data)) + data


class AgentPort:
    """Implements ``vd_interfaces.port.GuestPort``; the guest reads if ``room``."""

    def __init__(self, name: str = "com.redhat.spice.0") -> None:
        self.name = name
        self.opened = False
        self.paused = False
        self.room = True
        """What ``write`` returns."""
        self.written = bytearray()
        self.handler: PortHandler | None = None

    def attach(self, handler: PortHandler | None) -> None:
        self.handler = handler
        if handler is not None and self.opened:
            handler.port_opened()

    def write(self, data: ReadableBuffer) -> bool:
        if self.opened:
            self.written += data
        return self.room

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    # -- the guest's side --------------------------------------------------------

    def open(self) -> None:
        """Let an agent open the port."""
        self.opened = True
        self.written.clear()
        assert self.handler is not None
        self.handler.port_opened()

    def close(self) -> None:
        """Let the agent end."""
        self.opened = False
        assert self.handler is not None
        self.handler.port_closed()

    def say(self, data: bytes) -> None:
        """Let the guest write bytes."""
        assert self.handler is not None
        self.handler.port_data(data)

    def tell(self, kind: int, body: bytes = b"") -> None:
        """Let the agent send a message in one chunk."""
        self.say(chunk(agent_message(kind, body)))

    def read_on(self) -> None:
        """Let the guest read everything."""
        self.room = True
        assert self.handler is not None
        self.handler.port_writable()

    def chunks(self) -> list[tuple[int, bytes]]:
        """Take the whole chunks that were written: port and data of each."""
        found = []
        while len(self.written) >= _CHUNK.size:
            port, size = _CHUNK.unpack_from(self.written)
            if len(self.written) < _CHUNK.size + size:
                break
            found.append((port, bytes(self.written[_CHUNK.size : _CHUNK.size + size])))
            del self.written[: _CHUNK.size + size]
        return found

    def messages(self) -> list[tuple[int, int, bytes]]:
        """Take the whole messages that were written: port, type and body of each.

        Every port has its own sequence of messages, as in vdagentd; what is cut off
        or does not fit is the server's mistake.
        """
        partial: dict[int, bytearray] = {CLIENT: bytearray(), SERVER: bytearray()}
        found = []
        for port, data in self.chunks():
            assert len(data) <= 2048
            buffer = partial[port]
            buffer += data
            protocol, kind, _, size = _MESSAGE.unpack_from(buffer)
            assert protocol == 1
            assert len(buffer) <= _MESSAGE.size + size
            if len(buffer) == _MESSAGE.size + size:
                found.append((port, kind, bytes(buffer[_MESSAGE.size :])))
                buffer.clear()
        assert not any(partial.values())
        return found
