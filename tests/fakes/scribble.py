"""A guest that draws at random: fills, copies and moves, some with clips and rops."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from spice_protocol.enums import SpiceBitmapFmt, SpiceRopd
from spice_protocol.qxl_dev import QXLRect

if TYPE_CHECKING:
    from tests.fakes.display_bench import DisplayBench

__all__ = ["scribble"]

ROPS = [
    SpiceRopd.OP_PUT,
    SpiceRopd.OP_OR,
    SpiceRopd.OP_AND | SpiceRopd.INVERS_DEST,
    SpiceRopd.OP_XOR,
    SpiceRopd.OP_BLACKNESS,
    SpiceRopd.OP_WHITENESS,
    SpiceRopd.OP_INVERS,
    SpiceRopd.OP_PUT | SpiceRopd.INVERS_BRUSH,
    SpiceRopd.OP_OR | SpiceRopd.INVERS_RES,
]
FORMATS = {
    SpiceBitmapFmt.FMT_16BIT: 2,
    SpiceBitmapFmt.FMT_24BIT: 3,
    SpiceBitmapFmt.FMT_32BIT: 4,
    SpiceBitmapFmt.FMT_RGBA: 4,
}


def random_rect(bench: DisplayBench, rng: random.Random) -> QXLRect:
    top, left = rng.randrange(bench.height - 40), rng.randrange(bench.width - 40)
    bottom = min(bench.height, top + rng.randrange(1, 200))
    return QXLRect(top, left, bottom, min(bench.width, left + rng.randrange(1, 300)))


def draw_one(bench: DisplayBench, rng: random.Random) -> None:
    guest, area = bench.guest, random_rect(bench, rng)
    width, height = area.right - area.left, area.bottom - area.top
    match rng.randrange(4):
        case 0:
            bench.draw(guest.draw_fill, area, rng.getrandbits(24), rop=rng.choice(ROPS))
        case 1:
            x, y = (
                rng.randrange(bench.width - width + 1),
                rng.randrange(bench.height - height + 1),
            )
            bench.draw(guest.copy_bits, area, x, y)
        case 2:
            kind, size = rng.choice(list(FORMATS.items()))
            pixels = rng.randbytes(size * width * height)
            bench.draw(guest.draw_copy, pixels, area, format=kind)
        case 3:
            clip = [random_rect(bench, rng) for _ in range(rng.randrange(1, 6))]
            pixels = rng.randbytes(4 * width * height)
            bench.draw(guest.draw_copy, pixels, area, clip=clip)


def scribble(bench: DisplayBench, seed: int) -> None:
    """Draw 200 commands; all are on the screen afterwards."""
    rng = random.Random(seed)
    for _ in range(200):
        draw_one(bench, rng)
    bench.flush()
