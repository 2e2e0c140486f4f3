"""A client's screen, painted from display messages by the plainest means.

A second opinion on what messages say: numpy arrays of ARGB words, one pixel rule per
line, no code shared with the C core.
"""

from __future__ import annotations

import numpy as np

from spice_protocol.enums import (
    SpiceBitmapFlags,
    SpiceBitmapFmt,
    SpiceBrushType,
    SpiceClipType,
    SpiceImageFlags,
    SpiceImageType,
    SpiceRopd,
    SpiceSurfaceFmt,
)
from spice_protocol.messages.display import MSG, DisplayMsg

__all__ = ["Painter", "decode_bitmap", "rop"]

WORD = np.dtype("<u4")
OPAQUE = 0xFF000000


def decode_bitmap(kind: int, data: bytes, width: int, height: int, stride: int):
    """Return the pixels of a bitmap that a server may send, top row first."""
    rows = np.frombuffer(data, np.uint8, stride * height).reshape(height, stride)
    match kind:
        case SpiceBitmapFmt.FMT_32BIT:
            return rows[:, : 4 * width].copy().view(WORD) | np.uint32(OPAQUE)
        case SpiceBitmapFmt.FMT_RGBA:
            return rows[:, : 4 * width].copy().view(WORD)
        case SpiceBitmapFmt.FMT_16BIT:
            return from_555(rows[:, : 2 * width].copy().view("<u2").astype(WORD))
        case SpiceBitmapFmt.FMT_8BIT_A:
            return rows[:, :width].astype(WORD) << 24
    raise AssertionError(f"bitmap format {kind}")


def from_555(pixels):
    """Widen x1r5g5b5 to ARGB."""
    parts = [pixels >> shift & 0x1F for shift in (10, 5, 0)]
    r, g, b = (part << 3 | part >> 2 for part in parts)
    return np.uint32(OPAQUE) | r << 16 | g << 8 | b


def narrowed(words, surface_format: int):
    """Return what is left of ARGB words on a surface of that format."""
    match surface_format:
        case SpiceSurfaceFmt.FMT_8_A:
            return words & np.uint32(OPAQUE)
        case SpiceSurfaceFmt.FMT_16_555:
            r, g, b = (words >> shift & 0x1F for shift in (19, 11, 3))
            return from_555(r << 10 | g << 5 | b)
        case SpiceSurfaceFmt.FMT_16_565:
            green = words >> 10 & 0x3F
            wide = green << 2 | green >> 4
            return (
                narrowed(words, SpiceSurfaceFmt.FMT_16_555) & 0xFFFF00FF
            ) | wide << 8
    return words


def scaled(source, area, box, *, nearest: bool):
    """Scale *area* of ARGB words to *box* as pixman does: FIXED16.16, means of 7 bits."""
    place = []
    for first, end, to in (
        (area.top, area.bottom, box.bottom - box.top),
        (area.left, area.right, box.right - box.left),
    ):
        step = (end - first) * 65536 // to
        rest = (step // 2 if step % 2 == 0 else (step + 1) // 2) + (first << 16)
        place.append(rest + step * np.arange(to, dtype=np.int64))
    if nearest:
        rows, columns = ((at - 1) >> 16 for at in place)
        return padded(source)[np.ix_(rows + 1, columns + 1)]
    rows, columns = ((at - 0x8000) >> 16 for at in place)
    down, right = (((at - 0x8000) >> 9 & 0x7F).astype(np.int64) << 1 for at in place)
    down, right = down[:, None], right[None, :]
    around = padded(source).astype(np.int64)
    result = np.zeros((len(rows), len(columns)), np.int64)
    for shift in (0, 8, 16, 24):
        channel = around >> shift & 0xFF
        mean = sum(
            channel[np.ix_(rows + 1 + below, columns + 1 + beside)]
            * (down if below else 256 - down)
            * (right if beside else 256 - right)
            for below in (0, 1)
            for beside in (0, 1)
        )
        result |= (mean >> 16) << shift
    return result.astype(WORD)


def padded(words):
    """Return *words* with one transparent pixel around them."""
    return np.pad(words, 1)


def rop(descriptor: int, src, dst):
    """Combine words as a SPICE_ROPD_* descriptor says."""
    ones = np.uint32(0xFFFFFFFF)
    plain_src, plain = src, dst
    if descriptor & SpiceRopd.INVERS_SRC:
        src = src ^ ones
    if descriptor & SpiceRopd.INVERS_DEST:
        dst = dst ^ ones
    if descriptor & SpiceRopd.OP_PUT:
        result = src
    elif descriptor & SpiceRopd.OP_OR:
        result = src | dst
    elif descriptor & SpiceRopd.OP_AND:
        result = src & dst
    elif descriptor & SpiceRopd.OP_XOR:
        result = src ^ dst
    elif descriptor & SpiceRopd.OP_BLACKNESS:
        return np.zeros_like(plain)
    elif descriptor & SpiceRopd.OP_WHITENESS:
        return np.full_like(plain, ones)
    elif descriptor & SpiceRopd.OP_INVERS:
        return plain ^ ones
    else:
        return plain_src  # spice-common takes it for a copy
    return result ^ ones if descriptor & SpiceRopd.INVERS_RES else result


class Painter:
    """All surfaces of one display channel; rops and fills on 32 bit ones only."""

    def __init__(self) -> None:
        self.surfaces: dict[int, np.ndarray] = {}
        self.formats: dict[int, int] = {}
        self.cache: dict[int, np.ndarray] = {}
        self.marks = 0
        self.log: list[str] = []
        """Names of the messages in order."""

    def rgb(self, surface_id: int = 0) -> np.ndarray | None:
        """Return a surface's pixels as 0xRRGGBB; ``None``: there is no such one."""
        surface = self.surfaces.get(surface_id)
        return None if surface is None else surface & np.uint32(0xFFFFFF)

    def apply(self, kind: int, body: bytes) -> None:
        """Carry out one message of the display channel."""
        if kind not in MSG:
            return
        name = DisplayMsg(kind).name
        self.log.append(name)
        message = MSG[kind].unpack(body)
        assert message.pack() == bytes(body), f"{name} has bytes to spare"
        handler = getattr(self, f"_{name.lower()}", None)
        if handler is not None:
            handler(message)

    def _surface_create(self, message) -> None:
        assert message.surface_id not in self.surfaces
        assert message.flags == (message.surface_id == 0)
        shape = (message.height, message.width)
        self.surfaces[message.surface_id] = np.zeros(shape, WORD)
        self.formats[message.surface_id] = message.format

    def _surface_destroy(self, message) -> None:
        del self.surfaces[message.surface_id]

    def _mark(self, _message) -> None:
        assert 0 in self.surfaces
        self.marks += 1

    def _draw_copy(self, message) -> None:
        source = self._image(message.data.src_bitmap)
        area = message.data.src_area
        box = message.base.box
        if (area.bottom - area.top, area.right - area.left) != (
            box.bottom - box.top,
            box.right - box.left,
        ):
            source = scaled(source, area, box, nearest=message.data.scale_mode == 1)
        else:
            source = source[area.top : area.bottom, area.left : area.right]
        assert message.data.mask.bitmap is None
        self._paint(message.base, source, message.data.rop_descriptor)

    def _draw_fill(self, message) -> None:
        brush = message.data.brush
        assert brush.type in {SpiceBrushType.SOLID, SpiceBrushType.NONE}
        color = brush.color if brush.type == SpiceBrushType.SOLID else 0
        box = message.base.box
        shape = (box.bottom - box.top, box.right - box.left)
        descriptor = message.data.rop_descriptor
        if descriptor & SpiceRopd.INVERS_BRUSH:
            descriptor |= SpiceRopd.INVERS_SRC
        self._paint(message.base, np.full(shape, color, WORD), descriptor)

    def _draw_blackness(self, message) -> None:
        self._constant(message, SpiceRopd.OP_BLACKNESS)

    def _draw_whiteness(self, message) -> None:
        self._constant(message, SpiceRopd.OP_WHITENESS)

    def _draw_invers(self, message) -> None:
        self._constant(message, SpiceRopd.OP_INVERS)

    def _constant(self, message, descriptor: int) -> None:
        assert message.data.mask.bitmap is None
        box = message.base.box
        shape = (box.bottom - box.top, box.right - box.left)
        self._paint(message.base, np.zeros(shape, WORD), descriptor)

    def _copy_bits(self, message) -> None:
        box, at = message.base.box, message.src_pos
        height, width = box.bottom - box.top, box.right - box.left
        surface = self.surfaces[message.base.surface_id]
        source = surface[at.y : at.y + height, at.x : at.x + width].copy()
        self._paint(message.base, source, SpiceRopd.OP_PUT)

    def _image(self, image) -> np.ndarray:
        if image.descriptor.type == SpiceImageType.SURFACE:
            return self.surfaces[image.data.surface_id]
        if image.descriptor.type == SpiceImageType.FROM_CACHE:
            return self.cache[image.descriptor.id]
        assert image.descriptor.type == SpiceImageType.BITMAP
        bitmap = image.data
        assert bitmap.flags == SpiceBitmapFlags.TOP_DOWN
        assert (bitmap.x, bitmap.y) == (image.descriptor.width, image.descriptor.height)
        pixels = decode_bitmap(
            bitmap.format, bitmap.data, bitmap.x, bitmap.y, bitmap.stride
        )
        if image.descriptor.flags & SpiceImageFlags.CACHE_ME:
            self.cache[image.descriptor.id] = pixels
        return pixels

    def _inval_list(self, message) -> None:
        for resource in message.resources:
            del self.cache[resource.id]

    def _paint(self, base, source, descriptor: int) -> None:
        surface = self.surfaces[base.surface_id]
        box = base.box
        height, width = surface.shape
        assert source.shape == (box.bottom - box.top, box.right - box.left)
        clips = [box]
        if base.clip.type == SpiceClipType.RECTS:
            clips = base.clip.rects
        wanted = np.zeros(surface.shape, bool)
        for clip in clips:
            rows = slice(max(clip.top, 0), max(clip.bottom, 0))
            wanted[rows, max(clip.left, 0) : max(clip.right, 0)] = True
        top, left = max(box.top, 0), max(box.left, 0)
        bottom, right = min(box.bottom, height), min(box.right, width)
        if top >= bottom or left >= right:
            return
        inside = (slice(top, bottom), slice(left, right))
        source = source[
            top - box.top : bottom - box.top, left - box.left : right - box.left
        ]
        drawn = rop(descriptor, source, surface[inside])
        drawn = narrowed(drawn, self.formats[base.surface_id])
        surface[inside] = np.where(wanted[inside], drawn, surface[inside])
