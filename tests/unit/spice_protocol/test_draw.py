"""The drawing vocabulary: every switch of the wire, both ways."""

from __future__ import annotations

import pytest

from spice_protocol.draw import (
    SpiceBinaryData,
    SpiceBitmap,
    SpiceBrush,
    SpiceClip,
    SpiceImage,
    SpiceImageDescriptor,
    SpiceJPEGAlphaData,
    SpiceLZPLTData,
    SpicePalette,
    SpicePattern,
    SpicePoint,
    SpicePoint16,
    SpicePointFix,
    SpiceQMask,
    SpiceRect,
    SpiceSurfaceImage,
    SpiceTransform,
    SpiceZlibGlzRGBData,
)
from spice_protocol.enums import (
    SpiceBitmapFlags,
    SpiceBitmapFmt,
    SpiceBrushType,
    SpiceClipType,
    SpiceCompositeFlags,
    SpiceCursorFlags,
    SpiceImageType,
    SpiceLineFlags,
    SpiceStringFlags,
)
from spice_protocol.errors import InvalidValueError, TruncatedError
from spice_protocol.marshaller import Marshaller, Reader, WireMessage
from spice_protocol.messages import cursor, draw, spicevmc

BASE = draw.SpiceMsgDisplayBase(0, SpiceRect(0, 0, 2, 2), SpiceClip())
AREA = SpiceRect(0, 0, 2, 2)
NO_MASK = SpiceQMask(0, SpicePoint(0, 0), None)
PALETTE = SpicePalette(7, [0xFF0000, 0x00FF00])


def image(type_: SpiceImageType, data: object) -> SpiceImage:
    return SpiceImage(SpiceImageDescriptor(1, type_, 0, 2, 2), data)  # type: ignore[arg-type]


def bitmap(**fields: object) -> SpiceBitmap:
    given = {
        "flags": 0,
        "format": SpiceBitmapFmt.FMT_32BIT,
        "x": 2,
        "y": 2,
        "stride": 8,
    }
    return SpiceBitmap(**{**given, "data": bytes(range(16)), **fields})  # type: ignore[arg-type]


IMAGES = [
    image(SpiceImageType.BITMAP, bitmap()),
    image(SpiceImageType.BITMAP, bitmap(palette=PALETTE)),
    image(
        SpiceImageType.BITMAP,
        bitmap(flags=SpiceBitmapFlags.PAL_FROM_CACHE, palette_id=99),
    ),
    image(SpiceImageType.QUIC, SpiceBinaryData(b"quic")),
    image(SpiceImageType.LZ4, SpiceBinaryData(b"lz4")),
    image(SpiceImageType.LZ_PLT, SpiceLZPLTData(0, PALETTE, 0, b"lz")),
    image(
        SpiceImageType.LZ_PLT,
        SpiceLZPLTData(SpiceBitmapFlags.PAL_FROM_CACHE, None, 5, b"lz"),
    ),
    image(SpiceImageType.ZLIB_GLZ_RGB, SpiceZlibGlzRGBData(40, b"zlib")),
    image(SpiceImageType.JPEG_ALPHA, SpiceJPEGAlphaData(1, 3, b"jpgalpha")),
    image(SpiceImageType.SURFACE, SpiceSurfaceImage(3)),
    image(SpiceImageType.FROM_CACHE, None),
    image(SpiceImageType.FROM_CACHE_LOSSLESS, None),
]
SOLID = SpiceBrush(SpiceBrushType.SOLID, 0x123456)
BRUSHES = [
    SpiceBrush(SpiceBrushType.NONE),
    SOLID,
    SpiceBrush(SpiceBrushType.PATTERN, 0, SpicePattern(IMAGES[1], SpicePoint(1, 2))),
]
PATH = draw.SpicePath([draw.SpicePathSeg(3, [SpicePointFix(16, 32)])])
ORIGINS = (SpicePoint16(1, -1), SpicePoint16(2, -2))
MATRIX = SpiceTransform(1, 2, 3, 4, 5, 6)
HAS_ALL = (
    SpiceCompositeFlags.HAS_MASK
    | SpiceCompositeFlags.HAS_SRC_TRANSFORM
    | SpiceCompositeFlags.HAS_MASK_TRANSFORM
)

GLYPHS = draw.SpiceString(
    SpiceStringFlags.RASTER_A4 | SpiceStringFlags.RASTER_TOP_DOWN,
    [draw.SpiceRasterGlyph(SpicePoint(1, 2), SpicePoint(0, -8), 3, 2, b"abcd")] * 2,
)

MESSAGES: list[WireMessage] = [
    *(
        draw.SpiceMsgDisplayDrawCopy(BASE, draw.SpiceCopy(i, AREA, 8, 0, NO_MASK))
        for i in (*IMAGES, None)
    ),
    *(
        draw.SpiceMsgDisplayDrawFill(BASE, draw.SpiceFill(b, 8, NO_MASK))
        for b in BRUSHES
    ),
    draw.SpiceMsgDisplayCopyBits(
        draw.SpiceMsgDisplayBase(1, AREA, SpiceClip([AREA, AREA])), SpicePoint(3, 4)
    ),
    draw.SpiceMsgDisplayDrawOpaque(
        BASE,
        draw.SpiceOpaque(
            IMAGES[0],
            AREA,
            BRUSHES[2],
            8,
            1,
            SpiceQMask(1, SpicePoint(0, 0), IMAGES[0]),
        ),
    ),
    draw.SpiceMsgDisplayDrawBlend(BASE, draw.SpiceCopy(IMAGES[3], AREA, 8, 0, NO_MASK)),
    draw.SpiceMsgDisplayDrawBlackness(BASE, draw.SpiceBlackness(NO_MASK)),
    draw.SpiceMsgDisplayDrawWhiteness(BASE, draw.SpiceBlackness(NO_MASK)),
    draw.SpiceMsgDisplayDrawInvers(BASE, draw.SpiceBlackness(NO_MASK)),
    draw.SpiceMsgDisplayDrawRop3(
        BASE, draw.SpiceRop3(IMAGES[0], AREA, SOLID, 0xCC, 0, NO_MASK)
    ),
    *(
        draw.SpiceMsgDisplayDrawStroke(BASE, draw.SpiceStroke(PATH, attr, SOLID, 8, 8))
        for attr in (
            draw.SpiceLineAttr(0),
            draw.SpiceLineAttr(SpiceLineFlags.STYLED, [16, 32]),
        )
    ),
    draw.SpiceMsgDisplayDrawText(
        BASE,
        draw.SpiceText(GLYPHS, AREA, SOLID, BRUSHES[0], 8, 8),
    ),
    draw.SpiceMsgDisplayDrawTransparent(
        BASE, draw.SpiceTransparent(IMAGES[0], AREA, 1, 2)
    ),
    draw.SpiceMsgDisplayDrawAlphaBlend(
        BASE, draw.SpiceAlphaBlend(1, 128, IMAGES[0], AREA)
    ),
    draw.SpiceMsgDisplayDrawComposite(
        BASE, draw.SpiceComposite(0, IMAGES[0], None, None, None, *ORIGINS)
    ),
    draw.SpiceMsgDisplayDrawComposite(
        BASE,
        draw.SpiceComposite(HAS_ALL, IMAGES[0], IMAGES[3], MATRIX, MATRIX, *ORIGINS),
    ),
    cursor.SpiceMsgCursorSet(
        SpicePoint16(1, 2), 1, cursor.SpiceCursor(SpiceCursorFlags.NONE)
    ),
    cursor.SpiceMsgCursorSet(
        SpicePoint16(1, 2),
        1,
        cursor.SpiceCursor(0, cursor.SpiceCursorHeader(9, 0, 1, 1, 0, 0), b"ABGR"),
    ),
    spicevmc.SpiceMsgCompressedData(spicevmc.SpiceCompressedData(0, 0, b"plain")),
    spicevmc.SpiceMsgCompressedData(spicevmc.SpiceCompressedData(1, 50, b"lz4")),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_read_as_written(message: WireMessage) -> None:
    body = message.pack()
    copy = type(message).unpack(body)
    assert copy == message
    assert copy.pack() == body


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_truncated_anywhere(message: WireMessage) -> None:
    body = message.pack()
    for cut in range(len(body)):
        # Cursors and compressed data have no length: they end with the message.
        try:
            short = type(message).unpack(body[:cut])
        except TruncatedError:
            continue
        assert short != message


def test_image_lies_at_57_as_libspice_server_puts_it() -> None:
    body = MESSAGES[0].pack()
    assert int.from_bytes(body[21:25], "little") == 57
    assert body[57:].startswith(IMAGES[0].descriptor.pack())


def test_palette_lies_behind_the_pixels() -> None:
    body = MESSAGES[1].pack()
    offset = int.from_bytes(body[57 + 18 + 14 : 57 + 18 + 18], "little")
    assert body[offset:] == PALETTE.pack()


def test_pixels_are_a_view() -> None:
    copy = draw.SpiceMsgDisplayDrawCopy.unpack(MESSAGES[0].pack())
    assert copy.data.src_bitmap is not None
    data = copy.data.src_bitmap.data
    assert isinstance(data, SpiceBitmap)
    assert isinstance(data.data, memoryview)


def test_clip_type() -> None:
    assert SpiceClip().type == SpiceClipType.NONE
    assert SpiceClip([]).type == SpiceClipType.RECTS


def test_invalid_types() -> None:
    with pytest.raises(InvalidValueError, match="clip type 2"):
        SpiceClip.read(Reader(b"\x02"))
    with pytest.raises(InvalidValueError, match="brush type 3"):
        SpiceBrush.read(Reader(b"\x03"))
    with pytest.raises(InvalidValueError, match="string flags 0x8"):
        draw.SpiceString.read(Reader(bytes([1, 0, SpiceStringFlags.RASTER_TOP_DOWN])))
    for type_ in (SpiceImageType.RESERVED, 250):
        descriptor = SpiceImageDescriptor(0, type_, 0, 1, 1).pack()
        with pytest.raises(InvalidValueError, match=f"image type {int(type_)}"):
            SpiceImage.read(Reader(descriptor))


def test_stride_times_rows_beyond_the_message() -> None:
    writer = Marshaller()
    bitmap(stride=0xFFFFFFFF, y=0xFFFFFFFF).write(writer)
    with pytest.raises(TruncatedError):
        SpiceBitmap.read(Reader(writer.finish()))
