"""What commands do to surfaces, against numpy, and what messages say of it."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from spice_common.canvas import Canvas, Surface
from spice_common.errors import SurfaceError
from spice_protocol.enums import (
    SpiceBitmapFmt,
    SpiceBrushType,
    SpiceRopd,
    SpiceSurfaceFmt,
)
from spice_protocol.qxl_dev import (
    QXLBrush,
    QXLCopy,
    QXLCopyBits,
    QxlDrawType,
    QXLFill,
    QXLPoint,
    QXLQMask,
    QXLRect,
)
from tests.fakes.canvas_bench import CanvasBench
from tests.fakes.fake_guest import NO_MASK
from tests.fakes.painter import rop as numpy_rop

WIDTH, HEIGHT = 40, 30
ALL = QXLRect(0, 0, HEIGHT, WIDTH)
ROPS = [
    SpiceRopd.OP_PUT,
    SpiceRopd.OP_OR,
    SpiceRopd.OP_AND,
    SpiceRopd.OP_XOR,
    SpiceRopd.OP_BLACKNESS,
    SpiceRopd.OP_WHITENESS,
    SpiceRopd.OP_INVERS,
    SpiceRopd.OP_PUT | SpiceRopd.INVERS_RES,
    SpiceRopd.OP_OR | SpiceRopd.INVERS_DEST,
    SpiceRopd.OP_AND | SpiceRopd.INVERS_SRC,
    SpiceRopd.OP_XOR | SpiceRopd.INVERS_SRC | SpiceRopd.INVERS_RES,
    SpiceRopd.OP_PUT | SpiceRopd.INVERS_SRC,
]


@pytest.fixture
def bench():
    with CanvasBench(WIDTH, HEIGHT) as bench:
        yield bench


def noise(width: int, height: int, seed: int = 0) -> np.ndarray:
    words = np.random.default_rng(seed).integers(0, 1 << 32, (height, width), np.uint32)
    return words.astype("<u4")


def palette_for(kind: int) -> list[int]:
    colors = {1: 2, 2: 2, 3: 16, 4: 16, 5: 256}.get(kind, 0)
    return [0x010305 * (i + 1) & 0xFFFFFF for i in range(colors)]


def fill_with_noise(bench: CanvasBench, surface_id: int = 0) -> np.ndarray:
    words = noise(WIDTH, HEIGHT, 99)
    image = bench.image(words.tobytes(), WIDTH, HEIGHT, 4 * WIDTH)
    bench.copy(image, ALL, ALL, surface_id=surface_id)
    bench.draw()
    return words & np.uint32(0xFFFFFF)


# ---- surfaces


def surface(**changes: int) -> Surface:
    values = {"id": 3, "width": 8, "height": 4, "format": 32, "stride": 32, "serial": 0}
    return Surface(**{**values, **changes})


def test_surfaces_come_and_go():
    canvas = Canvas(8)
    memory = bytearray(b"\x11" * 128)
    first = canvas.create_surface(surface(), memory, clear=False)
    assert canvas.surface_ids() == [3]
    assert canvas.surface(3) == first
    assert canvas.read_surface(3) == b"\x11\x11\x11\xff" * 32
    canvas.destroy_surface(3)
    assert canvas.surface(3) is None
    second = canvas.create_surface(surface(stride=-32), memory, clear=True)
    assert second.serial != first.serial
    assert memory == bytes(128)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": 8}, "id"),
        ({"width": 0}, "size"),
        ({"height": 0}, "size"),
        ({"width": 32768}, "size"),
        ({"stride": 31}, "size"),
        ({"stride": -31}, "size"),
        ({"stride": 33}, "size"),
        ({"stride": -(1 << 31)}, "size"),
        ({"height": 5}, "size"),
        ({"format": SpiceSurfaceFmt.FMT_1_A}, "format"),
        ({"format": 0}, "format"),
    ],
)
def test_surfaces_that_cannot_be(changes, reason):
    with pytest.raises(SurfaceError, match=reason):
        Canvas(8).create_surface(surface(**changes), bytearray(128), clear=True)


def test_an_id_is_taken_once_and_given_back_once():
    canvas = Canvas(8)
    canvas.create_surface(surface(), bytearray(128), clear=True)
    with pytest.raises(SurfaceError, match="taken"):
        canvas.create_surface(surface(), bytearray(128), clear=True)
    canvas.destroy_surface(3)
    with pytest.raises(SurfaceError):
        canvas.destroy_surface(3)
    with pytest.raises(SurfaceError):
        canvas.read_surface(3)


def test_memory_is_let_go_with_its_surface():
    class Memory(bytearray):
        pass

    canvas, memory = Canvas(8), Memory(128)
    canvas.create_surface(surface(), memory, clear=True)
    watcher = weakref.ref(memory)
    del memory
    gc.collect()
    assert watcher() is not None
    canvas.destroy_surface(3)
    gc.collect()
    assert watcher() is None


# ---- fills


@pytest.mark.parametrize("rop", ROPS)
@pytest.mark.parametrize("invert_brush", [0, SpiceRopd.INVERS_BRUSH])
def test_fill(bench, rop, invert_brush):
    expected = fill_with_noise(bench)
    box = QXLRect(3, 5, 20, 30)
    rop &= ~SpiceRopd.INVERS_SRC  # means nothing for a brush
    bench.guest.draw_fill(box, 0xA53C96, rop=rop | invert_brush | SpiceRopd.INVERS_SRC)
    bench.draw()
    inside = expected[3:20, 5:30]
    source = np.full_like(inside, 0xA53C96)
    descriptor = rop | (SpiceRopd.INVERS_SRC if invert_brush else 0)
    expected[3:20, 5:30] = numpy_rop(descriptor, source, inside) & 0xFFFFFF
    assert np.array_equal(bench.pixels(), expected)


@pytest.mark.parametrize(
    ("kind", "rop"),
    [
        (QxlDrawType.DRAW_BLACKNESS, SpiceRopd.OP_BLACKNESS),
        (QxlDrawType.DRAW_WHITENESS, SpiceRopd.OP_WHITENESS),
        (QxlDrawType.DRAW_INVERS, SpiceRopd.OP_INVERS),
    ],
)
def test_constant_fills(bench, kind, rop):
    expected = fill_with_noise(bench)
    bench.command(kind, QXLRect(3, 5, 20, 30), NO_MASK)
    bench.draw()
    inside = expected[3:20, 5:30]
    expected[3:20, 5:30] = numpy_rop(rop, inside, inside) & 0xFFFFFF
    assert np.array_equal(bench.pixels(), expected)
    bench.assert_agreement()


# ---- copies


@pytest.mark.parametrize("rop", ROPS)
@pytest.mark.parametrize("kind", [QxlDrawType.DRAW_COPY, QxlDrawType.DRAW_BLEND])
@pytest.mark.parametrize("messages", [True, False])
def test_copy_with_rop(bench, rop, kind, messages):
    expected = fill_with_noise(bench)
    words = noise(16, 8)
    image = bench.image(words.tobytes(), 16, 8, 64)
    # A part of the image, half of it outside the surface.
    bench.copy(
        image,
        QXLRect(2, 4, 8, 16),
        QXLRect(HEIGHT - 3, -4, HEIGHT + 3, 8),
        rop=rop,
        kind=kind,
    )
    bench.draw(messages=messages)
    inside = expected[-3:, :8]
    expected[-3:, :8] = numpy_rop(rop, words[2:5, 8:16], inside) & 0xFFFFFF
    assert np.array_equal(bench.pixels(), expected)
    if messages:
        bench.assert_agreement()


@pytest.mark.parametrize("messages", [True, False])
@pytest.mark.parametrize("surface_format", list(SpiceSurfaceFmt)[2:])
@pytest.mark.parametrize("kind", list(SpiceBitmapFmt)[1:])
def test_every_format_on_every_surface(kind, surface_format, messages):
    """A message's reader and the canvas agree, whichever way pixels are converted."""
    with CanvasBench(24, 8, surface_format=surface_format) as bench:
        palette = palette_for(kind)
        data = noise(24, 8, int(kind)).tobytes()
        image = bench.image(data, 24, 8, 96, kind=kind, palette=palette)
        area = QXLRect(1, 3, 8, 24)
        bench.copy(image, area, area)
        runs = bench.draw(messages=messages)
        if not messages:
            return
        bench.assert_agreement()
        with CanvasBench(24, 8, surface_format=surface_format) as other:
            image = other.image(data, 24, 8, 96, kind=kind, palette=palette)
            other.copy(image, area, area)
            other.draw(messages=False)
            assert bytes(other.memory) == bytes(bench.memory)
        assert len(runs[0].starts) <= 1  # 0: it looked so already
        if surface_format != SpiceSurfaceFmt.FMT_8_A:
            assert np.count_nonzero(bench.pixels()) or kind == SpiceBitmapFmt.FMT_8BIT_A


@given(
    cuts=st.lists(st.integers(1, 16 * 8 * 4 - 1), max_size=12, unique=True),
    top_down=st.booleans(),
    messages=st.booleans(),
    kind=st.sampled_from([8, 9, 7, 6, 5]),
)
@settings(max_examples=60, deadline=None)
def test_rows_may_straddle_chunks(cuts, top_down, messages, kind):
    words = noise(16, 8, kind)
    data = words.tobytes()
    results = []
    for pieces in ([], sorted(cuts)):
        with CanvasBench(16, 8) as bench:
            image = bench.image(
                data,
                16,
                8,
                64,
                kind=kind,
                top_down=top_down,
                palette=palette_for(kind),
                pieces=pieces,
            )
            area = QXLRect(1, 2, 7, 15)
            bench.copy(image, area, area)
            bench.draw(messages=messages)
            results.append(bench.pixels().copy())
            if messages:
                bench.assert_agreement()
    assert np.array_equal(*results)
    if kind == SpiceBitmapFmt.FMT_32BIT:
        rows = words if top_down else words[::-1]
        assert np.array_equal(results[0][1:7, 2:15], rows[1:7, 2:15] & 0xFFFFFF)


@pytest.mark.parametrize("messages", [True, False])
def test_copy_from_another_surface(bench, messages):
    fill_with_noise(bench)
    bench.guest.create_surface(5, 16, 8, vram_offset=4096)
    bench.guest.draw_fill(QXLRect(0, 0, 8, 16), 0xFF335577, surface_id=5)
    bench.guest.draw_fill(QXLRect(2, 3, 4, 6), 0x80FFFFFF, surface_id=5)
    image = bench.surface_image(5, 16, 8)
    bench.copy(image, QXLRect(1, 2, 8, 16), QXLRect(-2, 30, 5, 44))
    bench.draw(messages=messages)
    expected = np.full((8, 16), 0x335577)
    expected[2:4, 3:6] = 0xFFFFFF
    assert np.array_equal(bench.pixels()[0:5, 30:40], expected[3:8, 2:12])
    if messages:
        bench.assert_agreement()
        bench.assert_agreement(5)


# ---- copy bits

shift = st.integers(-8, 8)
rects = st.builds(
    lambda top, left, height, width: QXLRect(top, left, top + height, left + width),
    st.integers(-4, HEIGHT - 1),
    st.integers(-4, WIDTH - 1),
    st.integers(1, HEIGHT),
    st.integers(1, WIDTH),
)


def crop(rect: QXLRect) -> tuple[slice, slice]:
    return (
        slice(max(rect.top, 0), max(min(rect.bottom, HEIGHT), 0)),
        slice(max(rect.left, 0), max(min(rect.right, WIDTH), 0)),
    )


def mask(box: QXLRect, clip: list[QXLRect]) -> np.ndarray:
    """Return where a command draws."""
    clipped = np.zeros((HEIGHT, WIDTH), bool)
    for rect in clip or [box]:
        clipped[crop(rect)] = True
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[crop(box)] = True
    return clipped & inside


def moved(pixels: np.ndarray, dx: int, dy: int) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels[y + dy, x + dx] for each place, and where that exists."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    y, x = y + dy, x + dx
    exists = (y >= 0) & (y < HEIGHT) & (x >= 0) & (x < WIDTH)
    return pixels[y.clip(0, HEIGHT - 1), x.clip(0, WIDTH - 1)], exists


@given(box=rects, dx=shift, dy=shift, clip=st.lists(rects, max_size=5))
@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_copy_bits_overlapping_itself(bench, box, dx, dy, clip):
    before = fill_with_noise(bench)
    body = QXLCopyBits(QXLPoint(box.left + dx, box.top + dy))
    bench.command(QxlDrawType.COPY_BITS, box, body, clip=clip)
    bench.draw()
    source, exists = moved(before, dx, dy)
    expected = np.where(mask(box, clip) & exists, source, before)
    assert np.array_equal(bench.pixels(), expected)
    bench.assert_agreement()
    bench.guest.heap.used.clear()


# ---- what is not drawn


def unsupported(bench: CanvasBench) -> dict[int, int]:
    return bench.canvas.counters().unsupported


def test_a_scaled_copy(bench):
    words = noise(8, 8)
    image = bench.image(words.tobytes(), 8, 8, 32)
    nearest = QXLCopy(image, QXLRect(0, 0, 8, 8), SpiceRopd.OP_PUT, 1, NO_MASK)
    bench.command(QxlDrawType.DRAW_COPY, QXLRect(0, 0, 16, 24), nearest)
    bench.draw()
    wanted = words.repeat(2, axis=0).repeat(3, axis=1) & 0xFFFFFF
    assert np.array_equal(bench.pixels()[:16, :24], wanted)
    assert bench.canvas.not_drawn == 0
    bench.assert_agreement()


def checkered_mask(bench: CanvasBench) -> int:
    rows = bytes([0xAA, 0, 0, 0, 0x55, 0, 0, 0] * 4)
    return bench.image(rows, 8, 8, 4, kind=SpiceBitmapFmt.FMT_1BIT_BE)


@pytest.mark.parametrize("inverts", [0, 1])
def test_a_mask(bench, inverts):
    before = fill_with_noise(bench)
    mask = QXLQMask(inverts, QXLPoint(0, 0), checkered_mask(bench))
    solid = QXLBrush(SpiceBrushType.SOLID, (0x123456).to_bytes(4, "little"))
    fill = QXLFill(solid, SpiceRopd.OP_PUT, mask)
    bench.command(QxlDrawType.DRAW_FILL, QXLRect(2, 4, 20, 20), fill)
    bench.draw()
    y, x = np.mgrid[:8, :8]
    before[2:10, 4:12][(x + y) % 2 == inverts] = 0x123456
    assert np.array_equal(bench.pixels(), before)  # and nothing beyond the mask


def test_a_pattern(bench):
    words = noise(5, 3)
    picture = bench.image(words.tobytes(), 5, 3, 20)
    place = QXLPoint(2, -1).pack()
    pattern = QXLBrush(SpiceBrushType.PATTERN, picture.to_bytes(8, "little") + place)
    bench.command(QxlDrawType.DRAW_FILL, ALL, QXLFill(pattern, 8, NO_MASK))
    bench.draw()
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    wanted = words[(y + 1) % 3, (x - 2) % 5] & 0xFFFFFF
    assert np.array_equal(bench.pixels(), wanted)


def test_without_a_brush_the_color_is_0(bench):
    before = fill_with_noise(bench)
    none = QXLBrush(SpiceBrushType.NONE, b"")
    area = QXLRect(0, 0, 5, 5)
    body = QXLFill(none, SpiceRopd.OP_INVERS, NO_MASK)
    bench.command(QxlDrawType.DRAW_FILL, area, body)
    body = QXLFill(none, SpiceRopd.OP_PUT, NO_MASK)
    bench.command(QxlDrawType.DRAW_FILL, QXLRect(5, 0, 10, 5), body)
    bench.draw()
    before[:5, :5] ^= 0xFFFFFF
    before[5:10, :5] = 0
    assert np.array_equal(bench.pixels(), before)
    bench.assert_agreement()


def test_surfaces_that_are_not_there(bench):
    area = QXLRect(0, 0, 8, 8)
    bench.guest.draw_fill(area, 1, surface_id=7)
    bench.copy(bench.surface_image(7, 8, 8), area, area)
    bench.guest.destroy_surface(7)
    bench.draw()
    assert bench.canvas.counters().rejected == 3


@pytest.mark.parametrize(("x", "y"), [(3, 2), (-3, 2), (3, -2), (-3, -2)])
@pytest.mark.parametrize("rop", [SpiceRopd.OP_PUT, SpiceRopd.OP_XOR])
def test_a_surface_copied_onto_itself(bench, x, y, rop):
    before = fill_with_noise(bench)
    area = QXLRect(5, 5, 20, 20)
    box = QXLRect(5 + y, 5 + x, 20 + y, 20 + x)
    bench.copy(bench.surface_image(0, WIDTH, HEIGHT), area, box, rop=rop)
    bench.draw()
    wanted = before.copy()
    inside = (slice(5 + y, 20 + y), slice(5 + x, 20 + x))
    wanted[inside] = numpy_rop(rop, before[5:20, 5:20], before[inside]) & 0xFFFFFF
    assert np.array_equal(bench.pixels(), wanted)
    bench.assert_agreement()


def test_the_picture_of_the_surface_itself(bench):
    before = fill_with_noise(bench)
    body = QXLCopy(0, QXLRect(1, 2, 5, 8), SpiceRopd.OP_PUT, 0, NO_MASK)
    bench.command(
        QxlDrawType.DRAW_COPY,
        QXLRect(10, 10, 14, 16),
        body,
        self_bitmap=1,
        self_bitmap_area=QXLRect(3, 4, 20, 20),
    )
    bench.draw()
    wanted = before.copy()
    wanted[10:14, 10:16] = before[4:8, 6:12]
    assert np.array_equal(bench.pixels(), wanted)
    bench.assert_agreement()


def test_what_nobody_sees(bench):
    bench.guest.draw_fill(QXLRect(HEIGHT, 0, HEIGHT + 5, 5), 1)
    bench.guest.draw_fill(QXLRect(-5, 0, 0, 5), 1)
    bench.command(
        QxlDrawType.DRAW_INVERS,
        QXLRect(0, 0, 5, 5),
        NO_MASK,
        clip=[QXLRect(6, 6, 9, 9)],
    )
    bench.guest.copy_bits(QXLRect(0, 0, 5, 5), 0, 0)
    bench.guest.copy_bits(QXLRect(0, 0, 5, 5), 1 << 19, 0)
    runs = bench.draw()
    counters = bench.canvas.counters()
    assert counters.clipped == 5
    assert counters.drawn == {}
    assert not any(run.damage or run.starts for run in runs)


def test_surfaces_are_cleared_unless_their_data_is_to_be_kept(bench):
    view = bench.transport.memory.vram.view
    view[0:256] = b"\x22" * 256
    bench.guest.create_surface(9, 8, 8)
    bench.draw()
    assert not bench.pixels(9).any()
    bench.assert_agreement(9)
