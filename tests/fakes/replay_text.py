"""Small "SPICE_REPLAY 1" files, as spice-server writes them."""

from __future__ import annotations

import struct

__all__ = [
    "HEADER",
    "create_primary",
    "cursor_set",
    "event",
    "fill",
    "message",
    "replay_file",
    "surface",
]

HEADER = b"SPICE_REPLAY 1\n"
START_NS = 3_403_958_239_935
NO_SURFACE = b"surfaces_dest -1\nrect surfaces_rects 0 0 0 0\n"


def event(what: int, kind: int, body: bytes = b"", *, after: float = 0.0) -> bytes:
    """Return an event, *after* so many seconds since the first."""
    line = f"event 0 {what} {kind} {START_NS + int(after * 1e9)}\n"
    return line.encode() + body


def message(kind: int, *, after: float = 0.0) -> bytes:
    """Return a device message without a body."""
    return event(1, kind, after=after)


def create_primary(width: int, height: int, color: int = 0) -> bytes:
    """Return the making of a primary surface of one colour."""
    pixels = struct.pack("<I", color) * (width * height)
    sizes = f"{width} {height} {width * 4} 32\n0 1 1 0\n".encode()
    return event(1, 20, sizes + binary("data", pixels))


def binary(name: str, data: bytes) -> bytes:
    """Return a binary block."""
    return f"binary 0 {name} {len(data)}:".encode() + data + b"\n"


def fill(
    left: int,
    top: int,
    right: int,
    bottom: int,
    color: int,
    *,
    surface_id: int = 0,
    after: float = 0.0,
) -> bytes:
    """Return a FILL of one colour."""
    body = (
        f"drawable\nrect bbox {top} {left} {bottom} {right}\ntype 0\neffect 1\n"
        "mm_time 0\nself_bitmap 0\nrect self_bitmap_area 0 0 0 0\n"
        f"surface_id {surface_id}\n".encode()
        + 3 * NO_SURFACE
        + f"type 1\ntype 1\nu.color {color}\nrop_descriptor 8\nflags 0\n"
        "point 0 0\nimage 0\n".encode()
    )
    return event(0, 1, body, after=after)


def surface(surface_id: int, width: int, height: int) -> bytes:
    """Return the making of an off-screen surface."""
    body = (
        f"surface_cmd\nsurface_id {surface_id}\ntype 0\nflags 0\n"
        f"u.surface_create.format 32\nu.surface_create.width {width}\n"
        f"u.surface_create.height {height}\nu.surface_create.stride {width * 4}\n"
    )
    return event(0, 5, body.encode())


def cursor_set(x: int, y: int) -> bytes:
    """Return a cursor of 2 x 2 pixels at *x*, *y*."""
    body = (
        f"cursor_cmd\ntype 0\npoint16 {x} {y}\nu.set.visible 1\nheader.unique 0\n"
        "header.type 0\nheader.width 2\nheader.height 2\nheader.hot_spot_x 0\n"
        "header.hot_spot_y 0\ndata_size 16\ndata_chunks 0 16\n"
    )
    return event(0, 3, body.encode() + binary("cursor", bytes(range(16))))


def replay_file(*events: bytes) -> bytes:
    """Return a file of *events*."""
    return HEADER + b"".join(events)
