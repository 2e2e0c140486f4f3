"""The kinds of drawing, as functions that make one case for a :class:`Maker`'s cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spice_protocol.draw import (
    SpiceBrush,
    SpiceClip,
    SpicePattern,
    SpicePoint,
    SpicePoint16,
    SpicePointFix,
    SpiceRect,
    SpiceTransform,
)
from spice_protocol.enums import (
    SpiceBrushType,
    SpiceCompositeFlags,
    SpiceImageType,
    SpiceLineFlags,
    SpicePathFlags,
    SpiceRopd,
    SpiceStringFlags,
    SpiceSurfaceFmt,
)
from spice_protocol.messages import draw as messages
from spice_protocol.messages.display import DisplayMsg
from tests.fakes.drawing_cases import CELL, Case

if TYPE_CHECKING:
    from spice_protocol.draw import SpiceImage
    from tests.fakes.drawing_cases import Maker

__all__ = ["BYTES_ARE_UNKNOWN", "FAMILIES"]


def fill(make: Maker, number: int) -> Case:
    """All brushes, operations and masks."""
    box = make.box()
    body = messages.SpiceFill(make.brush(), make.rop(), make.mask(box))
    message = messages.SpiceMsgDisplayDrawFill(make.base(box), body)
    return Case(f"fill {number} {message}", [(DisplayMsg.DRAW_FILL, message)])


def constant(make: Maker, number: int) -> Case:
    """BLACKNESS, WHITENESS, INVERS."""
    kind, table = [
        (DisplayMsg.DRAW_BLACKNESS, messages.SpiceMsgDisplayDrawBlackness),
        (DisplayMsg.DRAW_WHITENESS, messages.SpiceMsgDisplayDrawWhiteness),
        (DisplayMsg.DRAW_INVERS, messages.SpiceMsgDisplayDrawInvers),
    ][number % 3]
    box = make.box()
    body = messages.SpiceBlackness(make.mask(box, likely=0.7))
    message = table(make.base(box), body)
    return Case(f"constant {number} {message}", [(kind, message)])


def copy(make: Maker, number: int) -> Case:
    """COPY and BLEND: formats, operations, masks."""
    return _copy(make, number, scaled=False)


def scaled_copy(make: Maker, number: int) -> Case:
    """The same, scaled."""
    return _copy(make, number, scaled=True)


def _copy(make: Maker, number: int, *, scaled: bool) -> Case:
    box = make.box()
    source = make.source(box, scaled=scaled)
    scale = make.rng.randint(0, 1)
    rop = make.rop() if number % 2 else SpiceRopd.OP_PUT
    body = messages.SpiceCopy(*source, rop, scale, make.mask(box))
    base = make.base(box)
    if number % 3:
        message = messages.SpiceMsgDisplayDrawCopy(base, body)
        return Case(f"copy {number} {message}", [(DisplayMsg.DRAW_COPY, message)])
    blend = messages.SpiceMsgDisplayDrawBlend(base, body)
    return Case(f"blend {number} {blend}", [(DisplayMsg.DRAW_BLEND, blend)])


def opaque(make: Maker, number: int) -> Case:
    """A copy that meets a brush."""
    box = make.box()
    source = make.source(box, scaled=number % 3 == 0)
    scale, rop = make.rng.randint(0, 1), make.rop()
    body = messages.SpiceOpaque(*source, make.brush(), rop, scale, make.mask(box))
    message = messages.SpiceMsgDisplayDrawOpaque(make.base(box), body)
    return Case(f"opaque {number} {message}", [(DisplayMsg.DRAW_OPAQUE, message)])


def is_ternary(code: int) -> bool:
    """Whether a ROP3 needs all three; clients know no others."""
    return (
        code & 0x0F != code >> 4
        and code & 0x33 != code >> 2 & 0x33
        and code & 0x55 != code >> 1 & 0x55
    )


TERNARY = [code for code in range(256) if is_ternary(code)]


def rop3(make: Maker, number: int) -> Case:
    """All codes that clients know.  A pattern begins left above: % is C's in them."""
    box = make.box()
    source = make.source(box, scaled=number % 4 == 0)
    brush = make.brush()
    if brush.type == SpiceBrushType.NONE:
        brush = SpiceBrush(SpiceBrushType.SOLID, make.rng.getrandbits(32))
    if brush.pattern:
        brush.pattern.pos = SpicePoint(
            box.left - make.rng.randint(0, 50), box.top - make.rng.randint(0, 50)
        )
    scale = make.rng.randint(0, 1)
    code = TERNARY[number % len(TERNARY)]
    body = messages.SpiceRop3(*source, brush, code, scale, make.mask(box))
    message = messages.SpiceMsgDisplayDrawRop3(make.base(box), body)
    return Case(f"rop3 {number} {message}", [(DisplayMsg.DRAW_ROP3, message)])


def transparent(make: Maker, number: int) -> Case:
    """A key that some pixels have."""
    box = make.box()
    image, area = make.source(box, scaled=number % 3 == 0)
    key = make.rng.choice([0, 0x7F7F7F, 0xFFFFFF, 0xFF7F00, make.rng.getrandbits(32)])
    body = messages.SpiceTransparent(image, area, make.rng.getrandbits(32), key)
    message = messages.SpiceMsgDisplayDrawTransparent(make.base(box), body)
    kind = DisplayMsg.DRAW_TRANSPARENT
    return Case(f"transparent {number} {message}", [(kind, message)])


def alpha_blend(make: Maker, number: int) -> Case:
    """Pictures with alpha and an alpha for all of them.

    The flags give alpha to surfaces that have none: what lies in the byte of theirs that
    nobody uses is not defined.
    """
    box = make.box()
    image, area = make.source(box, scaled=number % 3 == 0)
    alpha = make.rng.choice([255, 255, 0, 1, 127, 128, make.rng.randint(0, 255)])
    body = messages.SpiceAlphaBlend(0, alpha, image, area)
    message = messages.SpiceMsgDisplayDrawAlphaBlend(make.base(box), body)
    kind = DisplayMsg.DRAW_ALPHA_BLEND
    return Case(f"alpha blend {number} {message}", [(kind, message)])


# ---- lines


def _fixed(make: Maker, reach: int) -> SpicePointFix:
    if make.rng.random() < 0.7:
        x, y = make.point(reach).x * 16, make.point(reach).y * 16
    else:
        x = (make.left - reach) * 16 + make.rng.randint(0, (CELL + 2 * reach) * 16)
        y = (make.top - reach) * 16 + make.rng.randint(0, (CELL + 2 * reach) * 16)
    return SpicePointFix(x, y)


def _line_points(make: Maker, count: int) -> list[SpicePointFix]:
    reach = make.rng.choice([CELL, CELL, 2 * CELL, 700])
    points = [_fixed(make, reach) for _ in range(count)]
    if make.rng.random() < 0.3 and count > 1:  # straight, diagonal or no way at all
        first, length = points[0], make.rng.randint(-60, 60) * 16
        step = make.rng.choice([(1, 0), (0, 1), (1, 1), (1, -1), (0, 0)])
        points[1] = SpicePointFix(
            first.x + step[0] * length, first.y + step[1] * length
        )
    if make.rng.random() < 0.3:
        points[-1] = points[0]
    return points


def _path(make: Maker, *, curves: bool) -> messages.SpicePath:
    segments = []
    for _ in range(make.rng.randint(1, 3)):
        flags = int(SpicePathFlags.BEGIN)
        count = make.rng.randint(2, 6)
        if curves and make.rng.random() < 0.7:
            flags |= SpicePathFlags.BEZIER
            count = 1 + 3 * make.rng.randint(1, 2)
        flags |= make.rng.choice(
            [0, SpicePathFlags.END, SpicePathFlags.END | SpicePathFlags.CLOSE]
        )
        segments.append(messages.SpicePathSeg(flags, _line_points(make, count)))
    if curves:
        _spread_curves(make, segments)
    return messages.SpicePath(segments)


def _spread_curves(make: Maker, segments: list[messages.SpicePathSeg]) -> None:
    """Keep curves from having one point only: clients never end with those."""
    for segment in segments:
        if segment.flags & SpicePathFlags.BEZIER:
            segment.points[:] = [
                SpicePointFix(
                    make.left * 16 + 16 * make.rng.randint(-90, 150) + i,
                    make.top * 16 + 16 * make.rng.randint(-90, 150),
                )
                for i in range(len(segment.points))
            ]


def _stroke(
    make: Maker, path: messages.SpicePath, line: messages.SpiceLineAttr, name: str
) -> Case:
    brush = make.brush()
    while brush.pattern and brush.pattern.pat.descriptor.type == SpiceImageType.SURFACE:
        brush = make.brush()  # clients take the surface for a picture of another kind
    body = messages.SpiceStroke(path, line, brush, make.rop(), make.rop())
    # A clip of more rectangles side by side lets clients lose parts of lines.
    clip = SpiceClip() if make.rng.random() < 0.5 else SpiceClip([make.box(20)])
    box = make.cell if make.rng.random() < 0.5 else make.box(20)
    message = messages.SpiceMsgDisplayDrawStroke(make.base(box, clip), body)
    return Case(f"{name} {message}", [(DisplayMsg.DRAW_STROKE, message)])


def line(make: Maker, number: int) -> Case:
    """Solid lines, also from far away."""
    path = _path(make, curves=False)
    return _stroke(make, path, messages.SpiceLineAttr(0), f"line {number}")


def curve(make: Maker, number: int) -> Case:
    """Curves."""
    path = _path(make, curves=True)
    return _stroke(make, path, messages.SpiceLineAttr(0), f"curve {number}")


def dashed_line(make: Maker, number: int) -> Case:
    """Dashes of all lengths."""
    style = [
        make.rng.choice([0, 1, 1, 2, 3, 5, 8, 20, 100]) * 16
        for _ in range(make.rng.randint(1, 6))
    ]
    style[0] = style[0] or 16
    flags = SpiceLineFlags.STYLED | make.rng.choice(
        [SpiceLineFlags(0), SpiceLineFlags.START_WITH_GAP]
    )
    path = _path(make, curves=False)
    attributes = messages.SpiceLineAttr(flags, style)
    return _stroke(make, path, attributes, f"dashed line {number}")


# ---- text


def text(make: Maker, number: int) -> Case:
    """Glyphs of one and four bits; clients read those of eight from the wrong row on."""
    depth, flag = [
        (1, SpiceStringFlags.RASTER_A1),
        (4, SpiceStringFlags.RASTER_A4),
    ][number % 2]
    rng, glyphs = make.rng, []
    for _ in range(rng.randint(1, 6)):
        width, height = rng.randint(1, 20), rng.randint(1, 24)
        size = (width * depth + 7) // 8 * height
        data = rng.randbytes(size)
        if rng.random() < 0.5:
            data = bytes(rng.choices([0, 0xFF, 0xF0, 0x0F], k=size))
        origin = SpicePoint(rng.randint(-9, 9), rng.randint(-9, 9))
        place = make.point(CELL)
        glyphs.append(messages.SpiceRasterGlyph(place, origin, width, height, data))
    back = SpiceRect(0, 0, 0, 0) if rng.random() < 0.5 else make.box()
    string = messages.SpiceString(flag | rng.choice([0, 8]), glyphs)
    fore, behind = _text_brush(make), make.brush()
    put = SpiceRopd.OP_PUT
    body = messages.SpiceText(string, back, fore, behind, put, make.rop())
    message = messages.SpiceMsgDisplayDrawText(make.base(make.box(10)), body)
    return Case(f"text {number} {message}", [(DisplayMsg.DRAW_TEXT, message)])


def _text_brush(make: Maker) -> SpiceBrush:
    """No surface: clients leave a transformation in it for the next who reads it."""
    brush = make.brush()
    if brush.pattern:
        image = make.bitmap(make.rng.randint(1, 20), make.rng.randint(1, 20))
        brush.pattern = SpicePattern(image, brush.pattern.pos)
    return brush


# ---- composition


OPERATORS = [*range(0x0E), *range(0x30, 0x3F)]
"""``QXL_OP_*``."""


def composite(make: Maker, number: int) -> Case:
    """Every operator of pixman's, with filters, repetitions and masks."""
    return _composite(make, OPERATORS[number % len(OPERATORS)], f"composite {number}")


def usual_composite(make: Maker, number: int) -> Case:
    """What the Render extension is used for, with transformations."""
    return _composite(make, [1, 3, 3, 12][number % 4], f"usual composite {number}")


def _transform(make: Maker) -> SpiceTransform:
    rng = make.rng
    numbers = [rng.randint(-(3 << 16), 3 << 16) for _ in range(4)]
    if rng.random() < 0.5:
        numbers[1] = numbers[2] = 0
    if rng.random() < 0.2:
        numbers = [number & ~0xFFFF for number in numbers]
    words = [numbers[0], numbers[1], rng.randint(-(20 << 16), 40 << 16)]
    words += [numbers[2], numbers[3], rng.randint(-(20 << 16), 40 << 16)]
    return SpiceTransform(*(word & 0xFFFFFFFF for word in words))


def _composite(make: Maker, operator: int, name: str) -> Case:
    rng, box = make.rng, make.box()
    flags = operator
    flags |= rng.randint(0, 4) << 8 | rng.randint(0, 4) << 11 | rng.randint(0, 31) << 14
    width, height = rng.randint(1, 60), rng.randint(1, 60)
    source = make.image(width, height)
    mask = (
        make.image(rng.randint(1, 60), rng.randint(1, 60))
        if rng.random() < 0.5
        else None
    )
    while mask and mask.data == source.data:
        # Clients give a surface that is both the filter and repetition of the mask.
        mask = make.image(rng.randint(1, 60), rng.randint(1, 60))
    flags |= SpiceCompositeFlags.HAS_MASK if mask else 0
    if rng.random() < 0.1 and make.format != SpiceSurfaceFmt.FMT_8_A:
        # Without its alpha nothing is left of a surface that is alpha only.
        flags |= SpiceCompositeFlags.SOURCE_OPAQUE
    transforms: list[SpiceTransform | None] = [None, None]
    if _takes_transform(source) and rng.random() < 0.6:
        transforms[0] = _transform(make)
        flags |= SpiceCompositeFlags.HAS_SRC_TRANSFORM
    if mask and _takes_transform(mask) and rng.random() < 0.4:
        transforms[1] = _transform(make)
        flags |= SpiceCompositeFlags.HAS_MASK_TRANSFORM
    origins = [
        SpicePoint16(rng.randint(-10, 30), rng.randint(-10, 30)) for _ in range(2)
    ]
    body = messages.SpiceComposite(flags, source, mask, *transforms, *origins)
    message = messages.SpiceMsgDisplayDrawComposite(make.base(box), body)
    return Case(f"{name} {message}", [(DisplayMsg.DRAW_COMPOSITE, message)])


def _takes_transform(image: SpiceImage) -> bool:
    """A transformation stays with a client's surface, for whoever reads it next."""
    return image.descriptor.type != SpiceImageType.SURFACE


# ---- moves


def copy_bits(make: Maker, number: int) -> Case:
    """A move inside the cell."""
    box = make.box()
    place = SpicePoint(
        make.left + make.rng.randint(0, CELL - (box.right - box.left)),
        make.top + make.rng.randint(0, CELL - (box.bottom - box.top)),
    )
    base = make.base(box, make.clip(often=True))
    message = messages.SpiceMsgDisplayCopyBits(base, place)
    return Case(f"copy bits {number} {message}", [(DisplayMsg.COPY_BITS, message)])


def nothing(_make: Maker, number: int) -> Case:
    """Leave the cell as it was."""
    return Case(f"nothing {number}", [])


FAMILIES = {
    function.__name__: function
    for function in (
        nothing,
        fill,
        constant,
        copy,
        scaled_copy,
        opaque,
        rop3,
        transparent,
        alpha_blend,
        line,
        dashed_line,
        curve,
        text,
        composite,
        usual_composite,
        copy_bits,
    )
}

BYTES_ARE_UNKNOWN = {"rop3"}
"""What clients cannot draw on surfaces of bytes: they take them for words."""
