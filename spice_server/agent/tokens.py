"""Flow control between one client and the agent."""

from __future__ import annotations

from typing import Final

from spice_protocol.vd_agent import VD_AGENT_MAX_DATA_SIZE
from spice_server.errors import ClientError

__all__ = ["AGENT_TOKENS", "MAX_UNSURE", "AgentTokens"]

AGENT_TOKENS: Final = 10
"""AGENT_DATA messages a client may send before it gets more tokens."""

TOKENS_AT_ONCE: Final = 5
"""Tokens are given back in such bunches, as stock does."""


MAX_UNSURE: Final = 6 * AGENT_TOKENS
"""Messages in hand of a client that got tokens while it was not known which agent they
were for.  New messages of the agent protocol are discarded while ten of these are in
hand; the longest that spice-gtk may have begun, a piece of a file, has 33 more."""


class AgentTokens:
    """Tokens of one client, in both directions; sans I/O.

    Clients answer the news of an agent with AGENT_START and count anew from then on.
    What comes before was meant for an agent that is gone: it costs no token and leads
    nowhere.  When agents follow each other faster than answers, nobody can tell which
    of them an answer is for.  Until all are in, nobody is blamed for too many
    messages; what does not fit is discarded.  Clients without the capability
    AGENT_CONNECTED_TOKENS count through: everything they send costs a token and brings
    it back.
    """

    def __init__(self, *, connected: bool, renewed: bool) -> None:
        """Begin a session.

        Args:
            connected: INIT tells of an agent.
            renewed: the client has the capability AGENT_CONNECTED_TOKENS.

        """
        self.tokens = AGENT_TOKENS
        """AGENT_DATA messages the client may still send, once it is known."""
        self.client_tokens = 0
        """Messages the client still takes."""
        self._renewed = renewed
        self._connected = connected
        self._unanswered = int(connected)
        """News of agents without an answer so far."""
        self._heard = False
        """Whether there was an answer since the last news."""
        self._ever_heard = False
        self._held = 0
        """Messages that are not dealt with."""
        self._used = 0
        """Messages that are dealt with and did not bring a token back yet."""
        self._granted = 0
        """Tokens given back since the last news."""

    @property
    def started(self) -> bool:
        """Whether the client listens and speaks to the agent that is there now."""
        return self._connected and self._heard

    def connected(self) -> None:
        """Account for AGENT_CONNECTED or AGENT_CONNECTED_TOKENS being sent."""
        self._connected = True
        self._unanswered += 1
        self._heard = False
        self._granted = 0
        self.client_tokens = 0

    def disconnected(self) -> None:
        """Account for an agent that is gone, and for messages dropped with it."""
        self._connected = self._heard = False
        self.client_tokens = 0
        if self._renewed:
            self._held = self._used = 0

    def handle_start(self, num_tokens: int) -> None:
        """AGENT_START: the client listens to the agent."""
        self._ever_heard = True
        news = self._unanswered
        self._unanswered = max(news - 1, 0)
        if not self._connected:
            return
        self._heard = True
        self.client_tokens = num_tokens
        if news == 1 and self._renewed:
            self.tokens = AGENT_TOKENS + self._granted

    def handle_token(self, num_tokens: int) -> None:
        """AGENT_TOKEN: the client takes that many more messages."""
        if not self._ever_heard:
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
        if self._held >= MAX_UNSURE:
            raise ClientError("far more messages than tokens")
        if not (self._renewed and self._unanswered):
            if not self.tokens:
                raise ClientError("more messages than tokens")
            self.tokens -= 1
        self._held += 1

    def give_back(self, pieces: int = 1) -> int:
        """Count *pieces* as dealt with; the tokens to send for all so far, or 0."""
        if self._renewed and not self.started:
            return 0
        self._held -= pieces
        self._used += pieces
        if self._used < TOKENS_AT_ONCE:
            return 0
        tokens, self._used = self._used, 0
        self.tokens += tokens
        self._granted += tokens
        return tokens

    def may_send(self) -> bool:
        """Take one of the client's tokens; False if it has none left."""
        if not self.client_tokens:
            return False
        self.client_tokens -= 1
        return True
