"""The images of DRAW_COPY messages in ``shared/corpus/captures`` (libspice-server's)."""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from spice_protocol.enums import SpiceImageType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["SCREEN", "CapturedImage", "captured_images", "expected_screen", "paint"]

CAPTURES = Path(__file__).parents[3] / "shared" / "corpus" / "captures"
SCREEN = (480, 640)
"""Rows and columns of what the compression-* captures are about."""

_RECORD = struct.Struct("<dHBI")  # time, connection, kind, length
_FROM_SERVER = 1
_LINK_HEADER = struct.Struct("<4sIII")
_MESSAGE = struct.Struct("<HI")  # mini header
_DRAW_COPY = 304
_SURFACE_CREATE = 314
_BOX = struct.Struct("<iiii")
_DESCRIPTOR_SIZE = 18


@dataclass(slots=True)
class CapturedImage:
    """One image as it was sent, and where it was drawn."""

    top: int
    left: int
    type: SpiceImageType
    data: bytes
    """An LZ or GLZ image; inflated, if the message has it deflated."""
    surface: tuple[int, int] = (0, 0)
    """Rows and columns of the screen at that time."""


def _streams(path: Path) -> list[bytearray]:
    """Return what the server sent on each connection."""
    raw = gzip.decompress(path.read_bytes())
    position = raw.index(b"\n", raw.index(b"\n") + 1) + 1
    streams: dict[int, bytearray] = {}
    while position < len(raw):
        _, connection, kind, length = _RECORD.unpack_from(raw, position)
        position += _RECORD.size + length
        if kind == _FROM_SERVER:
            streams.setdefault(connection, bytearray()).extend(
                raw[position - length : position]
            )
    return list(streams.values())


def _messages(stream: bytearray) -> Iterator[tuple[int, bytes]]:
    """Yield type and body of the messages behind the link stage."""
    position = _LINK_HEADER.size + _LINK_HEADER.unpack_from(stream)[3] + 4
    while position + _MESSAGE.size <= len(stream):
        kind, size = _MESSAGE.unpack_from(stream, position)
        position += _MESSAGE.size + size
        yield kind, bytes(stream[position - size : position])


def _image(body: bytes) -> CapturedImage | None:
    top, left, _, _ = _BOX.unpack_from(body, 4)
    clip = 21 if body[20] == 0 else 25 + 16 * int.from_bytes(body[21:25], "little")
    offset = int.from_bytes(body[clip : clip + 4], "little")
    kind, at = SpiceImageType(body[offset + 8]), offset + _DESCRIPTOR_SIZE
    if kind in {SpiceImageType.LZ_RGB, SpiceImageType.GLZ_RGB}:
        size = int.from_bytes(body[at : at + 4], "little")
        data = body[at + 4 : at + 4 + size]
    elif kind == SpiceImageType.ZLIB_GLZ_RGB:
        plain, size = struct.unpack_from("<II", body, at)
        data = zlib.decompress(body[at + 8 : at + 8 + size])
        assert len(data) == plain
    else:
        return None
    return CapturedImage(top, left, kind, data)


def captured_images(name: str) -> list[CapturedImage]:
    """Return the LZ and GLZ images of a capture; skip if the corpus is not here."""
    path = CAPTURES / f"{name}.spcap.gz"
    if not path.exists():
        pytest.skip("needs ../shared/corpus/captures")
    images = []
    surface = (0, 0)
    for stream in _streams(path):
        for kind, body in _messages(stream):
            if kind == _SURFACE_CREATE:
                _, width, height = struct.unpack_from("<III", body)
                surface = height, width
            elif kind == _DRAW_COPY and (image := _image(body)) is not None:
                image.surface = surface
                images.append(image)
    return images


def expected_screen() -> NDArray[np.uint8]:
    """Return what a client showed on it: rows of red, green, blue."""
    with Image.open(CAPTURES / "compression-expected-640x480.png") as picture:
        return np.asarray(picture.convert("RGB"))


def paint(
    screen: NDArray[np.uint8], image: CapturedImage, width: int, pixels: bytes
) -> None:
    """Draw 32-bit *pixels* where the image was drawn, if it was on such a screen."""
    rows = np.frombuffer(pixels, np.uint8).reshape(-1, width, 4)[:, :, 2::-1]
    bottom, right = image.top + rows.shape[0], image.left + width
    if image.surface == screen.shape[:2]:
        screen[image.top : bottom, image.left : right] = rows
