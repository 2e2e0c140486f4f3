"""lz: literal streams, every type there and back, damaged data, real captures."""

from __future__ import annotations

import hashlib
import random
import struct
from pathlib import Path

import numpy as np
import pytest

from spice_common.lz import LzEncoder, LzHeader, LzImageType, decode, decode_header
from spice_protocol.enums import SpiceImageType
from tests.peers.captured_images import (
    SCREEN,
    captured_images,
    expected_screen,
    paint,
)

ENCODER = LzEncoder()
VECTORS = Path(__file__).parents[2] / "vectors/spice_common/lz"
HEADER = struct.Struct(">7I")


def header(
    image_type: int, width: int, height: int, stride: int, top_down: int = 1
) -> bytes:
    return HEADER.pack(
        0x20205A4C, 0x00010001, image_type, width, height, stride, top_down
    )


def compared(image_type: LzImageType, pixels: bytes | bytearray) -> bytes:
    """The bits of pixels that an image keeps."""
    masks = {
        LzImageType.RGB16: b"\xff\x7f",
        LzImageType.RGB32: b"\xff\xff\xff\0",
        LzImageType.XXXA: b"\0\0\0\xff",
    }
    mask = masks.get(image_type, b"\xff")
    return bytes(byte & mask[i % len(mask)] for i, byte in enumerate(pixels))


def picture(image_type: LzImageType, width: int, height: int, kind: str) -> bytes:
    """Rows with runs, repeats and noise, always the same."""
    rng = random.Random(f"{image_type} {width} {height} {kind}")
    size = image_type.row_size(width)
    row = rng.randbytes(size)
    rows = []
    for y in range(height):
        if kind == "noise" or (kind == "mixed" and y % 5 == 0):
            row = rng.randbytes(size)
        elif kind == "flat":
            row = bytes(size)
        elif y % 3 == 0:
            row = row[: size // 2] + rng.randbytes(size - size // 2)
        rows.append(row)
    return b"".join(rows)


@pytest.mark.parametrize("kind", ["flat", "noise", "mixed", "rows"])
@pytest.mark.parametrize(
    "size", [(1, 1), (2, 1), (3, 5), (17, 13), (1, 300), (333, 41)]
)
@pytest.mark.parametrize("image_type", LzImageType)
def test_there_and_back(
    image_type: LzImageType, size: tuple[int, int], kind: str
) -> None:
    pixels = picture(image_type, *size, kind)
    description = LzHeader(image_type, *size, top_down=False)

    image = decode(ENCODER.encode(description, pixels))

    assert image.header == description
    assert compared(image_type, image.pixels) == compared(image_type, pixels)


def test_gaps_between_rows_are_not_encoded() -> None:
    description = LzHeader(LzImageType.RGB24, 5, 3, top_down=True)
    rows = [bytes(range(15 * y, 15 * y + 15)) for y in range(3)]
    gapped = b"gap".join(rows)

    assert decode(ENCODER.encode(description, gapped, 18)).pixels == b"".join(rows)


def test_a_stream_by_hand() -> None:
    near = b"\x00" + b"\x01\x02\x03" + b"\x60\x00"  # a pixel, thrice again
    data = header(LzImageType.RGB32, 4, 1, 16) + near

    assert decode(data).pixels == bytes.fromhex("01020300") * 4


def test_rgb16_becomes_rgb32() -> None:
    data = header(LzImageType.RGB16, 4, 1, 8) + b"\x03\x7f\xff\x7c\x00\x03\xe0\x80\x10"

    pixels = decode(data, LzImageType.RGB32).pixels

    assert pixels.hex(" ", 4) == "ffffff00 0000ff00 00ff0000 84000000"


def test_the_header_is_big_endian_and_says_the_type() -> None:
    description = LzHeader(LzImageType.PLT4_BE, 3, 1, top_down=True)

    data = ENCODER.encode(description, b"\x12\x30")

    assert data == header(LzImageType.PLT4_BE, 3, 1, 2) + b"\x01\x12\x30"
    assert decode_header(data) == description


DAMAGED = {
    "empty": b"",
    "no magic": bytes(40),
    "type 0": header(0, 1, 1, 4) + b"\0\1\2\3",
    "type 12": header(12, 1, 1, 1) + b"\0\1",
    "no width": header(8, 0, 1, 0) + b"\0\1\2\3",
    "too large": header(8, 1 << 31, 1 << 31, 4) + b"\0\1\2\3",
    "stride": header(8, 1, 1, 8) + b"\0\1\2\3",
    "no packets": header(8, 1, 1, 4),
    "half a literal": header(8, 1, 1, 4) + b"\0\1\2",
    "a literal too many": header(8, 1, 1, 4) + b"\1\1\2\3\1\2\3",
    "a match too long": header(8, 2, 1, 8) + b"\0\1\2\3\x40\0",
    "a match before the start": header(8, 2, 1, 8) + b"\0\1\2\3\x20\1",
    "an endless length": header(8, 2, 1, 8) + b"\0\1\2\3\xe0" + b"\xff" * 40,
    "no alpha": header(9, 1, 1, 4) + b"\0\1\2\3",
    "more after it": header(8, 1, 1, 4) + b"\0\1\2\3\0",
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_damaged_data_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="LZ"):
        decode(data)


def test_a_picture_larger_than_allowed_is_refused() -> None:
    data = ENCODER.encode(LzHeader(LzImageType.A8, 64, 64, top_down=True), bytes(4096))

    with pytest.raises(ValueError, match="too large"):
        decode(data, max_size=4095)


def test_too_few_pixels_are_refused() -> None:
    with pytest.raises(ValueError, match="RGB32"):
        ENCODER.encode(LzHeader(LzImageType.RGB32, 2, 2, top_down=True), bytes(15))


@pytest.mark.parametrize("name", ["compression-lz", "compression-auto-lz"])
def test_what_libspice_server_sent(name: str) -> None:
    screen = np.zeros((*SCREEN, 3), np.uint8)
    images = [i for i in captured_images(name) if i.type == SpiceImageType.LZ_RGB]

    for image in images:
        decoded = decode(image.data)
        paint(screen, image, decoded.header.width, bytes(decoded.pixels))
        again = ENCODER.encode(decoded.header, decoded.pixels)
        assert decode(again).pixels == decoded.pixels

    assert len(images) > 40
    if name == "compression-lz":  # auto-lz sent the gradient as QUIC
        assert np.array_equal(screen, expected_screen())


def test_vectors() -> None:
    for line in (VECTORS / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        image = decode((VECTORS / name).read_bytes())
        assert hashlib.sha256(image.pixels).hexdigest() == digest
