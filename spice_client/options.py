"""What a client may be told to be like: capabilities, caches, wishes, slowness."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spice_protocol.enums import ChannelType
from spice_protocol.protocol import SpiceCommonCap

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["COMMON_CAPABILITIES", "ClientOptions"]

COMMON_CAPABILITIES = (
    SpiceCommonCap.PROTOCOL_AUTH_SELECTION,
    SpiceCommonCap.AUTH_SPICE,
    SpiceCommonCap.MINI_HEADER,
)


@dataclass(slots=True, frozen=True)
class ClientOptions:
    """How a client presents itself and behaves; the defaults are a good client's."""

    common_capabilities: tuple[int, ...] = COMMON_CAPABILITIES
    """Bit numbers every channel announces; without MINI_HEADER, headers are long."""
    channel_capabilities: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """Bit numbers to announce instead of a channel type's own."""
    channels: Collection[int] = (
        ChannelType.DISPLAY,
        ChannelType.INPUTS,
        ChannelType.CURSOR,
    )
    """``SPICE_CHANNEL_*`` to open besides the main channel."""
    image_cache_pixels: int = 20 << 20
    """Size of the image cache offered to the server."""
    glz_window_pixels: int = 4 << 20
    """Size of the GLZ window offered to the server, at most 2^25."""
    preferred_compression: int | None = None
    """``SPICE_IMAGE_COMPRESSION_*`` to ask for; ``None``: as the server likes."""
    preferred_codecs: tuple[int, ...] = ()
    """``SPICE_VIDEO_CODEC_TYPE_*`` to ask for, the most wanted first."""
    paint: bool = True
    """Without, what displays send is counted and thrown away."""
    max_mbps: float = 0.0
    """Read display channels at no more than this, in 10^6 bits a second; 0: as fast as
    they come."""
    reply_delay_s: float = 0.0
    """Hold back what the client sends, as a network with that round trip would."""
    timeout_s: float = 10.0
    """How long to wait for each answer while connecting, in seconds."""
