"""Pictures as files: PNG and PPM."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spice_common.region import Box

__all__ = ["Picture"]

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


@dataclass(slots=True)
class Picture:
    """Red, green and blue, a byte each, top row first."""

    width: int
    height: int
    rgb: bytes = field(repr=False)

    def cropped(self, part: Box) -> Picture:
        """Return the pixels of *part* that the picture has; perhaps none."""
        left, top = max(part.left, 0), max(part.top, 0)
        width = max(0, min(part.right, self.width) - left)
        height = max(0, min(part.bottom, self.height) - top)
        row, size = 3 * self.width, 3 * width
        starts = (y * row + 3 * left for y in range(top, top + height))
        rgb = b"".join(self.rgb[start : start + size] for start in starts)
        return Picture(width, height, rgb)

    def png(self) -> bytes:
        """Return a PNG file (PNG specification, colour type 2, no filter)."""
        row = 3 * self.width
        starts = range(0, row * self.height, row)
        raw = b"".join(b"\0" + self.rgb[start : start + row] for start in starts)
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        return b"".join(
            (
                _PNG_SIGNATURE,
                _chunk(b"IHDR", header),
                _chunk(b"IDAT", zlib.compress(raw, 6)),
                _chunk(b"IEND", b""),
            )
        )

    def ppm(self) -> bytes:
        """Return a PPM file (``P6``)."""
        return b"P6\n%d %d\n255\n" % (self.width, self.height) + self.rgb
