"""A guest that draws as fast as the device takes commands.

Commands are made once, thousands of them; afterwards each costs the guest two words:
its ring item and its release id.  So what is measured is the device, not the driver.
"""

from __future__ import annotations

import math
import os
import struct
import time
from typing import TYPE_CHECKING, Final

import numpy as np

from spice_protocol.enums import SpiceBitmapFmt, SpiceBrushType, SpiceRopd
from spice_protocol.qxl_dev import (
    QXL_COMMAND_RING_SIZE,
    QXLBitmap,
    QXLBitmapFlags,
    QXLBrush,
    QXLCmdType,
    QXLCommand,
    QXLCopy,
    QXLDataChunk,
    QXLDrawable,
    QxlDrawType,
    QXLFill,
    QXLImage,
    QXLImageDescriptor,
    QxlImageGroup,
    QxlInterrupt,
    QxlIo,
    QXLRam,
    QXLRect,
    QXLReleaseInfo,
    image_id,
)
from tests.fakes.fake_guest import NO_MASK

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fakes.fake_guest import FakeGuest

__all__ = ["KINDS", "PLURAL", "CommandFlood"]

SCREEN: Final = (1024, 768)
NUM_COMMANDS: Final = 2048
"""Made once and used in turn: enough that none is used again before its release."""
KINDS: Final = {"fill": (16, 16), "copy": (16, 16), "glyph": (8, 16)}
"""Width and height of what each kind of command draws."""
PLURAL: Final = {"fill": "fills", "copy": "copies", "glyph": "glyphs"}
SPINS: Final = 200
"""Looks at a full ring before sleeping until the device has made room."""


class CommandFlood:
    """Commands of one kind, in the RAM of a guest whose primary surface is there."""

    def __init__(self, guest: FakeGuest, kind: str) -> None:
        self.guest = guest
        self.kind = kind
        self.doorbells = 0
        self.interrupts = 0
        """Times the guest slept until it was told of room."""
        self.width, self.height = KINDS[kind]
        body = self._body_size()
        self._stride = -(-(QXLDrawable.SIZE + body) // 64) * 64
        block = guest.heap.alloc(NUM_COMMANDS * self._stride)
        places = [block.offset + n * self._stride for n in range(NUM_COMMANDS)]
        for number, place in enumerate(places):
            guest.write(place, self._command(number, place))
        self.items = [
            QXLCommand(guest.physical(place), QXLCmdType.DRAW).pack()
            for place in places
        ]
        """Ring items of all commands."""
        self._ids = np.array(places, "<u8")
        self._release_infos: np.ndarray = np.ndarray(
            (NUM_COMMANDS,),
            "<u8",
            guest.port.ram.view,
            block.offset,
            (self._stride,),
        )
        releases = guest.ram_header[QXLRam.offset("release_ring") :]
        self._releases = releases[:20].cast("I")
        self._next = 0

    # ---- making commands

    def _body_size(self) -> int:
        if self.kind == "fill":
            return 0
        return QXLImage.SIZE + QXLDataChunk.SIZE + self._pixels_size()

    def _pixels_size(self) -> int:
        return 4 * self.width * self.height

    def _command(self, number: int, place: int) -> bytes:
        # The same places as the peer's benchmark draws at.
        across = SCREEN[0] - self.width
        x = number * 37 % across
        y = number * 37 // across * 13 % (SCREEN[1] - self.height)
        area = QXLRect(y, x, y + self.height, x + self.width)
        if self.kind == "fill":
            color = number * 2654435761 & 0xFFFFFF
            brush = QXLBrush(SpiceBrushType.SOLID, struct.pack("<I", color))
            body = QXLFill(brush, SpiceRopd.OP_PUT, NO_MASK)
            drawable = self.guest.drawable(QxlDrawType.DRAW_FILL, area, body)
            drawable.release_info = QXLReleaseInfo(place)
            return drawable.pack()
        image_at = place + QXLDrawable.SIZE
        copy = QXLCopy(
            self.guest.physical(image_at),
            QXLRect(0, 0, self.height, self.width),
            SpiceRopd.OP_PUT,
            0,
            NO_MASK,
        )
        drawable = self.guest.drawable(QxlDrawType.DRAW_COPY, area, copy)
        drawable.release_info = QXLReleaseInfo(place)
        return drawable.pack() + self._image(number, image_at)

    def _image(self, number: int, image_at: int) -> bytes:
        unique = image_id(QxlImageGroup.DRIVER_DONT_CACHE, number + 1)
        bitmap = QXLBitmap(
            SpiceBitmapFmt.FMT_32BIT,
            QXLBitmapFlags.TOP_DOWN,
            self.width,
            self.height,
            4 * self.width,
            0,
            self.guest.physical(image_at + QXLImage.SIZE),
        )
        descriptor = QXLImageDescriptor(unique, 0, 0, self.width, self.height)
        pixels = np.arange(self.width * self.height, dtype="<u4")
        if self.kind == "glyph":
            bits = np.uint32(number * 2654435761 & 0xFFFFFFFF)
            pixels = (bits >> pixels % 29 & 1) * np.uint32(0xFFFFFF)
        else:
            pixels = pixels * np.uint32(0x010203) + np.uint32(number)
        chunk = QXLDataChunk(self._pixels_size(), 0, 0)
        image = QXLImage(descriptor, bitmap.pack())
        return image.pack() + chunk.pack() + pixels.astype("<u4").tobytes()

    # ---- drawing

    def push(self, count: int) -> int:
        """Push up to *count* commands and ring if the device asked; how many went."""
        first = self._next
        last = min(first + count, NUM_COMMANDS)
        self._release_infos[first:last] = self._ids[first:last]
        pushed, notify = self.guest.cmd_ring.push(self.items[first:last])
        if notify:
            self.doorbells += 1
            self.guest.port.notify()
        self._next = (first + pushed) % NUM_COMMANDS
        return pushed

    def run(
        self, count: int, progress: Callable[[int], None], rate: float = math.inf
    ) -> None:
        """Draw *count* commands and wait until the device has drawn them all.

        *rate*: at most so many per second, a ring's worth at a time.
        """
        done = told = 0
        begin = time.perf_counter()
        while done < count:
            pushed = self.push(min(QXL_COMMAND_RING_SIZE, count - done))
            if not pushed:
                self._wait_for_room()
                continue
            done += pushed
            self.collect()
            early = begin + done / rate - time.perf_counter()
            if early > 0:
                time.sleep(early)
            if done - told >= 20_000:
                told = done
                progress(done)
        self.finish()

    def finish(self) -> None:
        """Wait until everything is drawn (QXL_IO_UPDATE_AREA)."""
        start = QXLRam.offset("update_area")
        area = QXLRect(0, 0, 1, 1).pack()
        self.guest.ram_header[start : start + len(area)] = area
        assert self.guest.outb(QxlIo.UPDATE_AREA)
        self.collect()

    def collect(self) -> None:
        """Take all chains of released commands; the guest knows them by heart."""
        _, prod, _, _, _ = self._releases
        self._releases[3] = prod

    def _wait_for_room(self) -> None:
        ring = self.guest.cmd_ring
        for _ in range(SPINS):
            if ring.length() < QXL_COMMAND_RING_SIZE:
                return
            os.sched_yield()
        self.guest.mask.store(int(QxlInterrupt.DISPLAY))
        self.interrupts += 1
        while ring.wait():
            assert self.guest.port.wait_interrupt(60.0), "the device takes nothing"
            self.guest.pending.exchange(0)
