"""Drawings, clips, caches and refusals, pixel by pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spice_client.display import DisplayChannel
from spice_client.errors import UnsupportedError
from spice_client.options import ClientOptions
from spice_client.session import Session
from spice_protocol.draw import (
    ImageData,
    SpiceBinaryData,
    SpiceBitmap,
    SpiceBrush,
    SpiceClip,
    SpiceImage,
    SpiceImageDescriptor,
    SpiceJPEGAlphaData,
    SpiceLZPLTData,
    SpicePalette,
    SpicePoint,
    SpiceQMask,
    SpiceRect,
    SpiceSurfaceImage,
    SpiceZlibGlzRGBData,
)
from spice_protocol.enums import (
    SpiceBitmapFlags,
    SpiceBitmapFmt,
    SpiceBrushType,
    SpiceImageCompression,
    SpiceImageFlags,
    SpiceImageType,
    SpiceRopd,
    SpiceSurfaceFlags,
    SpiceSurfaceFmt,
    SpiceVideoCodecType,
)
from spice_protocol.errors import InvalidValueError, LimitExceededError, ProtocolError
from spice_protocol.messages import draw
from spice_protocol.messages.base import SpiceMsgEmpty
from spice_protocol.messages.display import (
    DisplayMsg,
    DisplayMsgc,
    SpiceHead,
    SpiceMsgcDisplayInit,
    SpiceMsgDisplayInvalList,
    SpiceMsgDisplayInvalPalette,
    SpiceMsgDisplayMode,
    SpiceMsgDisplayMonitorsConfig,
    SpiceMsgDisplaySurfaceCreate,
    SpiceMsgDisplaySurfaceDestroy,
    SpiceResourceID,
)
from tests.fakes.spice_peer import FULL, MINI, framed, unframed

if TYPE_CHECKING:
    from spice_protocol.marshaller import WireMessage
    from spice_protocol.wire import WireStruct

WIDTH, HEIGHT = 4, 3
PUT = SpiceRopd.OP_PUT
NO_MASK = SpiceQMask(0, SpicePoint(0, 0), None)
XRGB = SpiceSurfaceFmt.FMT_32_xRGB
TOP_DOWN = SpiceBitmapFlags.TOP_DOWN


def send(
    display: DisplayChannel,
    message_id: int,
    message: WireStruct | WireMessage | None = None,
) -> None:
    display.receive_data(framed(message_id, message or SpiceMsgEmpty()))


def create(
    display: DisplayChannel,
    surface_id: int = 0,
    *,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    format_: int = XRGB,
    flags: int = SpiceSurfaceFlags.PRIMARY,
) -> None:
    message = SpiceMsgDisplaySurfaceCreate(surface_id, *size, format_, flags)
    send(display, DisplayMsg.SURFACE_CREATE, message)


@pytest.fixture
def display() -> DisplayChannel:
    display = DisplayChannel(MINI)
    create(display)
    return display


def base(
    box: tuple[int, int, int, int],
    clip: list[tuple[int, int, int, int]] | None = None,
    surface_id: int = 0,
) -> draw.SpiceMsgDisplayBase:
    """Boxes are (left, top, right, bottom)."""
    clips = SpiceClip(None if clip is None else [rect(*part) for part in clip])
    return draw.SpiceMsgDisplayBase(surface_id, rect(*box), clips)


def rect(left: int, top: int, right: int, bottom: int) -> SpiceRect:
    return SpiceRect(top, left, bottom, right)


def image(
    values: list[int],
    width: int,
    *,
    flags: int = 0,
    image_id: int = 1,
    bitmap_flags: int = TOP_DOWN,
) -> SpiceImage:
    """An image of 32-bit pixels."""
    height = len(values) // width
    data = b"".join(value.to_bytes(4, "little") for value in values)
    bitmap = SpiceBitmap(
        bitmap_flags, None, 0, SpiceBitmapFmt.FMT_32BIT, width, height, 4 * width, data
    )
    descriptor = SpiceImageDescriptor(
        image_id, SpiceImageType.BITMAP, flags, width, height
    )
    return SpiceImage(descriptor, bitmap)


def copy(
    picture: SpiceImage | None,
    where: draw.SpiceMsgDisplayBase,
    source: tuple[int, int, int, int],
    *,
    rop: int = PUT,
    mask: SpiceQMask = NO_MASK,
) -> draw.SpiceMsgDisplayDrawCopy:
    data = draw.SpiceCopy(picture, rect(*source), rop, 0, mask)
    return draw.SpiceMsgDisplayDrawCopy(where, data)


def fill(where: draw.SpiceMsgDisplayBase, color: int) -> draw.SpiceMsgDisplayDrawFill:
    brush = SpiceBrush(SpiceBrushType.SOLID, color)
    return draw.SpiceMsgDisplayDrawFill(where, draw.SpiceFill(brush, PUT, NO_MASK))


def pixels(display: DisplayChannel, surface_id: int = 0) -> list[list[int]]:
    """Rows of red-green-blue numbers."""
    surface = display.surfaces[surface_id]
    rgb = surface.rgb()
    values = [int.from_bytes(rgb[i : i + 3], "big") for i in range(0, len(rgb), 3)]
    starts = range(0, len(values), surface.width)
    return [values[i : i + surface.width] for i in starts]


NUMBERS = list(range(1, WIDTH * HEIGHT + 1))
ALL = (0, 0, WIDTH, HEIGHT)


def number(display: DisplayChannel) -> None:
    """Give every pixel another number, row by row from 1."""
    send(display, DisplayMsg.DRAW_COPY, copy(image(NUMBERS, WIDTH), base(ALL), ALL))


def test_start_offers_caches() -> None:
    display = DisplayChannel(MINI)
    display.start()
    [(first, init)] = unframed(display.data_to_send())
    assert first == DisplayMsgc.INIT
    assert init == SpiceMsgcDisplayInit(1, 20 << 20, 1, 4 << 20).pack()


def test_start_says_what_is_wanted() -> None:
    options = ClientOptions(
        image_cache_pixels=7,
        glz_window_pixels=8,
        preferred_compression=SpiceImageCompression.LZ4,
        preferred_codecs=(SpiceVideoCodecType.VP8, SpiceVideoCodecType.MJPEG),
    )
    display = DisplayChannel(MINI, 0, Session(options))
    display.start()
    assert unframed(display.data_to_send()) == [
        (DisplayMsgc.INIT, SpiceMsgcDisplayInit(1, 7, 1, 8).pack()),
        (DisplayMsgc.PREFERRED_COMPRESSION, bytes([SpiceImageCompression.LZ4])),
        (DisplayMsgc.PREFERRED_VIDEO_CODEC_TYPE, bytes([2, 2, 1])),
    ]


def test_start_with_a_server_that_cannot() -> None:
    display = DisplayChannel(FULL)
    display.start()
    assert len(display.data_to_send()) == 18 + 14


def test_primary_surface_and_mark() -> None:
    display = DisplayChannel(MINI)
    assert display.primary is None
    create(display)
    assert display.primary is not None
    assert (display.primary.width, display.primary.height) == (WIDTH, HEIGHT)
    assert not display.marked
    send(display, DisplayMsg.MARK)
    assert display.marked
    destroy = SpiceMsgDisplaySurfaceDestroy(0)
    send(display, DisplayMsg.SURFACE_DESTROY, destroy)
    assert display.primary is None
    assert not display.marked


def test_copy(display: DisplayChannel) -> None:
    number(display)
    assert pixels(display) == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]
    assert display.primary is not None
    assert display.primary.complete
    assert display.draws == 1


def test_copy_of_a_part(display: DisplayChannel) -> None:
    message = copy(image(NUMBERS, WIDTH), base((1, 0, 3, 2)), (2, 1, 4, 3))
    send(display, DisplayMsg.DRAW_COPY, message)
    assert pixels(display) == [[0, 7, 8, 0], [0, 11, 12, 0], [0, 0, 0, 0]]
    assert display.primary is not None
    assert not display.primary.complete


def test_copy_bottom_up(display: DisplayChannel) -> None:
    picture = image(NUMBERS, WIDTH, bitmap_flags=0)
    send(display, DisplayMsg.DRAW_COPY, copy(picture, base(ALL), ALL))
    assert pixels(display) == [[9, 10, 11, 12], [5, 6, 7, 8], [1, 2, 3, 4]]


def test_clip_rects(display: DisplayChannel) -> None:
    clip = [(0, 0, 1, 1), (2, 1, 9, 9), (3, 0, 3, 9), (-5, -5, 0, 0)]
    message = copy(image(NUMBERS, WIDTH), base(ALL, clip), ALL)
    send(display, DisplayMsg.DRAW_COPY, message)
    assert pixels(display) == [[1, 0, 0, 0], [0, 0, 7, 8], [0, 0, 11, 12]]


def test_box_beyond_the_surface(display: DisplayChannel) -> None:
    message = copy(image(NUMBERS, WIDTH), base((2, 1, 6, 4)), ALL)
    send(display, DisplayMsg.DRAW_COPY, message)
    assert pixels(display) == [[0, 0, 0, 0], [0, 0, 1, 2], [0, 0, 5, 6]]


def test_nothing_visible(display: DisplayChannel) -> None:
    for box in ((9, 9, 13, 12), (-4, 0, 0, 3)):
        message = copy(image(NUMBERS, WIDTH), base(box), ALL)
        send(display, DisplayMsg.DRAW_COPY, message)
    assert pixels(display) == [[0] * WIDTH] * HEIGHT


def test_palette(display: DisplayChannel) -> None:
    palette = SpicePalette(5, [0x111111, 0x222222, 0x333333])
    data = bytes([0, 1, 2, 1])

    def indexed(flags: int, entries: SpicePalette | None, cached: int) -> SpiceImage:
        bitmap = SpiceBitmap(
            TOP_DOWN | flags, entries, cached, SpiceBitmapFmt.FMT_8BIT, 4, 1, 4, data
        )
        return SpiceImage(
            SpiceImageDescriptor(1, SpiceImageType.BITMAP, 0, 4, 1), bitmap
        )

    row = (0, 0, 4, 1)
    first = indexed(SpiceBitmapFlags.PAL_CACHE_ME, palette, 0)
    send(display, DisplayMsg.DRAW_COPY, copy(first, base(row), row))
    again = indexed(SpiceBitmapFlags.PAL_FROM_CACHE, None, 5)
    send(display, DisplayMsg.DRAW_COPY, copy(again, base((0, 1, 4, 2)), row))
    expected = [0x111111, 0x222222, 0x333333, 0x222222]
    assert pixels(display) == [expected, expected, [0] * 4]

    send(display, DisplayMsg.INVAL_PALETTE, SpiceMsgDisplayInvalPalette(5))
    with pytest.raises(
        InvalidValueError, match=r"DISPLAY:0: .*DRAW_COPY.*palette 0x5 is not"
    ):
        send(display, DisplayMsg.DRAW_COPY, copy(again, base(row), row))


def test_all_palettes_are_forgotten(display: DisplayChannel) -> None:
    palette = SpicePalette(5, [0])
    bitmap = SpiceBitmap(
        SpiceBitmapFlags.PAL_CACHE_ME,
        palette,
        0,
        SpiceBitmapFmt.FMT_8BIT,
        1,
        1,
        1,
        b"\0",
    )
    descriptor = SpiceImageDescriptor(1, SpiceImageType.BITMAP, 0, 1, 1)
    one = (0, 0, 1, 1)
    message = copy(SpiceImage(descriptor, bitmap), base(one), one)
    send(display, DisplayMsg.DRAW_COPY, message)
    send(display, DisplayMsg.INVAL_ALL_PALETTES)
    bitmap.flags, bitmap.palette_id = SpiceBitmapFlags.PAL_FROM_CACHE, 5
    with pytest.raises(InvalidValueError, match="not cached"):
        send(display, DisplayMsg.DRAW_COPY, message)


def cached(image_id: int) -> SpiceImage:
    descriptor = SpiceImageDescriptor(
        image_id, SpiceImageType.FROM_CACHE, 0, WIDTH, HEIGHT
    )
    return SpiceImage(descriptor)


@pytest.mark.parametrize(
    ("message_id", "message"),
    [
        (
            DisplayMsg.INVAL_LIST,
            SpiceMsgDisplayInvalList([SpiceResourceID(1, 42), SpiceResourceID(1, 43)]),
        ),
        (DisplayMsg.INVAL_ALL_PIXMAPS, b"\0"),
    ],
)
def test_pixmap_cache(
    display: DisplayChannel, message_id: int, message: WireMessage | bytes
) -> None:
    keep = image(NUMBERS, WIDTH, flags=SpiceImageFlags.CACHE_ME, image_id=42)
    send(display, DisplayMsg.DRAW_COPY, copy(keep, base(ALL), ALL))
    send(display, DisplayMsg.DRAW_FILL, fill(base(ALL), 0))
    send(display, DisplayMsg.DRAW_COPY, copy(cached(42), base(ALL), ALL))
    assert pixels(display)[0] == [1, 2, 3, 4]
    display.receive_data(framed(message_id, message))
    with pytest.raises(InvalidValueError, match="image 0x2a is not cached"):
        send(display, DisplayMsg.DRAW_COPY, copy(cached(42), base(ALL), ALL))


def test_image_of_another_surface(display: DisplayChannel) -> None:
    create(display, 1, flags=0)
    send(display, DisplayMsg.DRAW_FILL, fill(base(ALL, surface_id=1), 0x123456))
    descriptor = SpiceImageDescriptor(0, SpiceImageType.SURFACE, 0, WIDTH, HEIGHT)
    picture = SpiceImage(descriptor, SpiceSurfaceImage(1))
    send(display, DisplayMsg.DRAW_COPY, copy(picture, base((0, 0, 1, 3)), (0, 0, 1, 3)))
    assert pixels(display) == [[0x123456, 0, 0, 0]] * 3
    send(display, DisplayMsg.SURFACE_DESTROY, SpiceMsgDisplaySurfaceDestroy(1))
    with pytest.raises(InvalidValueError, match="no surface 1"):
        send(display, DisplayMsg.DRAW_COPY, copy(picture, base(ALL), ALL))


def test_fill_black_white_invers(display: DisplayChannel) -> None:
    send(display, DisplayMsg.DRAW_FILL, fill(base((1, 1, 3, 3)), 0xABCDEF))
    message = draw.SpiceMsgDisplayDrawWhiteness(
        base((0, 0, 1, 1)), draw.SpiceBlackness(NO_MASK)
    )
    send(display, DisplayMsg.DRAW_WHITENESS, message)
    white, color = 0xFFFFFF, 0xABCDEF
    assert pixels(display) == [
        [white, 0, 0, 0], [0, color, color, 0], [0, color, color, 0],
    ]  # fmt: skip
    message.base = base((0, 0, 2, 2))
    send(display, DisplayMsg.DRAW_INVERS, message)
    assert pixels(display)[0] == [0, white, 0, 0]
    assert pixels(display)[1] == [white, white - color, color, 0]
    message.base = base(ALL)
    send(display, DisplayMsg.DRAW_BLACKNESS, message)
    assert pixels(display) == [[0] * WIDTH] * HEIGHT


def move(
    where: draw.SpiceMsgDisplayBase, x: int, y: int
) -> draw.SpiceMsgDisplayCopyBits:
    return draw.SpiceMsgDisplayCopyBits(where, SpicePoint(x, y))


def test_copy_bits_overlapping(display: DisplayChannel) -> None:
    number(display)
    send(display, DisplayMsg.COPY_BITS, move(base((0, 1, 4, 3)), 0, 0))
    assert pixels(display) == [[1, 2, 3, 4], [1, 2, 3, 4], [5, 6, 7, 8]]
    send(display, DisplayMsg.COPY_BITS, move(base((0, 0, 3, 3)), 1, 0))
    assert pixels(display) == [[2, 3, 4, 4], [2, 3, 4, 4], [6, 7, 8, 8]]


def test_copy_bits_parts_see_what_was_before(display: DisplayChannel) -> None:
    number(display)
    clip = [(0, 1, 4, 2), (0, 2, 4, 3)]
    send(display, DisplayMsg.COPY_BITS, move(base((0, 1, 4, 3), clip), 0, 0))
    assert pixels(display) == [[1, 2, 3, 4], [1, 2, 3, 4], [5, 6, 7, 8]]


def test_copy_bits_from_outside(display: DisplayChannel) -> None:
    number(display)
    send(display, DisplayMsg.COPY_BITS, move(base(ALL), 0, -1))
    assert pixels(display) == [[1, 2, 3, 4], [1, 2, 3, 4], [5, 6, 7, 8]]


def test_16_bit_surface() -> None:
    display = DisplayChannel(MINI)
    create(display, format_=SpiceSurfaceFmt.FMT_16_555)
    picture = image([0xFFFFFF, 0xF80000, 0x00F800, 0x0000F8], 4)
    row = (0, 0, 4, 1)
    send(display, DisplayMsg.DRAW_COPY, copy(picture, base(row), row))
    assert display.surfaces[0].pixels[:8] == bytes.fromhex("ff7f 007c e003 1f00")
    assert pixels(display)[0] == [0xFFFFFF, 0xFF0000, 0x00FF00, 0x0000FF]


def test_monitors_config(display: DisplayChannel) -> None:
    head = SpiceHead(0, 0, WIDTH, HEIGHT, 0, 0, 0)
    message = SpiceMsgDisplayMonitorsConfig(1, [head])
    send(display, DisplayMsg.MONITORS_CONFIG, message)
    assert display.heads == [head]


PLAIN_TYPES = (
    SpiceImageType.BITMAP,
    SpiceImageType.FROM_CACHE,
    SpiceImageType.FROM_CACHE_LOSSLESS,
    SpiceImageType.SURFACE,
    SpiceImageType.RESERVED,
)


def packed_image(kind: SpiceImageType) -> SpiceImage:
    data: ImageData = SpiceBinaryData(b"x")
    if kind is SpiceImageType.LZ_PLT:
        data = SpiceLZPLTData(0, SpicePalette(1, [2]), 0, b"x")
    elif kind is SpiceImageType.ZLIB_GLZ_RGB:
        data = SpiceZlibGlzRGBData(9, b"x")
    elif kind is SpiceImageType.JPEG_ALPHA:
        data = SpiceJPEGAlphaData(0, 1, b"xy")
    return SpiceImage(SpiceImageDescriptor(1, kind, 0, WIDTH, HEIGHT), data)


@pytest.mark.parametrize(
    "kind", [kind for kind in SpiceImageType if kind not in PLAIN_TYPES]
)
def test_damaged_images(display: DisplayChannel, kind: SpiceImageType) -> None:
    what = rf"DISPLAY:0: DISPLAY.DRAW_COPY\(304\): an image of {kind.name}\({kind}\)"
    with pytest.raises(InvalidValueError, match=what):
        send(display, DisplayMsg.DRAW_COPY, copy(packed_image(kind), base(ALL), ALL))


@pytest.mark.parametrize(
    ("message", "what"),
    [
        (copy(image(NUMBERS, WIDTH), base(ALL, surface_id=9), ALL), "no surface 9"),
        (copy(None, base(ALL), ALL), "DRAW_COPY"),
        (copy(image([1, 2], 2), base(ALL), ALL), "bad image"),
        (copy(image(NUMBERS, WIDTH), base(ALL), (-1, 0, 3, 3)), "DRAW_COPY"),
    ],
)
def test_invalid_copies(
    display: DisplayChannel, message: draw.SpiceMsgDisplayDrawCopy, what: str
) -> None:
    with pytest.raises(ProtocolError, match=what):
        send(display, DisplayMsg.DRAW_COPY, message)


def test_surface_ids(display: DisplayChannel) -> None:
    other = DisplayChannel(MINI)
    create(other)
    with pytest.raises(InvalidValueError, match="surface 0 exists already"):
        create(other)
    with pytest.raises(InvalidValueError, match="no surface 5"):
        send(display, DisplayMsg.SURFACE_DESTROY, SpiceMsgDisplaySurfaceDestroy(5))


@pytest.mark.parametrize(
    ("size", "format_", "error"),
    [
        ((0, 5), XRGB, InvalidValueError),
        ((5, 0), XRGB, InvalidValueError),
        ((0xFFFFFFFF, 0xFFFFFFFF), XRGB, InvalidValueError),
        ((32767, 32767), XRGB, InvalidValueError),
        ((4, 4), 77, InvalidValueError),
    ],
)
def test_impossible_surfaces(
    size: tuple[int, int], format_: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        create(DisplayChannel(MINI), size=size, format_=format_)


def test_too_many_surfaces() -> None:
    display = DisplayChannel(MINI)
    for surface_id in range(1024):
        create(display, surface_id, size=(1, 1), flags=0)
    with pytest.raises(InvalidValueError, match="surface 1024"):
        create(display, 1024, size=(1, 1), flags=0)


def test_surfaces_take_no_more_than_so_much() -> None:
    display = DisplayChannel(MINI)
    for surface_id in range(4):
        create(display, surface_id, size=(8192, 8192), flags=0)
    send(display, DisplayMsg.SURFACE_DESTROY, SpiceMsgDisplaySurfaceDestroy(2))
    create(display, 2, size=(8192, 8192), flags=0)
    with pytest.raises(LimitExceededError, match="surface 4"):
        create(display, 4, size=(1, 1), flags=0)


@pytest.mark.parametrize(
    "format_",
    [
        f
        for f in SpiceSurfaceFmt
        if f not in {SpiceSurfaceFmt.FMT_INVALID, SpiceSurfaceFmt.FMT_1_A}
    ],
)
def test_surfaces_of_all_formats(display: DisplayChannel, format_: int) -> None:
    create(display, 1, size=(3, 2), format_=format_, flags=0)
    surface = display.surfaces[1]
    assert surface.format == format_
    assert surface.pixels == bytes(len(surface.pixels))
    send(display, DisplayMsg.SURFACE_DESTROY, SpiceMsgDisplaySurfaceDestroy(1))
    with pytest.raises(UnsupportedError):
        surface.rgb()
    with pytest.raises(UnsupportedError):
        _ = surface.pixels


def test_reset_blackens_the_screen(display: DisplayChannel) -> None:
    create(display, 1, flags=0)
    number(display)
    send(display, DisplayMsg.RESET)
    assert list(display.surfaces) == [0]
    assert pixels(display) == [[0] * WIDTH] * HEIGHT


@pytest.mark.parametrize(
    ("bits", "format_"),
    [(16, SpiceSurfaceFmt.FMT_16_555), (24, XRGB), (32, XRGB)],
)
def test_mode_of_an_old_server(bits: int, format_: int) -> None:
    display = DisplayChannel(MINI)
    for width in (WIDTH, 2 * WIDTH):
        send(display, DisplayMsg.MODE, SpiceMsgDisplayMode(width, HEIGHT, bits))
        assert display.primary is not None
        assert (display.primary.width, display.primary.format) == (width, format_)
    with pytest.raises(InvalidValueError, match="surface 0 cannot be"):
        send(display, DisplayMsg.MODE, SpiceMsgDisplayMode(WIDTH, HEIGHT, 8))


def test_screens(display: DisplayChannel) -> None:
    number(display)
    [screen] = display.screens
    assert screen.picture() == display.surfaces[0].picture()
    heads = [
        SpiceHead(0, 0, 2, HEIGHT, 0, 0, 0),
        SpiceHead(1, 0, 2, 2, 2, 1, 0),
        SpiceHead(2, 7, 2, 2, 0, 0, 0),
    ]
    message = SpiceMsgDisplayMonitorsConfig(3, heads)
    send(display, DisplayMsg.MONITORS_CONFIG, message)
    assert [screen.monitor_id for screen in display.screens] == [0, 1]
    picture = display.screens[1].picture()
    assert (picture.width, picture.height) == (2, 2)
    assert picture.rgb == bytes([0, 0, 7, 0, 0, 8, 0, 0, 11, 0, 0, 12])
