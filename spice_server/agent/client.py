"""One client's end of the talk with the agent."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

from spice_protocol.enums import SpiceLinkErr
from spice_protocol.messages.main import (
    MainMsg,
    SpiceMsgMainAgentDisconnected,
    SpiceMsgMainAgentToken,
)
from spice_protocol.vd_agent import VDAgentMessageType
from spice_server.agent.display_agent import MAX_MESSAGE, DisplayAgent
from spice_server.agent.from_client import ClientStream, Verdict
from spice_server.agent.tokens import AGENT_TOKENS, AgentTokens
from spice_server.errors import SlowClientError

if TYPE_CHECKING:
    from spice_server.agent.from_guest import Piece
    from spice_server.agent.policy import AgentPolicy
    from spice_server.channel.pipe import Buffer
    from spice_server.limited_log import LimitedLog
    from vd_interfaces.qxl import MonitorsConfig

__all__ = ["AgentClient", "AgentPeer", "AgentRouter"]

MAX_BACKLOG: Final = 1024 * 1024
"""Bytes from the agent that wait for a client.  The port is paused as soon as one byte
waits; what it had read already is less than that."""


class AgentPeer(Protocol):
    """What a client's main channel does for the agent."""

    @property
    def log(self) -> LimitedLog:
        """Where lines about this client go."""

    def send(self, kind: int, *body: Buffer) -> None:
        """Send a message of the main channel."""

    def fail(self, error: Exception) -> None:
        """End the client because of what it did."""

    @property
    def congested(self) -> bool:
        """Whether so much waits for the client's socket that more should not come."""


class AgentRouter(Protocol):
    """What clients see of the agent."""

    policy: AgentPolicy

    @property
    def connected(self) -> bool:
        """Whether somebody answers as the guest's agent."""

    @property
    def has_guest(self) -> bool:
        """Whether it is the guest's own agent that answers."""

    @property
    def takes_monitors(self) -> bool:
        """Whether the displays take monitor layouts themselves."""

    def apply_monitors(self, config: MonitorsConfig) -> None:
        """Ask the displays for a monitor layout."""

    def client_wrote(self, client: AgentClient) -> None:
        """Pass on what *client* has put into ``outgoing``."""

    def client_reads(self, client: AgentClient) -> None:
        """Go on with a client that may take more now."""


class AgentClient:
    """A client that knows of the agent; it may listen and speak once it asked to."""

    def __init__(self, agent: AgentRouter, peer: AgentPeer, *, renewed: bool) -> None:
        """Begin a session, whose INIT is sent next.

        Args:
            agent: what it is told of.
            peer: the client's main channel.
            renewed: whether it has the capability AGENT_CONNECTED_TOKENS.

        """
        self.tokens = AgentTokens(connected=agent.connected, renewed=renewed)
        self.outgoing: deque[tuple[bytes, bool]] = deque()
        """Pieces for the guest's agent, and whether a message ends with each."""
        self.stream = ClientStream(self._judge)
        self._renewed = renewed
        self._agent = agent
        self._peer = peer
        self._display = DisplayAgent(agent.apply_monitors, peer.log)
        self._incoming: deque[bytes] = deque()
        self._backlog = 0
        """Bytes in ``_incoming``; thousands of the smallest messages may wait there."""
        self._in_message = False
        """Whether it is in the middle of a message of the guest's agent."""
        self._told = agent.connected
        """Whether the last it was told is that an agent is there."""
        self._outdated = False
        """Whether that agent is gone."""

    # -- the agent comes and goes ----------------------------------------------

    def agent_changed(self) -> None:
        """Forget what was under way: the agent went, came, or is another one now."""
        self.tokens.disconnected()
        self.stream.cut()
        self.give_back(len(self.outgoing))
        self.outgoing.clear()
        self._incoming.clear()
        self._backlog = 0
        self._in_message = False
        self._outdated = self._told
        self._tell()

    def _tell(self) -> None:
        """Tell of the agent, if there is news and room for it.

        A client that does not read misses agents that came and went meanwhile.
        """
        if self._peer.congested:
            return
        if self._outdated:
            body = SpiceMsgMainAgentDisconnected(SpiceLinkErr.OK).pack()
            self._peer.send(MainMsg.AGENT_DISCONNECTED, body)
            self._outdated = self._told = False
        if self._told or not self._agent.connected:
            return
        self._told = True
        self.tokens.connected()
        if self._renewed:
            body = SpiceMsgMainAgentToken(AGENT_TOKENS).pack()
            self._peer.send(MainMsg.AGENT_CONNECTED_TOKENS, body)
        else:
            self._peer.send(MainMsg.AGENT_CONNECTED)

    # -- from the client -------------------------------------------------------

    def handle_start(self, num_tokens: int) -> None:
        """AGENT_START: the client listens to the agent from its next message on."""
        self.tokens.handle_start(num_tokens)
        self._agent.client_reads(self)

    def handle_token(self, num_tokens: int) -> None:
        """AGENT_TOKEN: the client takes that many more messages."""
        self.tokens.handle_token(num_tokens)
        self._agent.client_reads(self)

    def handle_data(self, data: memoryview) -> None:
        """AGENT_DATA: a piece of a message.

        Raises:
            ClientError: not the agent's protocol, or more than it has tokens for.

        """
        self.tokens.handle_data(len(data))
        part = self.stream.feed(data)
        if part.verdict is Verdict.PASS:
            self.outgoing.append((bytes(data), part.last))
            self._agent.client_wrote(self)
            return
        if part.verdict is Verdict.GATHER and part.last:
            for answer in self._display.handle(part.type, part.message):
                if not self._agent.has_guest and self.tokens.may_send():
                    self._peer.send(MainMsg.AGENT_DATA, answer)
        self.give_back()

    def _judge(self, kind: int, size: int) -> Verdict:
        """Decide what becomes of a message; see :class:`ClientStream`."""
        if not self.tokens.started or len(self.outgoing) >= AGENT_TOKENS:
            return Verdict.DISCARD
        guest = self._agent.has_guest
        if kind == VDAgentMessageType.MONITORS_CONFIG and self._agent.takes_monitors:
            return Verdict.GATHER if size <= MAX_MESSAGE else Verdict.DISCARD
        if guest:
            allowed = self._agent.policy.allows(kind)
            return Verdict.PASS if allowed else Verdict.DISCARD
        if kind == VDAgentMessageType.ANNOUNCE_CAPABILITIES and size <= MAX_MESSAGE:
            return Verdict.GATHER
        return Verdict.DISCARD

    def give_back(self, pieces: int = 1) -> None:
        """Count *pieces* of its messages as dealt with."""
        tokens = self.tokens.give_back(pieces)
        if tokens:
            body = SpiceMsgMainAgentToken(tokens).pack()
            self._peer.send(MainMsg.AGENT_TOKEN, body)

    # -- from the guest's agent ------------------------------------------------

    @property
    def blocked(self) -> bool:
        """Whether something waits for its tokens or its socket."""
        return bool(self._incoming)

    def deliver(self, piece: Piece) -> None:
        """Let it have a piece of a message, unless it missed the beginning."""
        if piece.first:
            self._in_message = self.tokens.started
        if not self._in_message:
            return
        self._in_message = not piece.last
        self._incoming.append(piece.data)
        self._backlog += len(piece.data)
        self.flush()
        if self._backlog > MAX_BACKLOG:
            self.fail(f"more than {MAX_BACKLOG} bytes of the agent wait for it")

    def flush(self) -> None:
        """Send what its tokens and its socket allow."""
        self._tell()
        while self._incoming and not self._peer.congested and self.tokens.may_send():
            data = self._incoming.popleft()
            self._backlog -= len(data)
            self._peer.send(MainMsg.AGENT_DATA, data)

    def fail(self, reason: str) -> None:
        """End the client: it is too slow for the others."""
        self._peer.fail(SlowClientError(reason))
