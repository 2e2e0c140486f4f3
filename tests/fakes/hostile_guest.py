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
from spice_protocol.qxl_dev import QXLCommand, QxlInterrupt, QxlIo, QXLRam
from tests.fakes.qxl_bench import QxlBench, physical

if TYPE_CHECKING:
    from collections.abc import Callable

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


class ErrorCounter(logging.Handler):
    """Counts what only a fault of ours logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class HostileGuest:
    """Plays a stream of choices against a device and checks what must always hold."""

    def __init__(self, bench: QxlBench, choices: Choices) -> None:
        self.bench = bench
        self.choices = choices
        self.steps: tuple[Callable[[], None], ...] = (
            self.write_port,
            self.write_port,
            self.write_field,
            self.write_memory,
            self.push_commands,
            self.push_commands,
            self.push_cursors,
            self.work,
            self.set_up,
            self.rare,
        )

    def play(self) -> None:
        """Do all the choices hold, with checks after each step.

        Raises:
            AssertionError: something that must always hold does not.

        """
        errors = ErrorCounter()
        logger = logging.getLogger("qxl_device")
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
        self.bench.transport.ram.view[at : at + len(data)] = data

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

    def work(self) -> None:
        """Do what the display worker does at a wakeup."""
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
        self.bench.create_primary()
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
