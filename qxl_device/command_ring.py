"""The rings a driver puts its commands into: cmd_ring and cursor_ring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spice_common.cursor_command import CursorReader
from spice_common.errors import RingBrokenError
from spice_common.ipc_ring import Consumer
from spice_protocol.qxl_dev import (
    QXL_COMMAND_RING_SIZE,
    QXL_CURSOR_RING_SIZE,
    QXLCommand,
    QxlInterrupt,
)

if TYPE_CHECKING:
    from qxl_device.fault_log import FaultLog
    from qxl_device.guest_bug import GuestBugLatch
    from qxl_device.interrupts import Interrupts
    from qxl_device.memslot import Memslots
    from qxl_device.ram import Ram
    from qxl_device.release_ring import ReleaseRing
    from spice_common.command_batch import CommandBatch
    from spice_common.cursor_command import CursorCommand

__all__ = ["CommandRing", "CursorRing"]


class CommandRing:
    """Drawables, surface commands and messages, taken batch by batch."""

    def __init__(
        self,
        ram: Ram,
        memslots: Memslots,
        interrupts: Interrupts,
        faults: FaultLog,
        bug: GuestBugLatch,
    ) -> None:
        """Take from *ram*'s cmd_ring."""
        self._ring = Consumer(
            ram.ring_memory("cmd_ring"),
            num_items=QXL_COMMAND_RING_SIZE,
            item_size=QXLCommand.SIZE,
        )
        self._slots = memslots.table
        self._interrupts = interrupts
        self._faults = faults
        self._bug = bug
        self.taken = 0
        """Commands taken since the start, good and bad."""

    def drain(self, batch: CommandBatch, *, compat: bool) -> int:
        """Refill *batch*; 0 if the ring is empty, broken or not to be served.

        Args:
            batch: released since it was filled last.
            compat: the mode was set by QXL_IO_SET_MODE.

        """
        if self._bug.is_set:
            batch.clear()
            return 0
        try:
            taken = batch.drain(self._ring, self._slots, compat=compat)
        except RingBrokenError as error:
            self._bug.set("cmd_ring", str(error))
            return 0
        if batch.notify:
            self._interrupts.send(QxlInterrupt.DISPLAY)
        self.taken += taken
        if batch.num_entries < taken:
            for reason, count in batch.take_errors().items():
                self._faults.record("bad command", f"{count} x {reason}", count)
        for text in batch.messages:
            self._faults.guest_text("QXL_CMD_MESSAGE", text.encode())
        return taken


class CursorRing:
    """Cursor commands, copied out of guest memory and given back one by one."""

    def __init__(
        self,
        ram: Ram,
        memslots: Memslots,
        interrupts: Interrupts,
        faults: FaultLog,
        bug: GuestBugLatch,
    ) -> None:
        """Take from *ram*'s cursor_ring."""
        self._ring = Consumer(
            ram.ring_memory("cursor_ring"),
            num_items=QXL_CURSOR_RING_SIZE,
            item_size=QXLCommand.SIZE,
        )
        self._reader = CursorReader()
        self._slots = memslots.table
        self._interrupts = interrupts
        self._faults = faults
        self._bug = bug
        self.taken = 0
        """Good commands taken since the start."""

    def pop(self, releases: ReleaseRing) -> CursorCommand | None:
        """Take a command and give its resource back through *releases*.

        ``None``: the ring is empty, broken or not to be served.
        """
        if self._bug.is_set:
            return None
        try:
            command = self._reader.pop(self._ring, self._slots, releases.queue)
        except RingBrokenError as error:
            self._bug.set("cursor_ring", str(error))
            return None
        if self._reader.notify:
            self._interrupts.send(QxlInterrupt.CURSOR)
        if self._reader.release_notify:
            self._interrupts.send(QxlInterrupt.DISPLAY)
        if command is None:
            for reason, count in self._reader.take_errors().items():
                self._faults.record("bad cursor", f"{count} x {reason}", count)
            return None
        self.taken += 1
        return command
