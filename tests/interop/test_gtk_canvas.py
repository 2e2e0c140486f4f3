"""spice-gtk paints the same pixels from commands as our canvas, whatever the command.

Each case is drawn in a cell of a surface: by spice-gtk from display messages, and by our
canvas from the same commands in a guest's memory.
"""

from __future__ import annotations

import asyncio
import os
import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

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
from tests.fakes.draw_messages import place
from tests.fakes.drawing_cases import CELL, COLUMNS, SIDE, Case, Maker, Message
from tests.fakes.drawing_families import FAMILIES, ROP3_SURFACES
from tests.fakes.scripted_display import ScriptedDisplay
from tests.fakes.spice_channels import running_server
from tests.peers.gtk_client import GtkClient, missing

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
]

CELLS = COLUMNS * COLUMNS
XRGB, ARGB = SpiceSurfaceFmt.FMT_32_xRGB, SpiceSurfaceFmt.FMT_32_ARGB
A8 = SpiceSurfaceFmt.FMT_8_A
SHORT = (SpiceSurfaceFmt.FMT_16_555, SpiceSurfaceFmt.FMT_16_565)
PIXEL = {XRGB: 4, ARGB: 4, A8: 1, **dict.fromkeys(SHORT, 2)}
SIZES = ((2, 100, 80), (3, 90, 70))
"""Surfaces that cases read: id, width, height."""
SEED = int(os.environ.get("SEED", "1"))
COMMANDS_AT_ONCE = 16
MEMORY_SIZE = 6 << 20
"""A picture of all cells and what the commands at once take besides."""


class OurCanvas:
    """Our canvas, given commands in a guest's memory."""

    def __init__(self) -> None:
        self.canvas = Canvas()
        self.batch = CommandBatch()
        self.scratch = DisplayMessages()
        self.memory: dict[int, bytearray] = {}
        self.cuts = random.Random(5)

    def create(self, surface_id: int, form: int, width: int, height: int) -> None:
        stride = width * PIXEL[SpiceSurfaceFmt(form)]
        self.memory[surface_id] = bytearray(stride * height)
        surface = Surface(surface_id, width, height, form, stride, 0)
        self.canvas.create_surface(surface, self.memory[surface_id], clear=True)

    def draw(self, drawn: list[Message]) -> None:
        for start in range(0, len(drawn), COMMANDS_AT_ONCE):
            guest = CommandMemory(MEMORY_SIZE)
            for kind, message in drawn[start : start + COMMANDS_AT_ONCE]:
                cuts = [
                    self.cuts.randint(0, 300) for _ in range(self.cuts.randint(0, 3))
                ]
                guest.push(QXLCmdType.DRAW, place(guest, kind, message, cuts))
            self.batch.drain(guest.commands, guest.slots)
            assert not self.batch.take_errors()
            position = BatchPosition()
            while draw_batch(
                self.canvas, self.batch, position, [], self.scratch, max_bytes=1 << 30
            ):
                pass
            guest.releases.release(self.batch, guest.slots)

    def pixels(self, height: int, form: int) -> np.ndarray:
        if form in SHORT:
            words = np.frombuffer(bytes(self.memory[0]), "<u2")
        else:
            words = np.frombuffer(bytes(self.memory[0]), "<u4") & np.uint32(0xFFFFFF)
        return words.reshape(height, SIDE)


class Bench:
    """One surface of a format, drawn on by both."""

    def __init__(self, form: SpiceSurfaceFmt, display: ScriptedDisplay) -> None:
        self.form, self.display = form, display
        self.ours = OurCanvas()
        self.shown = XRGB if form in {ARGB, A8} else form
        self.height = 2 * SIDE if form in {ARGB, A8} else SIDE
        self.target = 1 if form in {ARGB, A8} else 0
        self.sent: list[tuple[int, bytes]] = []
        self.create(0, self.shown, SIDE, self.height)
        if self.target:
            self.create(1, form, SIDE, SIDE)
        for (number, width, height), kind in zip(
            SIZES, (XRGB, ARGB) if PIXEL[form] == 4 else (form, form), strict=True
        ):
            self.create(number, kind, width, height)
            self.noise(number, kind, width, height)

    def create(self, surface_id: int, form: int, width: int, height: int) -> None:
        self.ours.create(surface_id, form, width, height)
        flags = SpiceSurfaceFlags.PRIMARY if surface_id == 0 else 0
        create = SpiceMsgDisplaySurfaceCreate(surface_id, width, height, form, flags)
        self.sent.append((DisplayMsg.SURFACE_CREATE, create.pack()))

    def noise(self, surface_id: int, form: int, width: int, height: int) -> None:
        maker = Maker(surface_id, form, surface_id)
        self.draw([maker.background(SpiceRect(0, 0, height, width))])

    def draw(self, drawn: list[Message]) -> None:
        self.ours.draw(drawn)
        self.sent += [(kind, message.pack()) for kind, message in drawn]

    def show_target(self) -> None:
        """Show the colors of surface 1 on the primary, and below them its alpha."""
        if not self.target:
            return
        show = Maker(1, XRGB, 0, ((1, SIDE, SIDE),))
        nothing = SpiceQMask(0, SpicePoint(0, 0), None)
        all_of_it = SpiceRect(0, 0, SIDE, SIDE)
        if self.form == ARGB:
            copy = messages.SpiceCopy(
                show.surface(1), all_of_it, SpiceRopd.OP_PUT, 1, nothing
            )
            base = show.base(all_of_it, SpiceClip())
            message = messages.SpiceMsgDisplayDrawCopy(base, copy)
            self.draw([(DisplayMsg.DRAW_COPY, message)])
        below = SpiceRect(SIDE, 0, 2 * SIDE, SIDE)
        base = show.base(below, SpiceClip())
        black = messages.SpiceMsgDisplayDrawBlackness(
            base, messages.SpiceBlackness(nothing)
        )
        white = show.bitmap(1, 1, SpiceBitmapFmt.FMT_32BIT)
        white.data.data = b"\xff" * 4
        over, nearest, normal = 3, 3, 1
        flags = over | nearest << 8 | nearest << 11 | normal << 14
        flags |= SpiceCompositeFlags.HAS_MASK
        origin = SpicePoint16(0, 0)
        composite = messages.SpiceComposite(
            flags, white, show.surface(1), None, None, origin, origin
        )
        self.draw(
            [
                (DisplayMsg.DRAW_BLACKNESS, black),
                (
                    DisplayMsg.DRAW_COMPOSITE,
                    messages.SpiceMsgDisplayDrawComposite(base, composite),
                ),
            ]
        )

    def flush(self) -> None:
        """Let the client do it all, and say so at the end."""
        self.display.send_all([*self.sent, (DisplayMsg.MARK, b"")])
        self.sent.clear()


def theirs(client: GtkClient, folder: Path, form: int) -> np.ndarray:
    """Return the client's primary surface."""
    width, height, data = client.picture(folder)
    if form in SHORT:
        # The client's rows are half as long as the script takes them for.
        rows = [data[y * 4 * width :][: 2 * width] for y in range(height)]
        return np.frombuffer(b"".join(rows), "<u2").reshape(height, width)
    words = np.frombuffer(data, "<u4").reshape(height, width)
    return words & np.uint32(0xFFFFFF)


def differing(ours: np.ndarray, others: np.ndarray, form: int) -> list[int]:
    """Return the numbers of cells that differ."""
    bits = 0x7FFF if form == SpiceSurfaceFmt.FMT_16_555 else 0xFFFFFFFF
    wrong = (ours ^ others) & np.asarray(bits).astype(ours.dtype) != 0
    # What is shown below each other belongs to the same cells.
    wrong = wrong.reshape(-1, SIDE, SIDE).any(axis=0)
    cells = wrong.reshape(COLUMNS, CELL, COLUMNS, CELL).any(axis=(1, 3))
    return list(np.flatnonzero(cells))


def run_family(
    bench: Bench, client: GtkClient, folder: Path, name: str
) -> list[str]:
    """Draw a screen of cases; the names of those that differ."""
    bench.noise(bench.target, bench.form, SIDE, SIDE)
    maker = Maker(SEED, bench.form, bench.target, SIZES)
    cases: list[Case] = []
    for number in range(CELLS):
        maker.move_to(number)
        cases.append(FAMILIES[name](maker, number))
    bench.draw([message for case in cases for message in case.messages])
    bench.show_target()
    bench.flush()
    client.wait("mark", mark=1)
    ours = bench.ours.pixels(bench.height, bench.shown)
    other = theirs(client, folder, bench.shown)
    if os.environ.get("DUMP"):
        np.savez(
            f"{os.environ['DUMP']}/{bench.form.name}-{name}.npz", ours=ours, other=other
        )
    cells = differing(ours, theirs(client, folder, bench.shown), bench.shown)
    assert bench.ours.canvas.not_drawn == 0, bench.ours.canvas.counters()
    return [cases[cell].name for cell in cells]


def compare(
    form: SpiceSurfaceFmt, display: ScriptedDisplay, port: int, folder: Path
) -> dict[str, list[str]]:
    """Draw all families on surfaces of one format."""
    bench = Bench(form, display)
    wrong = {}
    with GtkClient(host="127.0.0.1", port=str(port), password="sekret") as client:
        for name in os.environ.get("ONLY", "").split() or FAMILIES:
            if name == "rop3" and form not in ROP3_SURFACES:
                continue
            wrong[name] = run_family(bench, client, folder, name)
    return wrong


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "form",
    [XRGB, ARGB, *SHORT, A8],
    ids=lambda form: form.name,
)
async def test_our_canvas_is_the_clients(form, tmp_path):
    display = ScriptedDisplay()
    async with running_server(display) as server:
        port = server.control.port
        wrong = await asyncio.to_thread(compare, form, display, port, tmp_path)
    lines = [
        f"{name}: {len(cases)} of {CELLS} differ: {cases[:4]}"
        for name, cases in wrong.items()
        if cases
    ]
    assert not lines, "\n".join(lines)
