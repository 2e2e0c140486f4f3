"""Our canvas and a list of messages, given the same commands, family by family."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

import numpy as np

from spice_common.canvas import Canvas, Surface
from spice_common.command_batch import CommandBatch
from spice_common.display_message import DisplayMessages
from spice_common.pending import BatchPosition, draw_batch
from spice_protocol.draw import (
    SpiceClip,
    SpicePoint,
    SpicePoint16,
    SpiceQMask,
    SpiceRect,
)
from spice_protocol.enums import (
    SpiceBitmapFmt,
    SpiceCompositeFlags,
    SpiceRopd,
    SpiceSurfaceFlags,
    SpiceSurfaceFmt,
)
from spice_protocol.messages import draw as messages
from spice_protocol.messages.display import DisplayMsg, SpiceMsgDisplaySurfaceCreate
from spice_protocol.qxl_dev import QXLCmdType
from tests.fakes.command_memory import CommandMemory
from tests.fakes.draw_commands import place
from tests.fakes.drawing_cases import CELL, COLUMNS, SIDE, Maker
from tests.fakes.drawing_families import BYTES_ARE_UNKNOWN, FAMILIES

if TYPE_CHECKING:
    from tests.fakes.drawing_cases import Case, Message

__all__ = ["CELLS", "FORMATS", "DrawingBench", "different_cells", "families"]

CELLS = COLUMNS * COLUMNS
SEED = 1
COMMANDS_AT_ONCE = 16
MEMORY_SIZE = 6 << 20
"""A picture of all cells and what the commands at once take besides."""
XRGB, ARGB = SpiceSurfaceFmt.FMT_32_xRGB, SpiceSurfaceFmt.FMT_32_ARGB
A8 = SpiceSurfaceFmt.FMT_8_A
SHORT = (SpiceSurfaceFmt.FMT_16_555, SpiceSurfaceFmt.FMT_16_565)
FORMATS = (XRGB, ARGB, *SHORT, A8)
"""What can be drawn on."""
PIXEL = {XRGB: 4, ARGB: 4, A8: 1, **dict.fromkeys(SHORT, 2)}
SIZES = ((2, 100, 80), (3, 90, 70))
"""Surfaces that cases read: id, width, height."""
NO_MASK = SpiceQMask(0, SpicePoint(0, 0), None)


def families(form: SpiceSurfaceFmt) -> list[str]:
    """Return the names of the families that are drawn on such a surface."""
    return [
        name
        for name in FAMILIES
        if name != "nothing" and (form != A8 or name not in BYTES_ARE_UNKNOWN)
    ]


class DrawingBench:
    """Surfaces in memory of our own; what is drawn on them is also kept as messages."""

    def __init__(self, form: SpiceSurfaceFmt) -> None:
        self.form = form
        self.target = 1 if form in {ARGB, A8} else 0
        """The surface that is drawn on; the primary surface, if it can be of the format."""
        self.shown = XRGB if self.target else form
        """Format of the primary surface."""
        self.height = 2 * SIDE if self.target else SIDE
        self.messages: list[tuple[int, bytes]] = []
        """Type and body, since they were last taken away."""
        self.canvas = Canvas()
        self._batch = CommandBatch()
        self._scratch = DisplayMessages()
        self._memory: dict[int, bytearray] = {}
        self._cuts = random.Random(SEED)
        self._create(0, self.shown, SIDE, self.height)
        if self.target:
            self._create(1, form, SIDE, SIDE)
        kinds = (XRGB, ARGB) if PIXEL[form] == 4 else (form, form)
        for (number, width, height), kind in zip(SIZES, kinds, strict=True):
            self._create(number, kind, width, height)
            self._add_noise(number, kind, width, height)

    def _create(self, surface_id: int, form: int, width: int, height: int) -> None:
        stride = width * PIXEL[SpiceSurfaceFmt(form)]
        self._memory[surface_id] = bytearray(stride * height)
        surface = Surface(surface_id, width, height, form, stride, 0)
        self.canvas.create_surface(surface, self._memory[surface_id], clear=True)
        flags = 0 if surface_id else SpiceSurfaceFlags.PRIMARY
        create = SpiceMsgDisplaySurfaceCreate(surface_id, width, height, form, flags)
        self.messages.append((DisplayMsg.SURFACE_CREATE, create.pack()))

    def _add_noise(self, surface_id: int, form: int, width: int, height: int) -> None:
        maker = Maker(SEED + surface_id, form, surface_id)
        self.draw([maker.background(SpiceRect(0, 0, height, width))])

    # ---- drawing

    def draw(self, drawn: list[Message]) -> None:
        """Draw commands from a guest's memory, their images cut anywhere."""
        self.messages += [(kind, message.pack()) for kind, message in drawn]
        for start in range(0, len(drawn), COMMANDS_AT_ONCE):
            guest = CommandMemory(MEMORY_SIZE)
            for kind, message in drawn[start : start + COMMANDS_AT_ONCE]:
                number = self._cuts.randint(0, 3)
                cuts = [self._cuts.randint(0, 300) for _ in range(number)]
                guest.push(QXLCmdType.DRAW, place(guest, kind, message, cuts))
            self._batch.drain(guest.commands, guest.slots)
            assert not self._batch.take_errors()
            self._draw_batch()
            guest.releases.release(self._batch, guest.slots)

    def _draw_batch(self) -> None:
        position, more = BatchPosition(), True
        while more:
            more = draw_batch(
                self.canvas, self._batch, position, [], self._scratch, max_bytes=1 << 30
            )

    def draw_family(self, name: str) -> list[Case]:
        """Draw one case of a family in each cell, on noise."""
        self._add_noise(self.target, self.form, SIDE, SIDE)
        maker = Maker(SEED, self.form, self.target, SIZES)
        cases = []
        for number in range(CELLS):
            maker.move_to(number)
            cases.append(FAMILIES[name](maker, number))
        self.draw([message for case in cases for message in case.messages])
        if self.target:
            self._show_target()
        assert self.canvas.not_drawn == 0, self.canvas.counters()
        return cases

    def _show_target(self) -> None:
        """Show the colors of surface 1 on the primary, and below them its alpha."""
        show = Maker(SEED, XRGB, 0, ((1, SIDE, SIDE),))
        if self.form == ARGB:
            area = SpiceRect(0, 0, SIDE, SIDE)
            copy = messages.SpiceCopy(
                show.surface(1), area, SpiceRopd.OP_PUT, 1, NO_MASK
            )
            message = messages.SpiceMsgDisplayDrawCopy(
                show.base(area, SpiceClip()), copy
            )
            self.draw([(DisplayMsg.DRAW_COPY, message)])
        base = show.base(SpiceRect(SIDE, 0, 2 * SIDE, SIDE), SpiceClip())
        blackness = messages.SpiceBlackness(NO_MASK)
        black = messages.SpiceMsgDisplayDrawBlackness(base, blackness)
        self.draw([(DisplayMsg.DRAW_BLACKNESS, black), self._white_through(show, base)])

    @staticmethod
    def _white_through(show: Maker, base: messages.SpiceMsgDisplayBase) -> Message:
        """Lay white on through the alpha of surface 1."""
        white = show.bitmap(1, 1, SpiceBitmapFmt.FMT_32BIT)
        assert white.data is not None
        white.data.data = b"\xff" * 4
        over, nearest, normal = 3, 3, 1
        flags = over | nearest << 8 | nearest << 11 | normal << 14
        flags |= SpiceCompositeFlags.HAS_MASK
        origin = SpicePoint16(0, 0)
        composite = messages.SpiceComposite(
            flags, white, show.surface(1), None, None, origin, origin
        )
        message = messages.SpiceMsgDisplayDrawComposite(base, composite)
        return DisplayMsg.DRAW_COMPOSITE, message

    # ---- what is shown

    def pixels(self) -> np.ndarray:
        """Return the primary surface: the bits that mean something."""
        data = bytes(self._memory[0])
        return meaning(np.frombuffer(data, self.dtype), self.shown).reshape(-1, SIDE)

    @property
    def dtype(self) -> str:
        """Of the primary surface's pixels."""
        return "<u2" if self.shown in SHORT else "<u4"

    def digests(self) -> list[str]:
        """Return a digest of each row of cells."""
        rows = self.pixels().reshape(-1, COLUMNS, CELL, SIDE)
        return [
            hashlib.sha256(rows[:, row].tobytes()).hexdigest()[:16]
            for row in range(COLUMNS)
        ]


def meaning(pixels: np.ndarray, form: int) -> np.ndarray:
    """Clear the bits of pixels that show nothing."""
    bits = {XRGB: 0xFFFFFF, SpiceSurfaceFmt.FMT_16_555: 0x7FFF}
    return pixels & np.asarray(bits.get(SpiceSurfaceFmt(form), 0xFFFF)).astype(
        pixels.dtype
    )


def different_cells(ours: np.ndarray, theirs: np.ndarray) -> list[int]:
    """Return the numbers of the cells in which two pictures differ."""
    # What is shown one below the other belongs to the same cells.
    wrong = (ours != theirs).reshape(-1, SIDE, SIDE).any(axis=0)
    cells = wrong.reshape(COLUMNS, CELL, COLUMNS, CELL).any(axis=(1, 3))
    return [int(cell) for cell in np.flatnonzero(cells)]
