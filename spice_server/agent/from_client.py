"""What one client says to agents: where its messages begin and end; sans I/O.

A message outlives agents: clients finish what they began although the agent it was for
is gone, and may even do so after greeting the next one.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spice_protocol.vd_agent import VD_AGENT_PROTOCOL, VDAgentMessage
from spice_server.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ClientPart", "ClientStream", "Verdict"]


class Verdict(enum.Enum):
    """What becomes of a message."""

    PASS = enum.auto()
    """It goes to the guest as it comes."""
    DISCARD = enum.auto()
    GATHER = enum.auto()
    """It is kept until it is whole, for the server itself."""


@dataclass(slots=True)
class ClientPart:
    """What the body of one AGENT_DATA turned out to be."""

    verdict: Verdict
    last: bool
    """Whether its message ends here."""
    type: int
    """``VD_AGENT_*`` of its message."""
    message: bytes = b""
    """With GATHER and ``last``: the body of the message."""


class ClientStream:
    """All that one client says to one agent after the other."""

    def __init__(self, judge: Callable[[int, int], Verdict]) -> None:
        """Ask *judge* about every message's type and size when it begins."""
        self.left = 0
        """Bytes of the current message that are still to come; 0: there is none."""
        self._judge = judge
        self._type = 0
        self._verdict = Verdict.DISCARD
        self._gathered = bytearray()

    def feed(self, data: memoryview) -> ClientPart:
        """Take the body of an AGENT_DATA.

        Raises:
            ClientError: it does not begin with a message, or is longer than it.

        """
        body = data
        if not self.left:
            if len(data) < VDAgentMessage.SIZE:
                raise ClientError(f"a message cannot begin with {len(data)} bytes")
            body = data[VDAgentMessage.SIZE :]
            self._begin(VDAgentMessage.unpack_from(data))
        if len(body) > self.left:
            raise ClientError(f"{len(body)} bytes for {self.left} of a message")
        self.left -= len(body)
        part = ClientPart(self._verdict, not self.left, self._type)
        if self._verdict is Verdict.GATHER:
            self._gathered += body
            if part.last:
                part.message = bytes(self._gathered)
                self._gathered.clear()
        return part

    def _begin(self, header: VDAgentMessage) -> None:
        if header.protocol != VD_AGENT_PROTOCOL:
            raise ClientError(f"agent protocol {header.protocol}")
        self._type, self.left = header.type, header.size
        self._verdict = self._judge(header.type, header.size)

    def cut(self) -> None:
        """Discard the rest of the current message."""
        self._verdict = Verdict.DISCARD
        self._gathered.clear()
