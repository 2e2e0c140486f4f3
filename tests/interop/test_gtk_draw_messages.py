"""spice-gtk draws from our messages of every type: the layout is what it understands.

Each message was a QXL command in guest memory first; it is drawn in a cell of its own,
simple enough to say what must be seen there.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from spice_common._c import ffi, lib
from spice_common.command_batch import CommandBatch
from spice_protocol.draw import (
    SpiceBitmap,
    SpiceBrush,
    SpiceClip,
    SpiceImage,
    SpiceImageDescriptor,
    SpicePalette,
    SpicePattern,
    SpicePoint,
    SpicePoint16,
    SpicePointFix,
    SpiceQMask,
    SpiceRect,
    SpiceSurfaceImage,
    SpiceTransform,
)
from spice_protocol.enums import (
    SpiceBitmapFlags,
    SpiceBitmapFmt,
    SpiceBrushType,
    SpiceCompositeFlags,
    SpiceImageType,
    SpiceLineFlags,
    SpicePathFlags,
    SpiceRopd,
    SpiceStringFlags,
    SpiceSurfaceFmt,
)
from spice_protocol.messages import draw
from spice_protocol.messages.display import (
    DisplayMsg,
    DisplayMsgc,
    SpiceMsgDisplaySurfaceCreate,
)
from spice_protocol.qxl_dev import QXLCmdType, QXLOperator
from tests.fakes.command_memory import CommandMemory
from tests.fakes.draw_commands import place
from tests.fakes.spice_channels import SilentClient, SilentDisplay, running_server
from tests.peers.gtk_client import GtkClient, missing
from tests.peers.programs import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spice_server.channel.channel_client import ChannelClient
    from spice_server.channel.connection import Connection
    from spice_server.channel.link_info import LinkInfo

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
]

CELL, COLUMNS, ROWS = 32, 8, 4
WIDTH, HEIGHT = CELL * COLUMNS, CELL * ROWS
GROUND = 0x404040
END = 0x010203
"""The color of the first pixel when all is drawn."""
OFF_SCREEN, ALPHA = 7, 8
PUT, XOR, OR = SpiceRopd.OP_PUT, SpiceRopd.OP_XOR, SpiceRopd.OP_OR
NO_MASK = SpiceQMask(0, SpicePoint(0, 0), None)
NO_BRUSH = SpiceBrush(SpiceBrushType.NONE)


def solid(color: int) -> SpiceBrush:
    return SpiceBrush(SpiceBrushType.SOLID, color)


def image_of(
    words: np.ndarray,
    *,
    kind: int = SpiceBitmapFmt.FMT_32BIT,
    palette: list[int] | None = None,
    top_down: bool = True,
) -> SpiceImage:
    """A bitmap of rows of pixels or, with 1 and 8 bits, of bytes as they are sent."""
    rows = words if top_down else words[::-1]
    width = words.shape[1] * (8 if kind == SpiceBitmapFmt.FMT_1BIT_BE else 1)
    data = np.ascontiguousarray(rows).tobytes()
    size = width, words.shape[0], len(data) // words.shape[0]
    colors = SpicePalette(0, palette) if palette else None
    flags = SpiceBitmapFlags.TOP_DOWN if top_down else 0
    bitmap = SpiceBitmap(flags, colors, 0, kind, *size, data)
    descriptor = SpiceImageDescriptor(1 << 32, SpiceImageType.BITMAP, 0, *size[:2])
    return SpiceImage(descriptor, bitmap)


def surface_image(surface_id: int) -> SpiceImage:
    descriptor = SpiceImageDescriptor(2 << 32, SpiceImageType.SURFACE, 0, 0, 0)
    return SpiceImage(descriptor, SpiceSurfaceImage(surface_id))


RAMP = (np.arange(CELL, dtype=np.uint32) * 7)[None, :] << 16 | (
    np.arange(CELL, dtype=np.uint32) * 5
)[:, None]
"""Red to the right, blue downwards."""
WHOLE = SpiceRect(0, 0, CELL, CELL)
STRIPES = np.tile(np.array([0xF0, 0x0F, 0xF0, 0x0F], np.uint8), (CELL, 1))
STRIPED = np.unpackbits(STRIPES, axis=1).astype(bool)


class Case:
    """A message in a cell at (left, top), and what the cell must show."""

    def __init__(self, number: int) -> None:
        self.left = number % COLUMNS * CELL
        self.top = number // COLUMNS * CELL
        self.seen = np.full((CELL, CELL), GROUND, np.uint32)
        self.tolerance = 0

    def base(self, clips: list[SpiceRect] | None = None) -> draw.SpiceMsgDisplayBase:
        box = self.box(0, 0, CELL, CELL)
        return draw.SpiceMsgDisplayBase(0, box, SpiceClip(clips))

    def box(self, top: int, left: int, bottom: int, right: int) -> SpiceRect:
        y, x = self.top, self.left
        return SpiceRect(y + top, x + left, y + bottom, x + right)

    def point(self, x: int, y: int) -> SpicePoint:
        return SpicePoint(self.left + x, self.top + y)

    def fixed(self, x: int, y: int) -> SpicePointFix:
        return SpicePointFix((self.left + x) << 4, (self.top + y) << 4)


def fill(case: Case) -> tuple[int, Any]:
    """Clipped to two rectangles and masked with stripes."""
    clips = [case.box(0, 0, 8, CELL), case.box(16, 4, 24, 20)]
    visible = np.zeros((CELL, CELL), bool)
    visible[:8] = visible[16:24, 4:20] = True
    case.seen[visible & STRIPED] = 0xFF8000
    mask = SpiceQMask(
        0, SpicePoint(0, 0), image_of(STRIPES, kind=SpiceBitmapFmt.FMT_1BIT_BE)
    )
    body = draw.SpiceFill(solid(0xFF8000), PUT, mask)
    return DisplayMsg.DRAW_FILL, draw.SpiceMsgDisplayDrawFill(case.base(clips), body)


def fill_pattern(case: Case) -> tuple[int, Any]:
    """A pattern of 4 x 4 pixels that starts in the cell's corner."""
    tile = RAMP[:4, :4] * 8
    case.seen[:] = np.tile(tile, (8, 8))
    pattern = SpicePattern(image_of(tile), case.point(0, 0))
    brush = SpiceBrush(SpiceBrushType.PATTERN, 0, pattern)
    body = draw.SpiceFill(brush, PUT, NO_MASK)
    return DisplayMsg.DRAW_FILL, draw.SpiceMsgDisplayDrawFill(case.base(), body)


def opaque(case: Case) -> tuple[int, Any]:
    case.seen[:] = RAMP | 0x00FF00
    body = draw.SpiceOpaque(image_of(RAMP), WHOLE, solid(0xFF00), OR, 0, NO_MASK)
    return DisplayMsg.DRAW_OPAQUE, draw.SpiceMsgDisplayDrawOpaque(case.base(), body)


def copy(case: Case) -> tuple[int, Any]:
    """Bottom-up, a part of a larger image."""
    large = np.tile(RAMP, (2, 2))
    case.seen[:] = large[5 : 5 + CELL, 9 : 9 + CELL]
    area = SpiceRect(5, 9, 5 + CELL, 9 + CELL)
    body = draw.SpiceCopy(image_of(large, top_down=False), area, PUT, 0, NO_MASK)
    return DisplayMsg.DRAW_COPY, draw.SpiceMsgDisplayDrawCopy(case.base(), body)


def copy_palette(case: Case) -> tuple[int, Any]:
    colors = [n * 0x071301 for n in range(CELL)]
    indexes = np.add.outer(np.arange(CELL), np.arange(CELL)).astype(np.uint8) % CELL
    case.seen[:] = np.array(colors, np.uint32)[indexes]
    image = image_of(indexes, kind=SpiceBitmapFmt.FMT_8BIT, palette=colors)
    body = draw.SpiceCopy(image, WHOLE, PUT, 0, NO_MASK)
    return DisplayMsg.DRAW_COPY, draw.SpiceMsgDisplayDrawCopy(case.base(), body)


def copy_scaled(case: Case) -> tuple[int, Any]:
    """Each pixel becomes four: SCALE_MODE_NEAREST."""
    half = RAMP[:16, :16]
    case.seen[:] = half.repeat(2, axis=0).repeat(2, axis=1)
    body = draw.SpiceCopy(image_of(half), SpiceRect(0, 0, 16, 16), PUT, 1, NO_MASK)
    return DisplayMsg.DRAW_COPY, draw.SpiceMsgDisplayDrawCopy(case.base(), body)


def copy_surface(case: Case) -> tuple[int, Any]:
    """From the off-screen surface, which is blue."""
    case.seen[:] = 0x0000C0
    body = draw.SpiceCopy(surface_image(OFF_SCREEN), WHOLE, PUT, 0, NO_MASK)
    return DisplayMsg.DRAW_COPY, draw.SpiceMsgDisplayDrawCopy(case.base(), body)


def blend(case: Case) -> tuple[int, Any]:
    case.seen[:] = RAMP ^ GROUND
    body = draw.SpiceCopy(image_of(RAMP), WHOLE, XOR, 0, NO_MASK)
    return DisplayMsg.DRAW_BLEND, draw.SpiceMsgDisplayDrawBlend(case.base(), body)


def blackness(case: Case) -> tuple[int, Any]:
    """Where the inverted mask is not."""
    case.seen[~STRIPED] = 0
    mask = SpiceQMask(
        1, SpicePoint(0, 0), image_of(STRIPES, kind=SpiceBitmapFmt.FMT_1BIT_BE)
    )
    body = draw.SpiceBlackness(mask)
    return DisplayMsg.DRAW_BLACKNESS, draw.SpiceMsgDisplayDrawBlackness(
        case.base(), body
    )


def whiteness(case: Case) -> tuple[int, Any]:
    case.seen[:] = 0xFFFFFF
    body = draw.SpiceBlackness(NO_MASK)
    return DisplayMsg.DRAW_WHITENESS, draw.SpiceMsgDisplayDrawWhiteness(
        case.base(), body
    )


def invers(case: Case) -> tuple[int, Any]:
    case.seen[:] = GROUND ^ 0xFFFFFF
    body = draw.SpiceBlackness(NO_MASK)
    return DisplayMsg.DRAW_INVERS, draw.SpiceMsgDisplayDrawInvers(case.base(), body)


def rop3(case: Case) -> tuple[int, Any]:
    """0x96: destination, source and pattern, all exclusive or."""
    case.seen[:] = GROUND ^ RAMP ^ 0x00AA55
    brush = solid(0x00AA55)
    body = draw.SpiceRop3(image_of(RAMP), WHOLE, brush, 0x96, 0, NO_MASK)
    return DisplayMsg.DRAW_ROP3, draw.SpiceMsgDisplayDrawRop3(case.base(), body)


def stroke(case: Case) -> tuple[int, Any]:
    """An angle, whose last point is not drawn."""
    case.seen[5, 2:28] = 0xFFFF00
    case.seen[5:20, 28] = 0xFFFF00
    points = [case.fixed(2, 5), case.fixed(28, 5), case.fixed(28, 20)]
    flags = SpicePathFlags.BEGIN | SpicePathFlags.END
    path = draw.SpicePath([draw.SpicePathSeg(flags, points)])
    line = draw.SpiceLineAttr(0)
    body = draw.SpiceStroke(path, line, solid(0xFFFF00), PUT, PUT)
    return DisplayMsg.DRAW_STROKE, draw.SpiceMsgDisplayDrawStroke(case.base(), body)


def stroke_dashed(case: Case) -> tuple[int, Any]:
    """Four pixels drawn, two left out."""
    for x in range(2, 30):
        if (x - 2) % 6 < 4:
            case.seen[9, x] = 0x00FFFF
    flags = SpicePathFlags.BEGIN | SpicePathFlags.END
    segment = draw.SpicePathSeg(flags, [case.fixed(2, 9), case.fixed(30, 9)])
    line = draw.SpiceLineAttr(SpiceLineFlags.STYLED, [4 << 4, 2 << 4])
    brush = solid(0x00FFFF)
    body = draw.SpiceStroke(draw.SpicePath([segment]), line, brush, PUT, PUT)
    return DisplayMsg.DRAW_STROKE, draw.SpiceMsgDisplayDrawStroke(case.base(), body)


def text(case: Case, flags: int, bits: int) -> tuple[int, Any]:
    """Two glyphs of 6 x 8 whose rows are all alike, before a background."""
    full = (1 << bits) - 1
    pixels = [0, full, full, 0, 0, full]
    row = 0
    for value in pixels:
        row = row << bits | value
    size = (6 * bits + 7) // 8
    row <<= size * 8 - 6 * bits
    data = row.to_bytes(size, "big") * 8
    case.seen[4:20, 2:30] = 0x000080
    glyphs = []
    for left in (5, 15):
        place_of = case.point(left, 16), SpicePoint(0, -8)
        glyphs.append(draw.SpiceRasterGlyph(*place_of, 6, 8, data))
        for x, value in enumerate(pixels):
            if value:
                case.seen[8:16, left + x] = 0xFFFFFF
    string = draw.SpiceString(flags, glyphs)
    brushes = solid(0xFFFFFF), solid(0x000080)
    body = draw.SpiceText(string, case.box(4, 2, 20, 30), *brushes, PUT, PUT)
    return DisplayMsg.DRAW_TEXT, draw.SpiceMsgDisplayDrawText(case.base(), body)


def text_a1(case: Case) -> tuple[int, Any]:
    return text(case, SpiceStringFlags.RASTER_A1, 1)


# Not A8: this client draws its glyphs one row too low and reads one row too much.
def text_a4(case: Case) -> tuple[int, Any]:
    case.tolerance = 16  # the most of four bits is 0xf0 of eight to this client
    return text(case, SpiceStringFlags.RASTER_A4, 4)


def transparent(case: Case) -> tuple[int, Any]:
    """What has the color 0x123456 is not copied."""
    words = np.where(STRIPED, RAMP, 0x123456).astype(np.uint32)
    case.seen[STRIPED] = RAMP[STRIPED]
    body = draw.SpiceTransparent(image_of(words), WHOLE, 0x123456, 0x123456)
    return DisplayMsg.DRAW_TRANSPARENT, draw.SpiceMsgDisplayDrawTransparent(
        case.base(), body
    )


def alpha_blend(case: Case) -> tuple[int, Any]:
    """Half of white and half of what was there."""
    white = np.full((CELL, CELL), 0xFFFFFF, np.uint32)
    case.seen[:] = 0xA0A0A0
    case.tolerance = 1
    body = draw.SpiceAlphaBlend(0, 128, image_of(white), WHOLE)
    return DisplayMsg.DRAW_ALPHA_BLEND, draw.SpiceMsgDisplayDrawAlphaBlend(
        case.base(), body
    )


def composite(case: Case) -> tuple[int, Any]:
    """Twice as large, over; a mask of alpha, all or nothing.

    The mask is a surface: of bitmaps this client drops the alpha on such a display.
    """
    half = RAMP[:16, :16] | 0xFF000000
    large = (half & 0xFFFFFF).repeat(2, axis=0).repeat(2, axis=1)
    case.seen[STRIPED] = large[STRIPED]
    flags = QXLOperator.OVER | SpiceCompositeFlags.HAS_MASK
    flags |= SpiceCompositeFlags.HAS_SRC_TRANSFORM | 3 << 8  # nearest
    shrink = SpiceTransform(1 << 15, 0, 0, 0, 1 << 15, 0)
    source = image_of(half, kind=SpiceBitmapFmt.FMT_RGBA)
    here = SpicePoint16(0, 0)
    body = draw.SpiceComposite(
        flags, source, surface_image(ALPHA), shrink, None, here, here
    )
    return DisplayMsg.DRAW_COMPOSITE, draw.SpiceMsgDisplayDrawComposite(
        case.base(), body
    )


def copy_bits(case: Case) -> tuple[int, Any]:
    """From the cell to the left."""
    from_there = SpicePoint(case.left - CELL, case.top)
    return DisplayMsg.COPY_BITS, draw.SpiceMsgDisplayCopyBits(case.base(), from_there)


CASES: list[Callable[[Case], tuple[int, Any]]] = [
    fill,
    fill_pattern,
    opaque,
    copy,
    copy_palette,
    copy_scaled,
    copy_surface,
    blend,
    blackness,
    whiteness,
    invers,
    rop3,
    stroke,
    stroke_dashed,
    text_a1,
    text_a4,
    transparent,
    alpha_blend,
    composite,
    copy_bits,
]


def written(message_type: int, message: Any) -> tuple[int, bytes]:
    """Put a message's drawable into a guest's memory; our message for it."""
    guest, batch = CommandMemory(1 << 20), CommandBatch()
    guest.push(QXLCmdType.DRAW, place(guest, message_type, message, [100]))
    assert batch.drain(guest.commands, guest.slots) == 1
    assert batch.take_errors() == {}
    run = ffi.gc(lib.display_messages_new(), lib.display_messages_free)
    assert lib.command_to_message(run, batch.cdata, 0) == 0
    data = bytes(ffi.buffer(run.data, run.size))
    assert int.from_bytes(data[:2], "little") == message_type
    return message_type, data[6:]


def create(
    surface_id: int,
    width: int,
    height: int,
    flags: int,
    kind: int = SpiceSurfaceFmt.FMT_32_xRGB,
) -> tuple[int, bytes]:
    body = SpiceMsgDisplaySurfaceCreate(surface_id, width, height, kind, flags).pack()
    return DisplayMsg.SURFACE_CREATE, body


def flood(surface_id: int, width: int, height: int, color: int) -> tuple[int, bytes]:
    box = SpiceRect(0, 0, height, width)
    base = draw.SpiceMsgDisplayBase(surface_id, box, SpiceClip())
    body = draw.SpiceFill(solid(color), PUT, NO_MASK)
    return written(DisplayMsg.DRAW_FILL, draw.SpiceMsgDisplayDrawFill(base, body))


def draw_alpha() -> tuple[int, bytes]:
    """Stripes of alpha on the surface for it."""
    base = draw.SpiceMsgDisplayBase(ALPHA, WHOLE, SpiceClip())
    stripes = (STRIPED * 255).astype(np.uint8)
    image = image_of(stripes, kind=SpiceBitmapFmt.FMT_8BIT_A)
    body = draw.SpiceCopy(image, WHOLE, PUT, 0, NO_MASK)
    return written(DisplayMsg.DRAW_COPY, draw.SpiceMsgDisplayDrawCopy(base, body))


def script(cases: list[Case]) -> Iterator[tuple[int, bytes]]:
    """All that the server says."""
    yield create(0, WIDTH, HEIGHT, 1)
    yield create(OFF_SCREEN, CELL, CELL, 0)
    yield create(ALPHA, CELL, CELL, 0, SpiceSurfaceFmt.FMT_8_A)
    yield draw_alpha()
    yield flood(0, WIDTH, HEIGHT, GROUND)
    yield flood(OFF_SCREEN, CELL, CELL, 0x0000C0)
    yield DisplayMsg.MARK, b""
    for case, make in zip(cases, CASES, strict=True):
        yield written(*make(case))
    yield flood(0, 1, 1, END)  # over what is not compared


class ScriptedClient(SilentClient):
    """Says what it was given when the client is ready."""

    messages: list[tuple[int, bytes]]

    def handlers(self) -> dict[int, Callable[[memoryview], None]]:
        """Begin with DISPLAY_INIT."""
        return super().handlers() | {DisplayMsgc.INIT: self.begin}

    def begin(self, _body: memoryview) -> None:
        for kind, body in self.messages:
            self.send(kind, body)


class ScriptedDisplay(SilentDisplay):
    """A display channel with such clients."""

    def __init__(self, messages: list[tuple[int, bytes]]) -> None:
        super().__init__()
        self.messages = messages

    def create_client(self, connection: Connection, link: LinkInfo) -> ChannelClient:
        """Make a client that has the script."""
        client = ScriptedClient(connection, link)
        client.messages = self.messages
        return client


def shown(client: GtkClient, folder: Any) -> np.ndarray:
    width, height, data = client.picture(folder)
    return np.frombuffer(data, "<u4").reshape(height, width) & np.uint32(0xFFFFFF)


def differences(cases: list[Case], picture: np.ndarray) -> list[str]:
    """Say which cells do not show what they must."""
    wrong = []
    for case, make in zip(cases, CASES, strict=True):
        place_of = np.s_[case.top : case.top + CELL, case.left : case.left + CELL]
        off = 0
        for shift in (0, 8, 16):
            got, wanted = (
                words >> shift & 0xFF for words in (picture[place_of], case.seen)
            )
            off = max(off, int(np.abs(got.astype(int) - wanted.astype(int)).max()))
        if off > case.tolerance:
            wrong.append(f"{make.__name__}: off by {off}")
    return wrong


def watch(port: int, cases: list[Case], folder: Any) -> list[str]:
    """Let a client draw; what it complained of."""
    with (folder / "stderr").open("w+") as errors:
        options = {"host": "127.0.0.1", "port": str(port), "password": "sekret"}
        with GtkClient(stderr=errors, **options) as client:
            client.wait_picture()
            eventually("all is drawn", lambda: shown(client, folder)[0, 0] == END)
            assert differences(cases, shown(client, folder)) == []
            assert not client.seen("disconnected")
        errors.seek(0)
        return [line for line in errors if "Spice" in line]


@pytest.mark.asyncio
async def test_every_message_is_drawn(tmp_path: Any) -> None:
    cases = [Case(number + 1) for number in range(len(CASES))]
    messages = list(script(cases))
    copied = CASES.index(copy_bits)
    cases[copied].seen = cases[copied - 1].seen
    async with running_server(ScriptedDisplay(messages)) as server:
        port = server.control.port
        complaints = await asyncio.to_thread(watch, port, cases, tmp_path)
    assert complaints == []
