"""Names of channels and messages for logs and errors, from the protocol's tables."""

from __future__ import annotations

from spice_protocol.enums import ChannelType

__all__ = ["channel_name", "msgc_name"]


def channel_name(channel_type: int, channel_id: int) -> str:
    """Return ``display:0``."""
    try:
        name = ChannelType(channel_type).name.lower()
    except ValueError:
        name = str(channel_type)
    return f"{name}:{channel_id}"


def msgc_name(channel_type: int, kind: int) -> str:
    """Return the name of a client's message."""
    return f"message {kind}"
