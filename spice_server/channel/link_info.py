"""What a link agreed on: the facts a channel needs about a client's connection."""

from __future__ import annotations

from dataclasses import dataclass

from spice_protocol.protocol import has_capability

__all__ = ["LinkInfo"]


@dataclass(slots=True)
class LinkInfo:
    """One authenticated link."""

    session_id: int
    """The connection id all channels of one client share."""
    channel_type: int
    channel_id: int
    common_caps: tuple[int, ...]
    """What the client said it can do, common to all channels."""
    channel_caps: tuple[int, ...]
    """What the client said it can do on this channel."""
    mini_header: bool
    tls: bool
    low_bandwidth: bool = False
    """Whether the client's link was measured as slow when this one was made."""

    def has_capability(self, capability: int) -> bool:
        """Tell whether the client has *capability* of this channel's type."""
        return has_capability(self.channel_caps, capability)
