"""A guest that writes nonsense: whatever is drawn, clients are told exactly that.

Good commands are damaged in guest memory, byte by byte, between pushing and drawing.
The painter refuses any message that is not well-formed and inside its surface.
"""

from __future__ import annotations

import random

import pytest

from spice_protocol.enums import SpiceRopd
from spice_protocol.qxl_dev import QxlDrawType, QXLRect
from tests.fakes.canvas_bench import CanvasBench
from tests.fakes.fake_guest import NO_MASK

WIDTH, HEIGHT = 64, 48
ROUNDS = 250
COMMANDS = 8


def rect(rng: random.Random) -> QXLRect:
    top, left = rng.randrange(-4, 30), rng.randrange(-4, 30)
    return QXLRect(top, left, top + rng.randrange(1, 30), left + rng.randrange(1, 30))


def create_surfaces(bench: CanvasBench) -> None:
    """Create surfaces 1 to 3, each in memory of its own."""
    for surface_id in range(1, 4):
        bench.guest.create_surface(surface_id, 32, 32, vram_offset=4096 * surface_id)
    bench.draw()


def push(bench: CanvasBench, rng: random.Random) -> None:
    """Push one good draw command."""
    box = rect(rng)
    on = rng.randrange(4)
    width, height = box.right - box.left, box.bottom - box.top
    inner = QXLRect(0, 0, height, width)
    clip = [rect(rng) for _ in range(rng.randrange(4))]
    rop = rng.choice([SpiceRopd.OP_PUT, SpiceRopd.OP_XOR, SpiceRopd.OP_INVERS])
    match rng.randrange(5):
        case 0:
            bench.guest.draw_fill(box, rng.getrandbits(24), rop=rop, surface_id=on)
        case 1:
            place = rng.randrange(WIDTH), rng.randrange(HEIGHT)
            bench.guest.copy_bits(box, *place, surface_id=on)
        case 2:
            bench.command(
                QxlDrawType.DRAW_INVERS, box, NO_MASK, clip=clip, surface_id=on
            )
        case 3:
            image = bench.surface_image(rng.randrange(4), 32, 32)
            bench.copy(image, inner, box, rop=rop, clip=clip, surface_id=on)
        case 4:
            data = rng.randbytes(4 * width * height)
            pieces = sorted(rng.sample(range(1, len(data)), min(3, len(data) - 1)))
            image = bench.image(data, width, height, 4 * width, pieces=pieces)
            bench.copy(image, inner, box, rop=rop, clip=clip, surface_id=on)


def damage(bench: CanvasBench, rng: random.Random) -> None:
    """Change some bytes of what was pushed to what hurts most."""
    view = bench.transport.memory.ram.view
    blocks = list(bench.guest.heap.used.items())
    for _ in range(rng.randrange(1, 6)):
        offset, size = rng.choice(blocks)
        at = offset + rng.randrange(min(size, 240))
        width = rng.choice([1, 2, 4])
        value = rng.choice([0, 1, 2, 0x7F, 0x80, 0xFF, rng.getrandbits(8)])
        view[at : at + width] = bytes([value]) * width


@pytest.mark.parametrize("seed", range(8))
def test_what_is_drawn_is_what_is_told(seed):
    rng = random.Random(seed)
    with CanvasBench(WIDTH, HEIGHT) as bench:
        guest = bench.guest
        create_surfaces(bench)
        for _ in range(ROUNDS):
            for _ in range(COMMANDS):
                push(bench, rng)
            damage(bench, rng)
            while bench.device.get_commands(bench.batch):
                bench.draw_held(max_bytes=rng.choice([1, 2000, 1 << 20]))
            guest.heap.used.clear()
            guest.release_ring.pop(8)
            bench.assert_agreement()
        drawn = sum(bench.canvas.counters().drawn.values())
    assert drawn > ROUNDS * COMMANDS / 4
