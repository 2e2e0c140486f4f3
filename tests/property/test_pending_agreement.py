"""Whatever is drawn and whenever it is told: a client shows the canvas in the end."""

from __future__ import annotations

import random

import pytest

from spice_common.client_images import PixmapCache
from spice_common.pending import PendingSettings
from spice_protocol.enums import SpiceRopd
from spice_protocol.qxl_dev import QXLCopyBits, QxlDrawType, QXLPoint, QXLRect
from tests.fakes.canvas_bench import CanvasBench

WIDTH, HEIGHT = 150, 110
SIDE = 40
SURFACES = (1, 2, 3)


def box(rng: random.Random, width: int, height: int) -> QXLRect:
    left, top = rng.randrange(width), rng.randrange(height)
    right, bottom = rng.randint(left + 1, width), rng.randint(top + 1, height)
    return QXLRect(top, left, bottom, right)


def random_command(bench: CanvasBench, rng: random.Random, known: set[int]) -> None:
    """Push one; *known* are the surfaces there are."""
    on = rng.choice([0, 0, 0, *known])
    size = (WIDTH, HEIGHT) if on == 0 else (SIDE, SIDE)
    area = box(rng, *size)
    width, height = area.right - area.left, area.bottom - area.top
    match rng.randrange(12):
        case 0 | 1 | 2:
            bench.guest.draw_fill(area, rng.getrandbits(24), surface_id=on)
        case 3:
            bench.guest.draw_fill(
                area, rng.getrandbits(24), surface_id=on, rop=SpiceRopd.OP_XOR
            )
        case 4 | 5:
            at = QXLPoint(rng.randrange(size[0]), rng.randrange(size[1]))
            clip = [box(rng, *size) for _ in range(rng.randrange(3))]
            bench.command(
                QxlDrawType.COPY_BITS, area, QXLCopyBits(at), clip=clip, surface_id=on
            )
        case 6 | 7 | 8:
            data = rng.randbytes(4 * width * height)
            image = bench.image(data, width, height, 4 * width)
            rop = rng.choice([SpiceRopd.OP_PUT, SpiceRopd.OP_PUT, SpiceRopd.OP_OR])
            source = QXLRect(0, 0, height, width)
            bench.copy(image, source, area, surface_id=on, rop=rop)
        case 9 | 10 if {0, *known} - {on}:
            source = rng.choice(sorted({0, *known} - {on}))
            part = box(rng, min(SIDE, size[0]), min(SIDE, size[1]))
            bench.guest.copy_surface(source, part, part, surface_id=on)
        case 11:
            surface_id = rng.choice(SURFACES)
            if surface_id in known:
                known.remove(surface_id)
                bench.guest.destroy_surface(surface_id)
            else:
                known.add(surface_id)
                bench.guest.create_surface(
                    surface_id, SIDE, SIDE, vram_offset=surface_id << 14
                )


@pytest.mark.parametrize("compare", [True, False])
@pytest.mark.parametrize("seed", range(12))
def test_the_client_shows_the_canvas(seed, compare):
    rng = random.Random(seed)
    with CanvasBench(WIDTH, HEIGHT) as bench:
        bench.pending.set(PendingSettings(compare=compare))
        bench.pending.use(None, PixmapCache(SIDE * SIDE * 4) if seed % 2 else None)
        known: set[int] = set()
        for _ in range(60):
            for _ in range(rng.choice([1, 5, 25])):
                random_command(bench, rng, known)
            bench.draw_unseen()
            bench.guest.heap.used.clear()
            if rng.random() < 0.3:
                bench.paint(bench.flush(rng.choice([1, 3000, 1 << 20])))
            if rng.random() < 0.03:
                bench.pending.damage_all()
            if rng.random() < 0.2:
                while bench.pending:
                    bench.paint(bench.flush(rng.choice([5000, 1 << 20])))
                bench.assert_agreement()
        while bench.pending:
            bench.paint(bench.flush())
        bench.assert_agreement()
        assert set(bench.painter.surfaces) == {0, *known}
