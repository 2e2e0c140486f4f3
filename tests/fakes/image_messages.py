"""Display messages around images that are bytes already."""

from __future__ import annotations

import struct

from spice_protocol.enums import SpiceImageType, SpiceRopd
from spice_protocol.messages.display import DisplayMsg, SpiceMsgDisplaySurfaceCreate
from tests.fakes.spice_peer import framed

__all__ = ["cached_image", "draw_copy", "surface_create"]

_BASE = struct.Struct("<I4iB")
_COPY = struct.Struct("<I4iHBBiiI")


def draw_copy(
    image: bytes,
    width: int,
    height: int,
    *,
    surface_id: int = 0,
    x: int = 0,
    y: int = 0,
) -> bytes:
    """Return a DRAW_COPY, with its header, of all of *image* to x, y."""
    base = _BASE.pack(surface_id, y, x, y + height, x + width, 0)
    offset = _BASE.size + _COPY.size
    copy = _COPY.pack(offset, 0, 0, height, width, SpiceRopd.OP_PUT, 0, 0, 0, 0, 0)
    return framed(DisplayMsg.DRAW_COPY, base + copy + image)


def cached_image(
    image_id: int,
    width: int,
    height: int,
    kind: SpiceImageType = SpiceImageType.FROM_CACHE,
) -> bytes:
    """Return an image that is only a reference."""
    return struct.pack("<QBBII", image_id, kind, 0, width, height)


def surface_create(
    surface_id: int, width: int, height: int, format_: int, flags: int = 0
) -> bytes:
    """Return a SURFACE_CREATE with its header."""
    message = SpiceMsgDisplaySurfaceCreate(surface_id, width, height, format_, flags)
    return framed(DisplayMsg.SURFACE_CREATE, message)
