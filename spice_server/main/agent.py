"""Flow control between one client and the agent."""

from __future__ import annotations

from typing import Final

from spice_server.errors import ClientError

__all__ = ["AGENT_TOKENS", "MAX_AGENT_DATA", "AgentLink"]

AGENT_TOKENS: Final = 10
"""AGENT_DATA messages a client may send before it gets more tokens."""

TOKENS_AT_ONCE: Final = 5
"""Tokens are given back in such bunches, as stock does."""

MAX_AGENT_DATA: Final = 2048
"""Bytes per AGENT_DATA message: VD_AGENT_MAX_DATA_SIZE."""


class AgentLink:
    """Tokens of one client, in both directions; sans I/O."""

    def __init__(self) -> None:
        self.tokens = AGENT_TOKENS
        """AGENT_DATA messages the client may still send."""
        self.client_tokens: int | None = None
        """Messages the client takes; ``None``: it did not ask for the agent."""
        self._used = 0
        self._restarted = False

    def restart(self) -> None:
        """Begin anew with another agent.

        What the client sent to the one before may still be under way, and clients are
        not to blame for agents that come and go: its tokens stay good.
        """
        self.tokens += AGENT_TOKENS
        self.client_tokens = None
        self._used = 0
        self._restarted = True

    def handle_start(self, num_tokens: int) -> None:
        """AGENT_START: the client listens to the agent."""
        self.client_tokens = num_tokens

    def handle_token(self, num_tokens: int) -> None:
        """AGENT_TOKEN: the client takes that many more messages."""
        if self.client_tokens is None:
            if self._restarted:
                return  # it was for the agent before
            raise ClientError("without AGENT_START")
        self.client_tokens = min(self.client_tokens + num_tokens, 0xFFFFFFFF)

    def handle_data(self, data: memoryview) -> None:
        """AGENT_DATA: a piece of a message.

        Raises:
            ClientError: too long, or more messages than the client has tokens.

        """
        if len(data) > MAX_AGENT_DATA:
            raise ClientError(f"{len(data)} bytes, at most {MAX_AGENT_DATA}")
        if not self.tokens:
            raise ClientError("more messages than tokens")
        self.tokens -= 1

    def give_back(self) -> int:
        """Count a piece as dealt with; the tokens to send for it and others, or 0."""
        self._used += 1
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
