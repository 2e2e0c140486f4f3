"""Turns bytes into what the worst guest would do to a QXL device.

The same steps serve hypothesis and the fuzzer: every choice is taken from a stream of
bytes, so that a fuzzer can steer.
"""

from __future__ import annotations

import logging
import struct
from typing import TYPE_CHECKING

from qxl_device.io_port import ASYNC_PORTS
from qxl_device.mode import Mode
from spice_protocol.enums import SpiceBrushType
from spice_protocol.qxl_dev import (
    QXLBitmap,
    QXLBrush,
    QXLClip,
    QXLClipRects,
    QXLCmdType,
    QXLCommand,
    QXLCopy,
    QXLCopyBits,
    QXLCursorCmd,
    QXLCursorSet,
    QXLDataChunk,
    QXLDrawable,
    QxlDrawType,
    QXLFill,
    QXLImage,
    QXLImageDescriptor,
    QxlInterrupt,
    QxlIo,
    QXLMessage,
    QXLOpaque,
    QXLPoint,
    QXLPoint16,
    QXLQMask,
    QXLRam,
    QXLRect,
    QXLReleaseInfo,
    QXLRop3,
    QXLSurface,
    QXLSurfaceCmd,
    QXLUpdateCmd,
)
from spice_server.display.worker import DisplayWorker
from tests.fakes.qxl_bench import VRAM_SLOT, QxlBench, physical

if TYPE_CHECKING:
    from collections.abc import Callable

    from spice_protocol.wire import WireStruct

FIELDS = (
    "int_pending", "int_mask", "log_buf", "update_area", "update_surface", "mem_slot",
    "create_surface", "monitors_config", "cmd_ring.prod", "cmd_ring.cons",
    "cmd_ring.num_items", "cmd_ring.notify_on_prod", "cursor_ring.prod",
    "cursor_ring.cons", "release_ring.prod", "release_ring.cons", "release_ring.items",
)  # fmt: skip
WORST = (
    0, 1, 7, 31, 32, 33, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
    0xFFFFFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF,
)  # fmt: skip


def _templates() -> list[bytes]:
    """Commands that are good, each followed by its QXL_CMD_* in one byte.

    Addresses in them lead to a picture and rectangles at the start of VRAM, slot 2,
    which hold whatever is drawn there.
    """
    none = QXLRect(0, 0, 0, 0)
    mask = QXLQMask(0, QXLPoint(0, 0), 0)
    brush = QXLBrush(SpiceBrushType.SOLID, b"\1\2\3\0")
    area = QXLRect(0, 0, 8, 8)
    bodies = [
        (QxlDrawType.DRAW_FILL, QXLFill(brush, 8, mask)),
        (QxlDrawType.COPY_BITS, QXLCopyBits(QXLPoint(4, 4))),
        (QxlDrawType.DRAW_COPY, QXLCopy(physical(2, 0), area, 8, 0, mask)),
        (QxlDrawType.DRAW_BLEND, QXLCopy(physical(2, 64), area, 16, 0, mask)),
        (
            QxlDrawType.DRAW_OPAQUE,
            QXLOpaque(physical(2, 0), area, brush, 8, 0, mask),
        ),
        (QxlDrawType.DRAW_ROP3, QXLRop3(physical(2, 0), area, brush, 0xCC, 0, mask)),
        (QxlDrawType.DRAW_BLACKNESS, mask),
        (QxlDrawType.DRAW_INVERS, mask),
    ]
    commands: list[tuple[WireStruct, int]] = []
    for kind, body in bodies:
        for clip in (QXLClip(0, 0), QXLClip(1, physical(2, 128))):
            drawable = QXLDrawable(
                QXLReleaseInfo(1), 0, 1, kind, 0, none, QXLRect(1, 2, 9, 10), clip, 0,
                (-1, -1, -1), (none, none, none), body.pack(),
            )  # fmt: skip
            commands.append((drawable, QXLCmdType.DRAW))
    surface = QXLSurface(32, 16, 16, 64, physical(2, 4096)).pack()
    commands += [
        (QXLSurfaceCmd(QXLReleaseInfo(1), 3, 0, 0, surface), QXLCmdType.SURFACE),
        (QXLSurfaceCmd(QXLReleaseInfo(1), 3, 1, 0, b""), QXLCmdType.SURFACE),
        (QXLUpdateCmd(QXLReleaseInfo(1), area, 0, 0), QXLCmdType.UPDATE),
        (QXLMessage(QXLReleaseInfo(1)), QXLCmdType.MESSAGE),
        (QXLCursorCmd(QXLReleaseInfo(1), 2, b""), QXLCmdType.CURSOR),
        (
            QXLCursorCmd(
                QXLReleaseInfo(1), 0, QXLCursorSet(QXLPoint16(1, 2), 1, 2 << 56).pack()
            ),
            QXLCmdType.CURSOR,
        ),
    ]
    return [command.pack() + bytes([kind]) for command, kind in commands]


def _picture() -> bytes:
    """What lies at the start of VRAM at first: two images, rectangles, pixels."""
    bitmap = QXLBitmap(8, 4, 8, 8, 32, 0, physical(2, 256))
    image = QXLImage(QXLImageDescriptor(5, 0, 0, 8, 8), bitmap.pack()).pack()
    surface_image = QXLImage(QXLImageDescriptor(6, 104, 0, 16, 16), b"\3").pack()
    rects = QXLClipRects(1, QXLDataChunk(16, 0, 0)).pack()
    rects += QXLRect(0, 0, 5, 6).pack()
    picture = image.ljust(64, b"\0") + surface_image.ljust(64, b"\0")
    picture += rects.ljust(128, b"\0")
    return picture + QXLDataChunk(256, 0, 0).pack() + bytes(range(256))


class Choices:
    """A stream of bytes; zeros when it is used up."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def take(self, size: int) -> bytes:
        piece = self._data[self._at : self._at + size]
        self._at += size
        return piece.ljust(size, b"\0")

    def below(self, bound: int) -> int:
        return int.from_bytes(self.take(1 if bound <= 256 else 2), "little") % bound

    def number(self) -> int:
        """Return 64 bits: from the list of the worst, or any."""
        choice = self.below(2 * len(WORST))
        if choice < len(WORST):
            return WORST[choice]
        return int.from_bytes(self.take(8), "little")


TEMPLATES = _templates()
PICTURE = _picture()


class ErrorCounter(logging.Handler):
    """Counts what only a fault of ours logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class HostileGuest:
    """Plays a stream of choices against a device and checks what must always hold."""

    def __init__(
        self,
        bench: QxlBench,
        choices: Choices,
        turn: Callable[[], None] | None = None,
    ) -> None:
        """Let *turn* be what a display worker does at a wakeup, if there is one."""
        self.bench = bench
        self.choices = choices
        self.turn = turn
        self.steps: tuple[Callable[[], None], ...] = (
            self.write_port,
            self.write_port,
            self.write_field,
            self.write_memory,
            self.push_commands,
            self.push_commands,
            self.push_cursors,
            self.draw_almost,
            self.draw_almost,
            self.draw_almost,
            self.draw_almost,
            self.work,
            self.work,
            self.set_up,
            self.set_up,
            self.rare,
        )

    def play(self) -> None:
        """Do all the choices hold, with checks after each step.

        Raises:
            AssertionError: something that must always hold does not.

        """
        errors = ErrorCounter()
        logger = logging.getLogger()
        logger.addHandler(errors)
        try:
            while self.choices:
                self.steps[self.choices.below(len(self.steps))]()
                self.check()
            assert self.bench.io(QxlIo.RESET)
            self.check_new()
        finally:
            logger.removeHandler(errors)
        assert not errors.lines, errors.lines

    # ---- what must always hold

    def check(self) -> None:
        parts = self.bench.device.parts
        showing = self.bench.mode in {Mode.COMPAT, Mode.NATIVE}
        assert (parts.primary is not None) == showing
        assert len(parts.faults.counts) < 40
        if parts.primary is not None:
            size = abs(parts.primary.stride) * parts.primary.height
            assert len(parts.primary.memory) == size

    def check_new(self) -> None:
        parts = self.bench.device.parts
        assert self.bench.mode is Mode.UNDEFINED
        assert not self.bench.device.guest_bug
        assert parts.memslots.active == []
        assert parts.monitors is None
        assert parts.releases.queue.pending == 0
        if self.turn is not None:
            self.turn()
            return
        assert self.bench.device.get_commands(self.bench.batch) == 0
        assert self.bench.device.get_cursor_command() is None

    # ---- steps

    def write_port(self) -> None:
        port = self.choices.below(27)
        was_bug = self.bench.device.guest_bug
        mode = self.bench.mode
        self.bench.take_pending()
        value = self.choices.below(12)
        done = self.bench.io(port, value if value < 10 else self.choices.number())
        pending = self.bench.take_pending()
        is_async = port in ASYNC_PORTS
        assert (QxlInterrupt.IO_CMD in pending) == is_async
        if was_bug and port != QxlIo.RESET:
            assert not done
        if not done:
            assert self.bench.mode is mode
        if self.bench.device.guest_bug and not was_bug:
            assert QxlInterrupt.ERROR in pending

    def write_field(self) -> None:
        field = FIELDS[self.choices.below(len(FIELDS))]
        offset = QXLRam.offset(field)
        if self.choices.below(2):
            data = struct.pack("<Q", self.choices.number() & 0xFFFFFFFFFFFFFFFF)
        else:
            data = self.choices.take(1 + self.choices.below(48))
        data = data[: len(self.bench.header) - offset]
        self.bench.header[offset : offset + len(data)] = data

    def write_memory(self) -> None:
        data = self.choices.take(1 + self.choices.below(250))
        at = self.choices.below(0x4000)
        self.bench.memory.ram.view[at : at + len(data)] = data

    def address(self) -> int:
        if self.choices.below(4):
            return physical(1 + self.choices.below(2), self.choices.below(0x4000))
        return self.choices.number()

    def push_commands(self) -> None:
        for _ in range(1 + self.choices.below(8)):
            kind = self.choices.below(7)
            self.bench.push("cmd_ring", QXLCommand(self.address(), kind))

    def push_cursors(self) -> None:
        for _ in range(1 + self.choices.below(4)):
            kind = 3 if self.choices.below(4) else self.choices.below(7)
            self.bench.push("cursor_ring", QXLCommand(self.address(), kind))

    def draw_almost(self) -> None:
        """Push a good command with a few numbers in it made bad."""
        templates = TEMPLATES
        data = bytearray(templates[self.choices.below(len(templates))])
        for _ in range(self.choices.below(4)):
            at = self.choices.below(len(data) - 8)
            size = 1 << self.choices.below(4)
            number = self.choices.number() & (1 << 8 * size) - 1
            data[at : at + size] = number.to_bytes(size, "little")
        at = 0x4000 + self.choices.below(16) * 0x400
        self.bench.memory.ram.view[at : at + len(data)] = data
        kind = data.pop()  # behind the command, for nobody else
        ring = "cursor_ring" if kind == QXLCmdType.CURSOR else "cmd_ring"
        self.bench.push(ring, QXLCommand(physical(1, at), kind))

    def work(self) -> None:
        """Do what the display worker does at a wakeup."""
        if self.turn is not None:
            self.turn()
            return
        device, batch = self.bench.device, self.bench.batch
        for _ in range(4):
            taken = device.get_commands(batch)
            assert 0 <= batch.num_entries <= taken <= 64
            device.release_commands(batch)
        for _ in range(4):
            if device.get_cursor_command() is None:
                break
        assert device.flush_resources() >= 0
        self.bench.worker.take()

    def set_up(self) -> None:
        """Let the guest behave for once, or little of it would be reached."""
        self.bench.io(QxlIo.RESET)
        self.bench.add_slots()
        self.bench.memory.vram.view[: len(PICTURE)] = PICTURE
        at = physical(VRAM_SLOT, 8192)
        self.bench.put_primary(mem=at)
        assert self.bench.io(QxlIo.CREATE_PRIMARY)
        self.bench.put("int_mask", "I", 0x3F)

    def rare(self) -> None:
        if self.choices.below(4) == 0:
            self.bench.transport.guest_reset()
            self.check_new()
        else:
            self.bench.device.client_monitors_config(None)
            self.bench.device.set_client_capabilities(
                present=bool(self.choices.below(2)), capabilities=self.choices.take(58)
            )


def play(data: bytes) -> None:
    """Let *data* be the guest of a new device.

    Raises:
        AssertionError: something that must always hold does not.

    """
    with QxlBench(ram_size=256 << 10, vram_size=64 << 10) as bench:
        HostileGuest(bench, Choices(data)).play()


def play_to_worker(data: bytes) -> None:
    """Let *data* be the guest of a new device whose worker really draws.

    Raises:
        AssertionError: something that must always hold does not.

    """
    with QxlBench(ram_size=256 << 10, vram_size=64 << 10) as bench:
        bench.device.detach()
        worker = DisplayWorker(bench.device)
        worker._loop = bench.loop  # its thread is this one
        bench.device.attach(worker, bench.loop)
        HostileGuest(bench, Choices(data), worker._take_turn).play()
