"""How a client's pictures are made.

The operator's choice, what the client asks for and can read, and what its link bears.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spice_common.pending import PendingSettings
from spice_protocol.enums import SpiceImageCompression
from spice_protocol.protocol import DisplayCap

if TYPE_CHECKING:
    from spice_server.channel.link_info import LinkInfo

__all__ = [
    "COMPRESSIONS",
    "WAN_MODES",
    "Compression",
    "choose_settings",
    "draws_little",
]

COMPRESSIONS: Final = ("off", "auto_glz", "auto_lz", "quic", "glz", "lz", "lz4")
"""Names of ``-spice image-compression``, and lz4, which QEMU has no name for."""

WAN_MODES: Final = ("auto", "never", "always")
"""Names of ``-spice jpeg-wan-compression`` and ``zlib-glz-wan-compression``."""


@dataclass(frozen=True, slots=True)
class Compression:
    """What the operator wants."""

    images: str = "auto_glz"
    """One of :data:`COMPRESSIONS`."""
    jpeg: str = "auto"
    """One of :data:`WAN_MODES`; auto: for links that are slow."""
    zlib_glz: str = "auto"
    """The same for zlib over GLZ."""


def choose_settings(
    wanted: Compression, link: LinkInfo, *, preferred: int = 0, channel: int = 0
) -> PendingSettings:
    """Choose for one client.

    Args:
        wanted: the operator's choice.
        link: what the client can do.
        preferred: ``SPICE_IMAGE_COMPRESSION_*`` the client asked for; 0: none.
        channel: id of the display.

    """
    compression = preferred or SpiceImageCompression[wanted.images.upper()]
    pictures = draws_little(link)
    lz4 = link.has_capability(DisplayCap.LZ4_COMPRESSION)
    if compression == SpiceImageCompression.LZ4 and not lz4:
        compression = SpiceImageCompression.LZ
    return PendingSettings(
        compression=compression,
        # spice-html5 draws a JPEG when it was decoded, maybe over what came later.
        jpeg=not pictures and _for_wan(wanted.jpeg, low_bandwidth=link.low_bandwidth),
        zlib_glz=_for_wan(wanted.zlib_glz, low_bandwidth=link.low_bandwidth),
        lz4=lz4,
        composite=link.has_capability(DisplayCap.COMPOSITE),
        channel=channel,
        pictures=pictures,
    )


def draws_little(link: LinkInfo) -> bool:
    """Whether it is spice-html5, which ignores clips and rops, and most commands.

    It tells of MULTI_CODEC, of 2016, and not of COMPOSITE, of 2012; nobody else does.
    """
    return link.has_capability(DisplayCap.MULTI_CODEC) and not link.has_capability(
        DisplayCap.COMPOSITE
    )


def _for_wan(mode: str, *, low_bandwidth: bool) -> bool:
    return mode == "always" or (mode == "auto" and low_bandwidth)
