"""Flow control between one client and the agent."""

from __future__ import annotations

from typing import Final

from spice_protocol.vd_agent import VD_AGENT_MAX_DATA_SIZE
from spice_server.errors import ClientError

__all__ = ["AGENT_TOKENS", "AgentTokens"]

AGENT_TOKENS: Final = 10
"""AGENT_DATA messages a client may send before it gets more tokens."""

TOKENS_AT_ONCE: Final = 5
"""Tokens are given back in such bunches, as stock does."""


class AgentTokens:
    """Tokens of one client, in both directions; sans I/O.

    Clients answer the news of an agent with AGENT_START, and count anew from then on.
    What comes before that answer was meant for an agent that is gone: it costs no
    token and leads nowhere, however often agents come and go meanwhile.  Clients
    without the capability AGENT_CONNECTED_TOKENS count through: everything they send
    costs a token and brings it back.
    """

    def __init__(self, *, connected: bool, renewed: bool) -> None:
        """Begin a session.

        Args:
            connected: INIT tells of an agent.
            renewed: the client has the capability AGENT_CONNECTED_TOKENS.

        """
        self.tokens = AGENT_TOKENS
        """AGENT_DATA messages the client may still send."""
        self.client_tokens = 0
        """Messages the client still takes."""
        self._renewed = renewed
        self._connected = connected
        self._unanswered = int(connected)
        self._heard = False
        self._used = 0

    @property
    def started(self) -> bool:
        """Whether the client listens and speaks to the agent that is there now."""
        return self._connected and self._heard and not self._unanswered

    def connected(self) -> None:
        """Account for AGENT_CONNECTED or AGENT_CONNECTED_TOKENS being sent."""
        self._connected = True
        self._unanswered += 1
        self.client_tokens = 0

    def disconnected(self) -> None:
        """Account for AGENT_DISCONNECTED being sent."""
        self._connected = False
        self.client_tokens = 0

    def handle_start(self, num_tokens: int) -> None:
        """AGENT_START: the client listens to the agent."""
        self._heard = True
        was_started = self.started
        self._unanswered = max(self._unanswered - 1, 0)
        if not self.started:
            return
        if self._renewed and not was_started:
            self.tokens = AGENT_TOKENS
            self._used = 0
        self.client_tokens = num_tokens

    def handle_token(self, num_tokens: int) -> None:
        """AGENT_TOKEN: the client takes that many more messages."""
        if not self._heard:
            raise ClientError("without AGENT_START")
        if self.started:  # else it was for the agent before
            self.client_tokens = min(self.client_tokens + num_tokens, 0xFFFFFFFF)

    def handle_data(self, size: int) -> None:
        """AGENT_DATA: a piece of *size* bytes of a message.

        Raises:
            ClientError: too long, or more messages than the client has tokens.

        """
        if size > VD_AGENT_MAX_DATA_SIZE:
            raise ClientError(f"{size} bytes, at most {VD_AGENT_MAX_DATA_SIZE}")
        if self._renewed and not self.started:
            return
        if not self.tokens:
            raise ClientError("more messages than tokens")
        self.tokens -= 1

    def give_back(self, pieces: int = 1) -> int:
        """Count *pieces* as dealt with; the tokens to send for all so far, or 0."""
        if self._renewed and not self.started:
            return 0
        self._used += pieces
        if self._used < TOKENS_AT_ONCE:
            return 0
        tokens, self._used = self._used, 0
        self.tokens += tokens
        return tokens

    def may_send(self) -> bool:
        """Take one of the client's tokens; False if it has none left."""
        if not self.client_tokens:
            return False
        self.client_tokens -= 1
        return True
