"""Pictures as files: PNG and PPM."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

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
