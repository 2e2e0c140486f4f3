"""Agent messages of one client.

The guest's agent is not connected yet in this version: what a client sends to it is
checked, counted and dropped.
"""

from __future__ import annotations

from typing import Final

from spice_server.errors import ClientError

__all__ = ["AGENT_TOKENS", "MAX_AGENT_DATA", "AgentLink"]

AGENT_TOKENS: Final = 10
"""AGENT_DATA messages a client may send before it gets more tokens."""

MAX_AGENT_DATA: Final = 2048
"""Bytes per AGENT_DATA message: VD_AGENT_MAX_DATA_SIZE."""


class AgentLink:
    """Flow control between one client and the agent; sans I/O."""

    def __init__(self) -> None:
        self.tokens = AGENT_TOKENS
        """AGENT_DATA messages the client may still send."""
        self.client_tokens: int | None = None
        """Messages the client takes; ``None``: it did not ask for the agent."""

    def handle_start(self, num_tokens: int) -> None:
        """AGENT_START: the client listens to the agent."""
        self.client_tokens = num_tokens

    def handle_token(self, num_tokens: int) -> None:
        """AGENT_TOKEN: the client takes that many more messages."""
        if self.client_tokens is None:
            raise ClientError("without AGENT_START")
        self.client_tokens = min(self.client_tokens + num_tokens, 0xFFFFFFFF)

    def handle_data(self, data: memoryview) -> None:
        """AGENT_DATA: a piece of a message; there is no agent to pass it on to.

        Raises:
            ClientError: too long, or more messages than the client has tokens.

        """
        if len(data) > MAX_AGENT_DATA:
            raise ClientError(f"{len(data)} bytes, at most {MAX_AGENT_DATA}")
        if not self.tokens:
            raise ClientError("more messages than tokens")
        self.tokens -= 1
