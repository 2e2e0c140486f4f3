"""Messages: what they hold, how they are cut, and that a reader sees the canvas."""

from __future__ import annotations

import struct
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from spice_common.canvas import Canvas, Surface
from spice_common.command_batch import CommandBatch
from spice_common.display_message import (
    MAX_DRAW_MESSAGE_SIZE,
    BatchPosition,
    DamageMap,
    DisplayMessages,
)
from spice_common.region import Box
from spice_protocol.enums import SpiceRopd
from spice_protocol.messages.display import DisplayMsg
from spice_protocol.qxl_dev import (
    QXL_SURF_FLAG_KEEP_DATA,
    QXLCmdType,
    QxlDrawType,
    QXLRect,
    QXLReleaseInfo,
    QXLSurface,
    QXLSurfaceCmd,
)
from tests.fakes.canvas_bench import CanvasBench
from tests.fakes.fake_guest import NO_MASK, VRAM_SLOT

WIDTH, HEIGHT = 64, 48


@pytest.fixture
def bench():
    with CanvasBench(WIDTH, HEIGHT) as bench:
        yield bench


def noise(width: int, height: int, seed: int = 0) -> bytes:
    return np.random.default_rng(seed).bytes(4 * width * height)


def messages(run) -> list[tuple[int, bytes]]:
    ends = [*run.starts[1:], len(run.data)]
    return [
        (struct.unpack_from("<H", run.data, start)[0], bytes(run.data[start + 6 : end]))
        for start, end in zip(run.starts, ends, strict=True)
    ]


def test_a_draw_copy_byte_for_byte(bench):
    pixels = bytes(range(24))
    bench.guest.draw_copy(pixels, QXLRect(5, 7, 7, 10))
    ((kind, body),) = messages(bench.draw()[0])
    assert kind == DisplayMsg.DRAW_COPY
    assert body[:21] == struct.pack("<IiiiiB", 0, 5, 7, 7, 10, 0)
    assert body[21:57] == struct.pack("<IiiiiHBBiiI", 57, 0, 0, 2, 3, 8, 0, 0, 0, 0, 0)
    assert body[57:75] == struct.pack("<IIBBII", 2, 1, 0, 0, 3, 2)
    assert body[75:93] == struct.pack("<BBIIII", 8, 4, 3, 2, 12, 0)
    assert body[93:] == pixels


def test_only_what_is_visible_is_sent(bench):
    """Drivers send rows padded to the framebuffer's pitch; clients get the cell."""
    pitch = 4 * 1024
    bench.guest.draw_copy(bytes(16 * pitch), QXLRect(8, 8, 24, 16), stride=pitch)
    ((_, body),) = messages(bench.draw()[0])
    assert len(body) == 93 + 8 * 16 * 4


def test_a_copy_half_outside_is_cut(bench):
    data = noise(20, 10)
    image = bench.image(data, 20, 10, 80)
    bench.copy(image, QXLRect(0, 0, 10, 20), QXLRect(HEIGHT - 4, -5, HEIGHT + 6, 15))
    ((_, body),) = messages(bench.draw()[0])
    assert len(body) == 93 + 15 * 4 * 4
    bench.assert_agreement()


# ---- clips


def clips(run) -> list[int]:
    """Return how many clip rectangles each message has."""
    return [
        struct.unpack_from("<I", body, 21)[0] if body[20] else 0
        for _, body in messages(run)
    ]


def copy_all(bench: CanvasBench, clip: list[QXLRect], seed: int = 0) -> None:
    image = bench.image(noise(WIDTH, HEIGHT, seed), WIDTH, HEIGHT, 4 * WIDTH)
    area = QXLRect(0, 0, HEIGHT, WIDTH)
    bench.copy(image, area, area, clip=clip)


def test_one_clip_rectangle_becomes_the_box(bench):
    copy_all(bench, [QXLRect(10, 20, 12, 24)])
    (run,) = bench.draw()
    assert clips(run) == [0]
    assert len(run.data) == 6 + 93 + 2 * 4 * 4


def test_rectangles_close_together_share_a_message(bench):
    copy_all(bench, [QXLRect(10, 20, 12, 24), QXLRect(12, 21, 14, 25)])
    (run,) = bench.draw()
    assert clips(run) == [2]
    bench.assert_agreement()


def test_rectangles_far_apart_are_sent_apart(bench):
    copy_all(bench, [QXLRect(0, 0, 2, 2), QXLRect(46, 62, 48, 64)])
    (run,) = bench.draw()
    assert clips(run) == [0, 0]
    bench.assert_agreement()


def test_other_commands_keep_their_clip(bench):
    clip = [QXLRect(0, 0, 2, 2), QXLRect(46, 62, 48, 64)]
    area = QXLRect(0, 0, HEIGHT, WIDTH)
    bench.command(QxlDrawType.DRAW_WHITENESS, area, NO_MASK, clip=clip)
    (run,) = bench.draw()
    assert clips(run) == [2]
    bench.assert_agreement()


@pytest.mark.parametrize("kind", ["grid", "nested", "same"])
@pytest.mark.parametrize("count", [100, 1000, 3000])
def test_floods_of_clip_rectangles(bench, kind, count):
    """Overlaps of n rectangles can make n * n / 4; nothing grows without bound."""
    if kind == "grid":
        clip = [QXLRect(i % 48, 0, i % 48 + 1, 64) for i in range(count // 2)]
        clip += [QXLRect(0, i % 64, 48, i % 64 + 1) for i in range(count // 2)]
    elif kind == "nested":
        clip = [QXLRect(i % 24, i % 24, 48 - i % 24, 64 - i % 24) for i in range(count)]
    else:
        clip = [QXLRect(3, 3, 9, 9)] * count
    copy_all(bench, clip)
    bench.draw()
    bench.assert_agreement()
    counters = bench.canvas.counters()
    assert counters.rejected == (count > 1024)


def test_many_clip_rectangles_in_bands_are_fine():
    with CanvasBench(512, 512) as bench:
        clip = [
            QXLRect(y, x, y + 1, x + 2) for y in range(0, 512, 8) for x in range(0, 512, 8)
        ]  # fmt: skip
        image = bench.image(noise(512, 512), 512, 512, 2048)
        area = QXLRect(0, 0, 512, 512)
        bench.copy(image, area, area, clip=clip)
        bench.draw()
        bench.assert_agreement()
        assert np.count_nonzero(bench.pixels()) == 2 * len(clip)


# ---- steps


SIZES = st.sampled_from([1, 100, 1000, 5000, 1 << 20])
rects = st.builds(
    lambda top, left, height, width: QXLRect(top, left, top + height, left + width),
    st.integers(-4, HEIGHT - 1),
    st.integers(-4, WIDTH - 1),
    st.integers(1, HEIGHT),
    st.integers(1, WIDTH),
)
steps = st.lists(
    st.tuples(
        st.sampled_from(["fill", "copy", "bits", "invert", "surface", "from_surface"]),
        rects,
        st.lists(rects, max_size=4),
        st.integers(0, 1 << 20),
    ),
    min_size=1,
    max_size=20,
)


def scene(bench: CanvasBench, commands) -> None:
    guest = bench.guest
    for kind, box, clip, number in commands:
        width, height = box.right - box.left, box.bottom - box.top
        inner = QXLRect(0, 0, height, width)
        if kind == "fill":
            guest.draw_fill(box, number)
        elif kind == "copy":
            image = bench.image(noise(width, height, number), width, height, 4 * width)
            bench.copy(image, inner, box, clip=clip)
        elif kind == "bits":
            guest.copy_bits(box, number % WIDTH, number % HEIGHT)
        elif kind == "invert":
            bench.command(QxlDrawType.DRAW_INVERS, box, NO_MASK, clip=clip)
        elif kind == "surface":
            guest.destroy_surface(1)
            guest.create_surface(1, width, height)
            guest.draw_fill(inner, number | 0xFF000000, surface_id=1)
        else:
            image = bench.surface_image(1, width, height)
            bench.copy(image, inner, box, clip=clip, rop=SpiceRopd.OP_XOR)
        if len(guest.heap.used) > 24:
            return


@given(steps, SIZES)
@settings(max_examples=60, deadline=None)
def test_any_scene_in_any_steps(commands, max_bytes):
    """Steps of any size, and none at all, give one picture; readers see it, too."""
    pictures = []
    for seen, size in [(True, max_bytes), (False, max_bytes), (False, 1 << 26)]:
        with CanvasBench(WIDTH, HEIGHT) as bench:
            scene(bench, commands)
            bench.draw(messages=seen, max_bytes=size)
            pictures.append(bench.canvas.read_surface(0))
            if seen:
                for surface_id in bench.canvas.surface_ids():
                    bench.assert_agreement(surface_id)
                assert set(bench.painter.surfaces) == set(bench.canvas.surface_ids())
    assert pictures[0] == pictures[1] == pictures[2]


def test_large_pictures_are_cut_into_bands():
    with CanvasBench(1024, 1000) as bench:
        image = bench.image(noise(1024, 1000), 1024, 1000, 4096)
        area = QXLRect(0, 0, 1000, 1024)
        bench.copy(image, area, area)
        runs = bench.draw(max_bytes=1 << 20)
        sizes = [len(body) for run in runs for _, body in messages(run)]
        assert len(sizes) == 4
        assert max(sizes) <= MAX_DRAW_MESSAGE_SIZE + 93
        assert all(len(run.data) <= 2 * MAX_DRAW_MESSAGE_SIZE for run in runs)
        bench.assert_agreement()
        assert bench.canvas.counters().drawn == {QxlDrawType.DRAW_COPY: 1}


def test_guest_memory_that_changes_while_it_is_drawn():
    """Whatever mixture is drawn, clients are sent that very mixture."""
    with CanvasBench(256, 256) as bench:
        image = bench.image(noise(256, 256), 256, 256, 1024)
        area = QXLRect(0, 0, 256, 256)
        view = bench.transport.memory.ram.view
        stop = threading.Event()

        def flip() -> None:
            start = min(bench.guest.heap.used)
            while not stop.is_set():
                for value in (b"\xaa", b"\x55"):
                    view[start : start + 4 * 256 * 256] = value * (4 * 256 * 256)

        writer = threading.Thread(target=flip)
        writer.start()
        try:
            for _ in range(50):
                bench.copy(image, area, area)
                bench.draw()
                bench.assert_agreement()
        finally:
            stop.set()
            writer.join()


def test_what_is_copied_may_overlap_where_it_goes(bench):
    """A guest may call its framebuffer an image: nonsense in, some picture out."""
    with CanvasBench(64, 48) as bench:
        guest = bench.guest
        surface = QXLSurface(32, 64, 16, 256, guest.physical(0, VRAM_SLOT))
        command = QXLSurfaceCmd(QXLReleaseInfo(0), 4, 0, 0, surface.pack())
        guest.submit(QXLCmdType.SURFACE, guest.heap.alloc(QXLSurfaceCmd.SIZE), command)
        # The chunk's header lies at the surface's start, its data behind it.
        vram = bench.transport.memory.vram.view
        vram[0:20] = struct.pack("<IQQ", 8192, 0, 0)
        bench.draw()
        vram[0:20] = struct.pack("<IQQ", 8192, 0, 0)
        bitmap = struct.pack(
            "<BBIIIQQ", 8, 4, 64, 16, 256, 0, guest.physical(0, VRAM_SLOT)
        )
        descriptor = struct.pack("<QBBII", 1, 0, 0, 64, 16)
        image = bench.put(descriptor + bitmap)
        area = QXLRect(0, 0, 16, 64)
        bench.copy(image, area, area, surface_id=4)
        bench.draw(messages=False)
        assert bench.canvas.counters().drawn


# ---- surfaces


def create_keeping(
    bench: CanvasBench, surface_id: int, width: int, height: int
) -> None:
    guest = bench.guest
    data = guest.physical(0, VRAM_SLOT)
    surface = QXLSurface(32, width, height, 4 * width, data)
    command = QXLSurfaceCmd(
        QXLReleaseInfo(0), surface_id, 0, QXL_SURF_FLAG_KEEP_DATA, surface.pack()
    )
    guest.submit(QXLCmdType.SURFACE, guest.heap.alloc(QXLSurfaceCmd.SIZE), command)


@pytest.mark.parametrize("max_bytes", [1, 1 << 26])
def test_a_surface_that_keeps_its_data_is_sent_with_it(bench, max_bytes):
    bench.transport.memory.vram.view[: 700 * 700 * 4] = noise(700, 700)
    create_keeping(bench, 6, 700, 700)
    runs = bench.draw(max_bytes=max_bytes)
    bench.assert_agreement(6)
    assert [event for run in runs for event in run.events] == [
        (6, bench.canvas.surface(6).serial)
    ]


def test_events_are_in_order(bench):
    guest = bench.guest
    guest.create_surface(1, 8, 8)
    guest.destroy_surface(1)
    guest.create_surface(1, 4, 4)
    (run,) = bench.draw()
    serial = bench.canvas.surface(1).serial
    assert run.events == ((1, serial - 1), (1, 0), (1, serial))
    assert [kind for kind, _ in messages(run)] == [
        DisplayMsg.SURFACE_CREATE,
        DisplayMsg.SURFACE_DESTROY,
        DisplayMsg.SURFACE_CREATE,
    ]


# ---- damage and refresh


def test_damage_without_messages(bench):
    bench.guest.draw_fill(QXLRect(1, 2, 3, 4), 7)
    bench.guest.create_surface(1, 8, 8)
    bench.device.get_commands(bench.batch)
    more = bench.messages.draw(
        bench.canvas, bench.batch, BatchPosition(), max_bytes=1 << 20, damage_only=True
    )
    run = bench.messages.take()
    bench.device.release_commands(bench.batch)
    assert not more
    assert not run.starts
    assert run.damage == struct.pack("<Iiiii", 0, 2, 1, 4, 3)
    assert run.events == ((1, bench.canvas.surface(1).serial),)
    assert run.complete


@given(steps, st.integers(1, 20000), st.integers(1, 20000))
@settings(max_examples=60, deadline=None)
def test_a_refresh_repairs_all_damage(commands, max_bytes, max_message):
    with CanvasBench(WIDTH, HEIGHT) as bench:
        damage = DamageMap()
        scene(bench, [c for c in commands if c[0] != "surface"])
        while bench.device.get_commands(bench.batch):
            bench.messages.draw(
                bench.canvas,
                bench.batch,
                BatchPosition(),
                max_bytes=1 << 26,
                damage_only=True,
            )
            damage.add(bench.messages.take().damage)
            bench.device.release_commands(bench.batch)
        more = True
        while more:
            more = bench.messages.refresh(
                bench.canvas, damage, max_bytes=max_bytes, max_message=max_message
            )
            assert more == bool(damage)
            bench.paint(bench.messages.take())
        bench.assert_agreement()


def test_a_refresh_of_what_is_gone():
    canvas = Canvas(8)
    canvas.create_surface(Surface(2, 100, 50, 32, 400, 0), bytearray(20000), clear=True)
    damage, out = DamageMap(), DisplayMessages()
    damage.add_box(7, Box(0, 0, 10, 10))
    damage.add_box(2, Box(200, 0, 300, 10))
    damage.add_box(2, Box(0, 80, 10, 90))
    assert not out.refresh(canvas, damage, max_bytes=1 << 20)
    assert not out.take()
    assert not damage
    assert not out.size


def test_damage_maps():
    damage = DamageMap()
    assert not damage
    damage.add_box(1, Box(5, 5, 5, 9))
    damage.add_box(1, Box(9, 5, 5, 9))
    damage.add_box(1, Box(-50, -50, -1, -1))
    assert not damage
    damage.add(b"")
    damage.add(
        struct.pack("<Iiiii", 3, 0, 0, 1, 1) + struct.pack("<Iiiii", 4, 0, 0, 1, 1)
    )
    damage.forget(3)
    assert damage
    damage.forget(5)
    damage.forget(4)
    assert not damage
    damage.add_box(1, Box(-(1 << 31), 0, (1 << 31) - 1, 1))
    assert damage
    damage.clear()
    assert not damage


def test_much_scattered_damage_stays_bounded():
    canvas = Canvas(8)
    memory = bytearray(4 * 2048 * 2048)
    canvas.create_surface(Surface(0, 2048, 2048, 32, 8192, 0), memory, clear=True)
    damage, out = DamageMap(), DisplayMessages()
    for y in range(0, 2048, 32):
        for x in range(0, 2048, 32):
            damage.add_box(0, Box(x, y, x + 1, y + 1))
    while out.refresh(canvas, damage, max_bytes=1 << 20):
        run = out.take()
        assert len(run.starts) <= 1024
        assert len(run.data) < 4 << 20


def test_narrow_pixels_are_padded_to_words():
    canvas = Canvas(8)
    memory = bytearray(b"\xff" * 64)
    canvas.create_surface(Surface(0, 3, 2, 16, 8, 0), memory, clear=False)
    damage, out = DamageMap(), DisplayMessages()
    damage.add_box(0, Box(0, 0, 3, 2))
    out.refresh(canvas, damage, max_bytes=1 << 20)
    ((_, body),) = messages(out.take())
    assert body[75:93] == struct.pack("<BBIIII", 6, 4, 3, 2, 8, 0)
    assert body[93:] == (b"\xff" * 6 + bytes(2)) * 2


def test_other_threads_run_while_the_core_draws():
    """The GIL is released: a long drawing does not stop Python elsewhere."""
    with CanvasBench(2048, 1024) as bench:
        ticks: list[None] = []
        stop = threading.Event()

        def tick() -> None:
            while not stop.is_set():
                ticks.append(None)
                time.sleep(0)  # gives the GIL away

        for _ in range(20):
            bench.guest.draw_fill(QXLRect(0, 0, 1024, 2048), 1)
        batch = CommandBatch()
        bench.device.get_commands(batch)
        thread = threading.Thread(target=tick)
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1000)  # nobody takes it away
        try:
            thread.start()
            for _ in range(1000):
                before = len(ticks)
                bench.messages.draw(
                    bench.canvas, batch, BatchPosition(), max_bytes=1 << 30
                )
                after = len(ticks)
                bench.messages.take()
                if after > before:
                    break
            assert after > before
        finally:
            stop.set()
            thread.join()
            sys.setswitchinterval(interval)
            bench.device.release_commands(batch)
