"""What a client is told, what it is spared, and that it shows the canvas in the end."""

from __future__ import annotations

import random

import numpy as np
import pytest

from spice_common.client_images import GlzDictionary, ImageShare, PixmapCache
from spice_common.pending import BatchPosition, Pending, PendingSettings, draw_batch
from spice_protocol.enums import SpiceImageCompression, SpiceRopd
from spice_protocol.qxl_dev import QXLCopyBits, QxlDrawType, QXLPoint, QXLRect
from tests.fakes.canvas_bench import CanvasBench

WIDTH, HEIGHT = 320, 240
SURFACE_CREATE_SIZE = 26
ALL = QXLRect(0, 0, HEIGHT, WIDTH)


@pytest.fixture
def bench():
    with CanvasBench(WIDTH, HEIGHT) as bench:
        yield bench


def told(bench: CanvasBench) -> list[str]:
    """Tell the painter all that waits; the names of the messages."""
    bench.draw_unseen()
    bench.painter.log.clear()
    while bench.pending:
        bench.paint(bench.flush())
    bench.assert_agreement()
    return list(bench.painter.log)


def fill(bench: CanvasBench, rect: QXLRect, color: int, **fields) -> None:
    bench.guest.draw_fill(rect, color, **fields)


def move(bench: CanvasBench, rect: QXLRect, x: int, y: int) -> None:
    bench.command(QxlDrawType.COPY_BITS, rect, QXLCopyBits(QXLPoint(x, y)))


def show(bench: CanvasBench, words: np.ndarray, rect: QXLRect = ALL) -> None:
    height, width = words.shape
    image = bench.image(words.astype("<u4").tobytes(), width, height, 4 * width)
    bench.copy(image, QXLRect(0, 0, height, width), rect)


def noise(height: int = HEIGHT, width: int = WIDTH, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(1 << 24, size=(height, width))


class TestHidden:
    def test_what_a_newer_fill_covers_is_not_told(self, bench):
        for color in range(20):
            fill(bench, QXLRect(10, 10, 90, 90), color)
        assert told(bench) == ["DRAW_FILL"]
        assert bench.pending.counters().hidden == 19

    @pytest.mark.parametrize("size", [1, 3, 15, 16, 17])
    def test_also_if_it_fills_no_tile(self, bench, size):
        for color in range(20):
            fill(bench, QXLRect(5, 7, 5 + size, 7 + size), color)
        assert told(bench) == ["DRAW_FILL"]

    def test_what_shows_beside_it_is_told(self, bench):
        fill(bench, QXLRect(10, 10, 91, 90), 1)
        fill(bench, QXLRect(10, 10, 90, 90), 2)
        assert told(bench) == ["DRAW_FILL"] * 2

    def test_several_together_cover(self, bench):
        fill(bench, QXLRect(16, 16, 48, 80), 1)
        fill(bench, QXLRect(16, 16, 48, 48), 2)
        fill(bench, QXLRect(16, 48, 48, 80), 3)
        assert told(bench) == ["DRAW_FILL"] * 2

    def test_what_a_move_takes_along_is_told(self, bench):
        fill(bench, QXLRect(0, 0, 32, 32), 1)
        move(bench, QXLRect(64, 64, 96, 96), 0, 0)
        fill(bench, QXLRect(0, 0, 32, 32), 2)
        assert told(bench) == ["DRAW_FILL", "COPY_BITS", "DRAW_FILL"]

    def test_a_move_that_is_covered_takes_nothing(self, bench):
        fill(bench, QXLRect(0, 0, 32, 32), 1)
        move(bench, QXLRect(64, 64, 96, 96), 0, 0)
        fill(bench, QXLRect(0, 0, 128, 128), 2)
        assert told(bench) == ["DRAW_FILL"]

    def test_what_changes_pixels_covers_nothing(self, bench):
        fill(bench, QXLRect(0, 0, 32, 32), 1)
        fill(bench, QXLRect(0, 0, 32, 32), 0xFFFF, rop=SpiceRopd.OP_XOR)
        assert told(bench) == ["DRAW_FILL"] * 2

    def test_pixels_cover_what_was_drawn_before(self, bench):
        fill(bench, QXLRect(0, 0, 32, 32), 1)
        fill(bench, QXLRect(8, 8, 16, 16), 7, rop=SpiceRopd.OP_XOR)
        show(bench, noise())
        assert set(told(bench)) == {"DRAW_COPY"}

    def test_a_surface_that_came_and_went_is_not_told(self, bench):
        bench.guest.create_surface(3, 16, 16)
        fill(bench, QXLRect(0, 0, 16, 16), 1, surface_id=3)
        bench.guest.destroy_surface(3)
        fill(bench, QXLRect(0, 0, 1, 1), 1)
        assert told(bench) == ["DRAW_FILL"]

    def test_unless_something_was_copied_from_it(self, bench):
        bench.guest.create_surface(3, 16, 16)
        fill(bench, QXLRect(0, 0, 16, 16), 1, surface_id=3)
        bench.guest.copy_surface(3, QXLRect(0, 0, 8, 8), QXLRect(0, 0, 8, 8))
        bench.guest.destroy_surface(3)
        assert told(bench) == [
            "SURFACE_CREATE",
            "DRAW_FILL",
            "DRAW_COPY",
            "SURFACE_DESTROY",
        ]


class TestDamage:
    def test_pixels_that_are_there_already_are_not_sent(self, bench):
        words = noise()
        show(bench, words)
        told(bench)
        words[100:110, 200:203] ^= 0xFF
        show(bench, words)
        assert told(bench) == ["DRAW_COPY"]
        assert bench.pending.counters().same_tiles > 250
        show(bench, words)
        assert told(bench) == []

    def test_the_newest_pixels_are_sent_once(self, bench):
        for seed in range(5):
            show(bench, noise(seed=seed))
        assert told(bench) == ["DRAW_COPY"]

    def test_one_color_is_a_fill(self, bench):
        show(bench, noise())
        told(bench)
        show(bench, np.full((64, 64), 0x123456), QXLRect(32, 32, 96, 96))
        assert told(bench) == ["DRAW_FILL"]

    def test_lines_that_moved_up_are_moved(self, bench):
        words = noise()
        show(bench, words)
        told(bench)
        show(bench, np.vstack([words[13:], noise(13, seed=1)]))
        log = told(bench)
        assert log[0] == "COPY_BITS"
        assert bench.pending.counters().scrolls == 1

    def test_moved_by_the_guest_before_they_were_sent(self, bench):
        show(bench, noise(64, 64), QXLRect(3, 5, 67, 69))
        move(bench, QXLRect(50, 100, 150, 200), 0, 0)
        move(bench, QXLRect(53, 100, 153, 200), 50, 50)
        told(bench)

    def test_pixels_of_another_surface_are_sent_when_they_are_read(self, bench):
        guest = bench.guest
        guest.create_surface(3, 64, 64)
        image = bench.image(noise(64, 64).astype("<u4").tobytes(), 64, 64, 256)
        area = QXLRect(0, 0, 64, 64)
        bench.copy(image, area, area, surface_id=3)
        assert told(bench) == ["SURFACE_CREATE"]
        guest.copy_surface(3, area, area)
        assert told(bench) == ["DRAW_COPY", "DRAW_COPY"]
        guest.copy_surface(3, area, QXLRect(64, 64, 128, 128))
        assert told(bench) == ["DRAW_COPY"]

    def test_what_was_settled_is_remembered(self, bench):
        area = QXLRect(0, 0, 64, 64)
        before, between = noise(64, 64), noise(64, 64, seed=1)
        bench.guest.create_surface(3, 64, 64)
        show(bench, before, area)
        told(bench)
        show(bench, between, area)
        bench.guest.copy_surface(0, area, area, surface_id=3)
        show(bench, before, area)
        told(bench)
        bench.assert_agreement(3)


class TestCaches:
    def test_a_picture_seen_before_is_named(self, bench):
        cache = PixmapCache(WIDTH * HEIGHT)
        bench.pending.use(None, cache)
        words = [noise(64, 64, seed) for seed in range(3)]
        sizes = []
        for number in (0, 1, 0, 1, 2):
            bench.draw_unseen()
            show(bench, words[number], QXLRect(32, 32, 96, 96))
            bench.draw_unseen()
            sizes.append(len(bench.flush().data))
        assert sizes[2] == sizes[3] < 200 < sizes[0]
        assert sizes[4] > 4096
        assert bench.pending.counters().cache_hits == 2

    def test_what_does_not_fit_any_more_is_given_up(self, bench):
        bench.pending.use(None, PixmapCache(5000))
        kinds = set()
        for seed in range(4):
            show(bench, noise(48, 48, seed), QXLRect(32, 32, 80, 80))
            bench.draw_unseen()
            run = bench.flush()
            kinds |= {run.data[at] for at in run.starts}
        assert 105 in kinds  # INVAL_LIST

    def test_a_dictionary_makes_repeats_small(self, bench):
        bench.pending.set(PendingSettings(compression=SpiceImageCompression.GLZ))
        bench.pending.use(GlzDictionary(WIDTH * HEIGHT), None)
        sizes = []
        for left in (0, 64, 128):
            show(bench, noise(64, 64), QXLRect(64, left, 128, left + 64))
            bench.draw_unseen()
            sizes.append(len(bench.flush().data))
        assert sizes[1] < sizes[0] / 20
        assert sizes[2] < sizes[0] / 20


class TestSharing:
    def test_what_one_client_was_sent_is_not_encoded_again(self, bench):
        share = ImageShare()
        other = Pending(bench.canvas)
        for pending in (bench.pending, other):
            pending.set(PendingSettings(compression=SpiceImageCompression.QUIC))
            pending.share(share)
        gradient = (
            np.add.outer(np.arange(HEIGHT), np.arange(WIDTH)) * 0x10101 & 0xFFFFFF
        )
        show(bench, gradient)
        bench.draw_unseen()
        first = bench.flush()
        assert share.hits == 0
        other.flush(bench.messages, max_bytes=1 << 24)
        second = bench.messages.take()
        assert share.hits > 0
        assert len(second.data) == len(first.data) + SURFACE_CREATE_SIZE
        assert bench.pending.counters().images == other.counters().images

    @pytest.mark.parametrize("mode", ["QUIC", "LZ", "LZ4", "AUTO_LZ", "AUTO_GLZ"])
    def test_several_processors_make_what_one_makes(self, bench, mode):
        """With somebody to share with one processor does it, otherwise all do."""
        compression = SpiceImageCompression[mode]
        alone, shared = bench.pending, Pending(bench.canvas)
        for pending in (alone, shared):
            pending.set(PendingSettings(compression=compression, lz4=True))
            while pending:
                pending.flush(bench.messages, max_bytes=1 << 24)
                bench.messages.take()
        shared.share(ImageShare())
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
        photo = (x * 3 + y) % 256 * 0x10203 ^ noise(seed=1) & 0x010101
        show(bench, np.where(x // 80 % 2 == y // 60 % 2, photo, noise() % 3))
        clients = [alone, shared]
        while bench.device.get_commands(bench.batch):
            position = BatchPosition()
            draw_batch(
                bench.canvas,
                bench.batch,
                position,
                clients,
                bench.messages,
                max_bytes=1 << 26,
            )
            bench.device.release_commands(bench.batch)
        runs = []
        for pending in clients:
            bench.messages.cdata.last_image_id = 0
            pending.flush(bench.messages, max_bytes=1 << 26)
            runs.append(bytes(bench.messages.take().data))
        assert runs[0] == runs[1]


class TestSlowClients:
    def test_many_commands_become_damage(self, bench):
        rng = random.Random(0)
        for _ in range(600):
            for _ in range(30):
                x, y = rng.randrange(WIDTH - 9), rng.randrange(HEIGHT - 9)
                rect = QXLRect(y, x, y + 9, x + 9)
                fill(bench, rect, rng.getrandbits(24), rop=SpiceRopd.OP_XOR)
            bench.draw_unseen()
        assert bench.pending.counters().collapses >= 1
        told(bench)

    def test_surfaces_are_told_all_the_same(self, bench):
        for number in range(3000):
            bench.guest.create_surface(1 + number % 3, 8, 8)
            fill(bench, QXLRect(0, 0, 8, 8), number, surface_id=1 + number % 3)
            bench.draw_unseen()
            if number % 3 != 1:
                bench.guest.destroy_surface(1 + number % 3)
            bench.draw_unseen()
            for _ in range(3):
                fill(bench, QXLRect(0, 0, 8, 8), number, rop=SpiceRopd.OP_XOR)
        told(bench)
        assert set(bench.painter.surfaces) == {0, 2}

    def test_everything_anew(self, bench):
        show(bench, noise())
        told(bench)
        bench.painter.surfaces[0][:] = 0
        bench.pending.damage_all()
        told(bench)
