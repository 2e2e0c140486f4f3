"""image_encode: layouts by hand, what each mode chooses, what is refused.

That images decode to their pictures is proved in C (tests/test_image_encode.c).
"""

from __future__ import annotations

import random
import struct

import pytest

from spice_common import lz
from spice_common.client_images import GlzDictionary
from spice_common.image_encode import ImageEncoder, ImageSettings, Picture
from spice_common.quic import QuicDecoder
from spice_protocol.enums import (
    SpiceImageCompression,
    SpiceImageFlags,
    SpiceImageType,
    SpiceSurfaceFmt,
)

ENCODER = ImageEncoder()
DESCRIPTOR = struct.Struct("<QBBII")


def photo(width: int, height: int) -> bytes:
    rng = random.Random(width * height)
    pixels = bytearray()
    for y in range(height):
        for x in range(width):
            noise = rng.randrange(6)
            pixels += bytes((x + noise, (x + y + noise) // 2, y + noise, 0))
    return bytes(pixels)


def text(width: int, height: int) -> bytes:
    rng = random.Random(width * height)
    colors = b"\xff\xff\xff\0", b"\0\0\0\0"
    return b"".join(colors[rng.randrange(8) == 0] for _ in range(width * height))


def settings(compression: SpiceImageCompression, **rest: bool) -> ImageSettings:
    return ImageSettings(compression, **rest)


def test_a_bitmap_by_hand() -> None:
    picture = Picture(bytes(range(12)), 3, 2, SpiceSurfaceFmt.FMT_16_555)

    image = ENCODER.encode(
        picture,
        settings(SpiceImageCompression.OFF),
        image_id=0x123456789ABC,
        flags=SpiceImageFlags.CACHE_ME,
    )

    assert image.type is SpiceImageType.BITMAP
    assert not image.lossy
    assert image.data.hex(" ") == (
        "bc 9a 78 56 34 12 00 00 00 01 03 00 00 00 02 00 00 00"  # descriptor
        " 06 04 03 00 00 00 02 00 00 00 08 00 00 00 00 00 00 00"  # 16BIT, top down
        " 00 01 02 03 04 05 00 00 06 07 08 09 0a 0b 00 00"
    )


def test_565_goes_as_32_bit() -> None:
    picture = Picture(b"\x00\xf8\xe0\x07", 2, 1, SpiceSurfaceFmt.FMT_16_565)

    image = ENCODER.encode(picture, settings(SpiceImageCompression.OFF))

    assert image.data[18] == 8  # SPICE_BITMAP_FMT_32BIT
    assert image.data[36:39] == b"\0\0\xff"
    assert image.data[40:43] == b"\0\xff\0"


@pytest.mark.parametrize(
    ("compression", "of_text", "of_photo"),
    [
        (SpiceImageCompression.OFF, SpiceImageType.BITMAP, SpiceImageType.BITMAP),
        (SpiceImageCompression.QUIC, SpiceImageType.QUIC, SpiceImageType.QUIC),
        (SpiceImageCompression.LZ, SpiceImageType.LZ_RGB, SpiceImageType.LZ_RGB),
        (SpiceImageCompression.GLZ, SpiceImageType.GLZ_RGB, SpiceImageType.GLZ_RGB),
        (SpiceImageCompression.LZ4, SpiceImageType.LZ4, SpiceImageType.LZ4),
        (SpiceImageCompression.AUTO_LZ, SpiceImageType.LZ_RGB, SpiceImageType.QUIC),
        (SpiceImageCompression.AUTO_GLZ, SpiceImageType.LZ_RGB, SpiceImageType.QUIC),
    ],
)
def test_what_a_mode_chooses(
    compression: SpiceImageCompression,
    of_text: SpiceImageType,
    of_photo: SpiceImageType,
) -> None:
    dictionary = GlzDictionary(1 << 20)
    mode = settings(compression)

    first = ENCODER.encode(Picture(text(64, 64), 64, 64), mode, dictionary)
    second = ENCODER.encode(Picture(photo(64, 64), 64, 64), mode, dictionary)

    assert (first.type, second.type) == (of_text, of_photo)
    assert len(first.data) <= 36 + 4 * 64 * 64


def test_lz_and_quic_are_their_streams() -> None:
    pixels = text(40, 30)

    image = ENCODER.encode(Picture(pixels, 40, 30), settings(SpiceImageCompression.LZ))
    assert image.data[18:22] == struct.pack("<I", len(image.data) - 22)
    assert lz.decode(image.data[22:]).pixels == pixels
    image = ENCODER.encode(
        Picture(pixels, 40, 30), settings(SpiceImageCompression.QUIC)
    )
    assert DESCRIPTOR.unpack_from(image.data)[1:] == (SpiceImageType.QUIC, 0, 40, 30)
    assert QuicDecoder().decode(image.data[22:]).pixels == pixels


def test_a_repeat_costs_glz_next_to_nothing() -> None:
    dictionary = GlzDictionary(1 << 20)
    mode = settings(SpiceImageCompression.GLZ)
    picture = Picture(photo(100, 100), 100, 100)

    first = ENCODER.encode(picture, mode, dictionary)
    again = ENCODER.encode(picture, mode, dictionary)

    assert len(again.data) < len(first.data) // 10
    alone = ENCODER.encode(picture, mode)
    assert alone.type is SpiceImageType.LZ_RGB


def test_auto_glz_is_glz_for_what_the_client_has_seen() -> None:
    rng = random.Random(1)
    runs = b"".join(rng.randbytes(3) + b"\0" for _ in range(16 * 128))
    pixels = b"".join(runs[i : i + 4] * 8 for i in range(0, len(runs), 4))
    dictionary = GlzDictionary(1 << 20)
    mode = settings(SpiceImageCompression.AUTO_GLZ)

    first = ENCODER.encode(Picture(pixels, 128, 128), mode, dictionary)
    again = ENCODER.encode(Picture(pixels, 128, 128), mode, dictionary)

    assert again.type is SpiceImageType.GLZ_RGB
    assert len(again.data) < len(first.data) // 10


def test_glz_is_deflated_where_that_is_smaller() -> None:
    dictionary = GlzDictionary(1 << 20)
    mode = settings(SpiceImageCompression.GLZ, zlib_glz=True)

    image = ENCODER.encode(Picture(text(100, 100), 100, 100), mode, dictionary)

    assert image.type is SpiceImageType.ZLIB_GLZ_RGB


@pytest.mark.parametrize(
    ("surface_format", "kind"),
    [
        (SpiceSurfaceFmt.FMT_32_xRGB, SpiceImageType.JPEG),
        (SpiceSurfaceFmt.FMT_32_ARGB, SpiceImageType.JPEG_ALPHA),
    ],
)
def test_jpeg_is_for_photos(
    surface_format: SpiceSurfaceFmt, kind: SpiceImageType
) -> None:
    mode = settings(SpiceImageCompression.AUTO_LZ, jpeg=True)

    image = ENCODER.encode(Picture(photo(80, 60), 80, 60, surface_format), mode)

    assert image.type is kind
    assert image.lossy
    sharp = ENCODER.encode(Picture(text(80, 60), 80, 60, surface_format), mode)
    assert sharp.type is SpiceImageType.LZ_RGB
    assert not sharp.lossy


def test_lz_takes_the_place_of_lz4_for_a_client_without_it() -> None:
    mode = settings(SpiceImageCompression.LZ4, lz4=False)

    image = ENCODER.encode(Picture(text(64, 64), 64, 64), mode)

    assert image.type is SpiceImageType.LZ_RGB


def test_rows_may_lie_apart() -> None:
    picture = Picture(b"abcd....efgh", 1, 2, stride=8)

    image = ENCODER.encode(picture, settings(SpiceImageCompression.OFF))

    assert image.data[36:] == b"abcdefgh"


@pytest.mark.parametrize(
    "picture",
    [
        Picture(b"", 0, 0),
        Picture(bytes(15), 2, 2),
        Picture(bytes(16), 2, 2, stride=7),
        Picture(bytes(16), 2, 2, SpiceSurfaceFmt.FMT_1_A),
        Picture(bytes(4 * 32768), 32768, 1),
    ],
)
def test_no_picture(picture: Picture) -> None:
    with pytest.raises(ValueError, match="no picture"):
        ENCODER.encode(picture, settings(SpiceImageCompression.LZ))
