"""Bitmap formats, each against an expectation written down pixel by pixel."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, strategies as st

from spice_common.bitmap import Bitmap, row_size, surface_pixel_size
from spice_common.region import Box
from spice_protocol.enums import SpiceBitmapFmt, SpiceSurfaceFmt

PALETTE = [0x102030 * i & 0xFFFFFF for i in range(256)]
ARGB = SpiceSurfaceFmt.FMT_32_ARGB


def words(data: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(data) // 4}I", data))


def opaque(*colors: int) -> list[int]:
    return [0xFF000000 | color for color in colors]


@pytest.mark.parametrize(
    ("kind", "row", "indexes"),
    [
        (SpiceBitmapFmt.FMT_1BIT_LE, "93", [1, 1, 0, 0, 1, 0, 0, 1]),
        (SpiceBitmapFmt.FMT_1BIT_BE, "93", [1, 0, 0, 1, 0, 0, 1, 1]),
        (SpiceBitmapFmt.FMT_4BIT_LE, "a159", [1, 10, 9, 5]),
        (SpiceBitmapFmt.FMT_4BIT_BE, "a159", [10, 1, 5, 9]),
        (SpiceBitmapFmt.FMT_8BIT, "00ff7f", [0, 255, 127]),
    ],
)
def test_palettes(kind, row, indexes):
    data = bytes.fromhex(row)
    bitmap = Bitmap(data, kind, len(indexes), 1, len(data), palette=PALETTE)
    colors = [PALETTE[index] for index in indexes]
    assert words(bitmap.convert(ARGB)) == colors
    # Cut anywhere, also within a byte.
    for left in range(len(indexes)):
        part = bitmap.convert(ARGB, Box(left, 0, len(indexes), 1))
        assert words(part) == colors[left:]


@pytest.mark.parametrize(
    ("kind", "row", "expected"),
    [
        (SpiceBitmapFmt.FMT_16BIT, "ff7f1f00e003007c0000", opaque(0xFFFFFF, 0xFF, 0xFF00, 0xFF0000, 0)),
        (SpiceBitmapFmt.FMT_24BIT, "010203fffefd", [0x030201, 0xFDFEFF]),
        (SpiceBitmapFmt.FMT_32BIT, "0102030400000000", [0x04030201, 0]),
        (SpiceBitmapFmt.FMT_RGBA, "0102030400000000", [0x04030201, 0]),
        (SpiceBitmapFmt.FMT_8BIT_A, "0080ff", [0, 0x80000000, 0xFF000000]),
    ],
)  # fmt: skip
def test_direct_formats(kind, row, expected):
    data = bytes.fromhex(row)
    bitmap = Bitmap(data, kind, len(expected), 1, len(data))
    assert words(bitmap.convert(ARGB)) == expected


def test_colors_for_16_bits_are_16_bits():
    bitmap = Bitmap(b"\x01", SpiceBitmapFmt.FMT_8BIT, 1, 1, 1, palette=[0, 0x1234])
    assert bitmap.convert(SpiceSurfaceFmt.FMT_16_555) == b"\x34\x12"
    assert bitmap.convert(SpiceSurfaceFmt.FMT_8_A) == b"\xff"


def test_every_16_bit_pixel_widens_and_narrows_to_itself():
    data = np.arange(32768, dtype="<u2")
    size = 128 * 2
    bitmap = Bitmap(data.tobytes(), SpiceBitmapFmt.FMT_16BIT, 128, 256, size)
    assert bitmap.convert(SpiceSurfaceFmt.FMT_16_555) == data.tobytes()
    wide = bitmap.convert(SpiceSurfaceFmt.FMT_32_xRGB)
    back = Bitmap(wide, SpiceBitmapFmt.FMT_32BIT, 128, 256, 512)
    assert back.convert(SpiceSurfaceFmt.FMT_16_555) == data.tobytes()
    channel = np.frombuffer(wide, "<u4") & 0xFF
    low = data & 31
    assert np.array_equal(channel, low << 3 | low >> 2)


@pytest.mark.parametrize(
    ("surface_format", "expected"),
    [
        (SpiceSurfaceFmt.FMT_16_555, struct.pack("<H", 0b00010_00110_11101)),
        (SpiceSurfaceFmt.FMT_16_565, struct.pack("<H", 0b00010_001101_11101)),
        (SpiceSurfaceFmt.FMT_32_xRGB, struct.pack("<I", 0x401436EF)),
        (SpiceSurfaceFmt.FMT_32_ARGB, struct.pack("<I", 0x401436EF)),
        (SpiceSurfaceFmt.FMT_8_A, b"\x40"),
    ],
)
def test_surface_formats(surface_format, expected):
    bitmap = Bitmap(struct.pack("<I", 0x401436EF), SpiceBitmapFmt.FMT_RGBA, 1, 1, 4)
    assert bitmap.convert(surface_format) == expected
    assert surface_pixel_size(surface_format) == len(expected)


@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(0, 5),
    st.booleans(),
    st.data(),
)
def test_rows_parts_and_direction(width, height, padding, top_down, data):
    stride = 4 * width + padding
    content = data.draw(st.binary(min_size=stride * height, max_size=stride * height))
    left = data.draw(st.integers(0, width - 1))
    top = data.draw(st.integers(0, height - 1))
    part = Box(
        left,
        top,
        data.draw(st.integers(left + 1, width)),
        data.draw(st.integers(top + 1, height)),
    )
    rows = np.frombuffer(content, np.uint8).reshape(height, stride)[:, : 4 * width]
    rows = rows if top_down else rows[::-1]
    expected = rows[part.top : part.bottom, 4 * part.left : 4 * part.right]
    bitmap = Bitmap(content, SpiceBitmapFmt.FMT_RGBA, width, height, stride, top_down)
    assert bitmap.convert(ARGB, part) == expected.tobytes()


@pytest.mark.parametrize(
    "bitmap",
    [
        Bitmap(b"\0" * 15, SpiceBitmapFmt.FMT_RGBA, 2, 2, 8),
        Bitmap(b"\0" * 16, SpiceBitmapFmt.FMT_RGBA, 2, 2, 7),
        Bitmap(b"\0" * 16, SpiceBitmapFmt.FMT_INVALID, 2, 2, 8),
        Bitmap(b"\0" * 16, 11, 2, 2, 8),
        Bitmap(b"\0" * 16, 256 + 9, 2, 2, 8),
        Bitmap(b"\0" * 16, SpiceBitmapFmt.FMT_8BIT, 2, 2, 8),
        Bitmap(b"\0" * 16, SpiceBitmapFmt.FMT_RGBA, 0, 2, 8),
        Bitmap(b"\0" * 16, SpiceBitmapFmt.FMT_RGBA, 2, 0, 8),
        Bitmap(b"\0" * 16, SpiceBitmapFmt.FMT_8BIT_A, 1, 40000, 0),
    ],
)
def test_impossible_bitmaps(bitmap):
    with pytest.raises(ValueError, match="cannot be read"):
        bitmap.convert(ARGB, Box(0, 0, 1, 1))


@pytest.mark.parametrize(
    "part", [Box(0, 0, 3, 1), Box(2, 0, 2, 1), Box(-1, 0, 1, 1), Box(0, 1, 1, 3), Box(1, 0, 0, 1)]
)  # fmt: skip
def test_impossible_parts(part):
    bitmap = Bitmap(b"\0" * 16, SpiceBitmapFmt.FMT_RGBA, 2, 2, 8)
    with pytest.raises(ValueError, match="cannot be read"):
        bitmap.convert(ARGB, part)


def test_a_surface_nobody_can_draw_on():
    bitmap = Bitmap(b"\0" * 16, SpiceBitmapFmt.FMT_RGBA, 2, 2, 8)
    with pytest.raises(ValueError, match="cannot be read"):
        bitmap.convert(SpiceSurfaceFmt.FMT_1_A)
    assert surface_pixel_size(SpiceSurfaceFmt.FMT_1_A) == 0


def test_row_sizes():
    sizes = [row_size(kind, 9) for kind in range(12)]
    assert sizes == [0, 2, 2, 5, 5, 9, 18, 27, 36, 36, 9, 0]


def test_a_color_the_palette_lacks_is_black():
    bitmap = Bitmap(b"\x05", SpiceBitmapFmt.FMT_8BIT, 1, 1, 1, palette=[1, 2])
    assert words(bitmap.convert(ARGB)) == [0]
