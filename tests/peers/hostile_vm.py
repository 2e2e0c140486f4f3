"""A played VM whose guest and clients do their worst, and what must hold meanwhile."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from typing import TYPE_CHECKING

from qxl_device.rom import RAM_HEADER_SIZE
from spice_protocol.enums import SpiceBitmapFmt
from spice_protocol.qxl_dev import QXLCmdType, QXLCommand, QxlIo, QXLRam, QXLRect
from tests.fakes.guest_scenes import scenes
from tests.peers.blocking_client import BlockingClient, PaintedDisplay
from tests.peers.fake_qemu import PlayedVm

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.fakes.guest_scene import Scene, Spot

__all__ = [
    "HEIGHT",
    "MAX_AT_ONCE",
    "SCALE",
    "SCENES_AT",
    "WIDTH",
    "HostileVm",
    "some",
    "worst",
]

SCALE = float(os.environ.get("QXLD_HOSTILE_SCALE", "1"))
"""How many cases of each kind are tried, relative to what a test run has time for."""
SEED = int(os.environ.get("QXLD_HOSTILE_SEED", "1"))
WIDTH, HEIGHT = 64, 48
SCENES_AT = 12 << 20
"""RAM offset of what a hostile guest submits: behind all that a good one allocates."""
SCENE_SIZE = 4096
MAX_AT_ONCE = 12
OPTIONS = ("--ram-mib", "16", "--vram-mib", "1")
RAM_END = (16 << 20) - RAM_HEADER_SIZE
"""Of the memory slot that drivers add."""


class HostileVm(PlayedVm):
    """Its qxld runs with all of Python's own checks on."""

    def __init__(self, folder: Path, **options: bool) -> None:
        super().__init__(folder, *OPTIONS, **options)  # type: ignore[arg-type]
        self.random = random.Random(SEED)
        self.cases: Counter[str] = Counter()
        """How many of each kind were tried."""
        self.began = time.monotonic()
        self.guest.setup(WIDTH, HEIGHT)
        self.scenes = {scene.name: scene for scene in scenes(SCENES_AT)}
        places = range(SCENES_AT, SCENES_AT + MAX_AT_ONCE * SCENE_SIZE, SCENE_SIZE)
        self.layers = [scenes(place) for place in places]
        """The same scenes at other places, to be submitted together."""
        self.live = self.painted_client()
        self._frames = 0
        self.good_picture()
        self._memory_before = 0
        self._descriptors_before = 0

    def painted_client(self) -> BlockingClient:
        """Connect a client that can draw whatever a server may send."""
        return BlockingClient(self.qxld.port, self.password, PaintedDisplay)

    def close(self) -> None:
        """End all."""
        self.live.close()
        super().close()

    # ---- what must hold

    def reset(self) -> None:
        """Start the guest's driver anew."""
        self.guest.setup(WIDTH, HEIGHT)

    def good_picture(self, client: BlockingClient | None = None) -> None:
        """Draw a picture and a pointer that were never there, and see them."""
        client = client or self.live
        self._frames += 1
        color = self._frames * 0x9E3779B1 & 0xFFFFFF
        self.guest.draw_fill(QXLRect(0, 0, HEIGHT, WIDTH), color)
        x, y = self._frames % (WIDTH - 16), self._frames % (HEIGHT - 16)
        pixels = self.random.randbytes(16 * 16 * 4)
        area = QXLRect(y, x, y + 16, x + 16)
        self.guest.draw_copy(pixels, area, format=SpiceBitmapFmt.FMT_32BIT)
        shape = self.random.randbytes(8 * 8 * 4)
        self.guest.set_cursor(shape, 8, 8, position=(x, y), unique=self._frames)
        self.flush()
        self.guest.collect()
        screen = self.guest.surface0(WIDTH, HEIGHT)
        at = (y * WIDTH + x) * 4
        assert screen[at : at + 64 : 4] == pixels[:64:4], "the device draws wrong"
        client.drain()
        client.wait_picture(screen)
        client.wait_cursor(shape)

    def warmed_up(self) -> None:
        """Take what the process holds now as what it may hold at the end."""
        self._memory_before = self.qxld.status("RssAnon")
        self._descriptors_before = self.qxld.descriptors()

    def verdict(self, max_growth_mib: int) -> None:
        """Check what must hold after all cases, and tell how many there were.

        *max_growth_mib* is for the buffers and caches that bad input makes grow; a leak
        of a few KiB per case would show.
        """
        assert self._memory_before, "warmed_up() was not called"
        self.reset()
        self.good_picture()
        with self.painted_client() as fresh:
            fresh.wait_picture(self.guest.surface0(WIDTH, HEIGHT))
            self.good_picture(fresh)
        self.good_picture()
        qxld, before = self.qxld, self._descriptors_before
        qxld.until("descriptors closed", lambda: qxld.descriptors() <= before)
        grown = qxld.status("RssAnon") - self._memory_before
        log = qxld.log
        seconds = time.monotonic() - self.began
        print(f"\n{sum(self.cases.values())} hostile cases in {seconds:.0f} s:")
        for name, count in sorted(self.cases.items()):
            print(f"  {count:8} {name}")
        print(f"  memory grew by {grown} KiB, {log.count(chr(10))} lines of log")
        assert qxld.process.poll() is None
        assert qxld.faults() == []
        assert grown < max_growth_mib * 1024
        self.live.close()
        assert qxld.stop() == 0
        assert qxld.faults() == []

    # ---- what a hostile guest does

    def write_header(self, offset: int, value: int, size: int) -> None:
        """Set a number in QXLRam."""
        data = (value % (1 << 8 * size)).to_bytes(size, "little")
        self.guest.ram_header[offset : offset + size] = data

    def push_item(self, address: int, kind: int, *, item: int | None = None) -> None:
        """Put a ring item in place without a look at cons, and ring."""
        ring = "cursor_ring" if kind == QXLCmdType.CURSOR else "cmd_ring"
        at = QXLRam.offset(f"{ring}.prod")
        prod = int.from_bytes(self.guest.ram_header[at : at + 4], "little")
        place = QXLRam.offset(f"{ring}.items") + prod % 32 * QXLCommand.SIZE
        data = QXLCommand(address, kind & 0xFFFFFFFF, item or 0).pack()
        self.guest.ram_header[place : place + len(data)] = data
        self.write_header(at, prod + 1, 4)
        self.port.notify()

    def submit(self, scene: Scene, spoils: Iterable[tuple[Spot, int]] = ()) -> None:
        """Submit *scene* with some of its numbers spoilt."""
        if scene.needs_surface:
            self._submit(self.scenes["surface"], ())
            self.settle()
        self._submit(scene, spoils)

    def _submit(self, scene: Scene, spoils: Iterable[tuple[Spot, int]]) -> None:
        memory = bytearray(scene.memory)
        for spot, value in spoils:
            data = (value % (1 << 8 * spot.size)).to_bytes(spot.size, "little")
            memory[spot.offset : spot.offset + spot.size] = data
        self.guest.write(scene.base, bytes(memory))
        self.push_item(scene.address, scene.kind)

    def settle(self) -> None:
        """Have the device finish what it was given; it may refuse to.

        Two requests: what a doorbell starts happens before the second one is served.
        """
        self.write_header(QXLRam.offset("update_surface"), 0, 4)
        at = QXLRam.offset("update_area")
        self.guest.ram_header[at : at + QXLRect.SIZE] = QXLRect(0, 0, 1, 1).pack()
        for _ in range(2):
            self.guest.outb(QxlIo.UPDATE_AREA)

    def scribble(self, scene: Scene, times: int) -> None:
        """Change a scene's memory while the device may be reading it."""
        view, size = self.port.ram.view, len(scene.memory)
        for _ in range(times):
            at = scene.base + self.random.randrange(size)
            view[at] = self.random.randrange(256)

    def after_case(self, kind: str) -> None:
        """Count a case, and see that a good guest is served as if nothing was."""
        self.cases[kind] += 1
        try:
            self.settle()
            self.reset()
            self.good_picture()
        except Exception as error:
            number = self.cases[kind]
            raise AssertionError(f"after case {number} of {kind}: {error}") from error


def worst(size: int, good: int) -> list[int]:
    """Return the worst values of a number of *size* bytes that should be *good*."""
    top = 1 << 8 * size
    values = [0, 1, 2, 3, 31, 32, 33, 64, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000]
    values += [0xFFFF, 0x10000, 0x1000000, 0x3FFFFFFF, 0x40000000, 0x7FFFFFFF]
    values += [top - 1, top - 2, top - 32, top // 2, top // 2 - 1, top // 2 + 1]
    values += [good - 1, good + 1, good + 32, good + 33, 2 * good, good ^ top // 2]
    if size == 8:
        slot = 1 << 56
        values += [
            slot, slot + RAM_END - 1, slot + RAM_END - 8, slot + RAM_END,
            slot + SCENES_AT, slot + 0xFFFFFFFFFFFF, slot + (1 << 48), 2 * slot,
            2 * slot + (1 << 20) - 1, 8 * slot, 9 * slot, 255 * slot, good + 4,
            slot - 8, 0xFFFFFFFFFFF8,
        ]  # fmt: skip
    return sorted({value % top for value in values} - {good % top})


def some(values: list[int], share: float, source: random.Random) -> list[int]:
    """Choose a share of *values*, at least one."""
    count = max(1, min(len(values), round(len(values) * share)))
    return source.sample(values, count)
