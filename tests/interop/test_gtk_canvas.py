"""spice-gtk paints the same pixels from commands as our canvas, whatever the command.

Each case is drawn in a cell of a surface: by spice-gtk from display messages, and by our
canvas from the same commands in a guest's memory.  What spice-gtk confirmed is kept in
``tests/vectors/canvas.json``, for machines that do not have it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np
import pytest

from spice_protocol.messages.display import DisplayMsg
from tests.fakes.drawing_bench import (
    CELLS,
    FORMATS,
    SIDE,
    DrawingBench,
    different_cells,
    families,
    meaning,
)
from tests.fakes.drawing_vectors import vectors
from tests.fakes.scripted_display import ScriptedDisplay
from tests.fakes.spice_channels import running_server
from tests.peers.gtk_client import GtkClient, missing

if TYPE_CHECKING:
    from pathlib import Path

    from spice_protocol.enums import SpiceSurfaceFmt

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
]


def shown(client: GtkClient, folder: Path, bench: DrawingBench) -> np.ndarray:
    """Return the client's primary surface: the bits that mean something."""
    width, height, data = client.picture(folder)
    size = width * np.dtype(bench.dtype).itemsize
    # The script takes every row for one of 32 bits a pixel.
    rows = b"".join(data[y * 4 * width :][:size] for y in range(height))
    return meaning(np.frombuffer(rows, bench.dtype), bench.shown).reshape(-1, SIDE)


def compare(
    form: SpiceSurfaceFmt, display: ScriptedDisplay, port: int, folder: Path
) -> dict[str, list[str]]:
    """Draw all families on surfaces of one format; the cases that differ."""
    bench = DrawingBench(form)
    wrong = {}
    with GtkClient(host="127.0.0.1", port=str(port), password="sekret") as client:
        for name in families(form):
            cases = bench.draw_family(name)
            display.send_all([*bench.messages, (DisplayMsg.MARK, b"")])
            bench.messages.clear()
            client.wait("mark", mark=1)
            cells = different_cells(bench.pixels(), shown(client, folder, bench))
            if cells:
                wrong[name] = [cases[cell].name for cell in cells]
            assert bench.digests() == vectors()[form.name][name]
    return wrong


@pytest.mark.asyncio
@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
async def test_our_canvas_is_the_clients(form, tmp_path):
    display = ScriptedDisplay()
    async with running_server(display) as server:
        port = server.control.port
        wrong = await asyncio.to_thread(compare, form, display, port, tmp_path)
    lines = [
        f"{name}: {len(cases)} of {CELLS} differ: {cases[:4]}"
        for name, cases in wrong.items()
    ]
    assert not lines, "\n".join(lines)
