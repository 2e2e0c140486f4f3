"""Refreshes tell what they repair, and no drawing takes more steps than it is worth."""

from __future__ import annotations

import struct

from spice_common.canvas import Canvas, Surface
from spice_common.display_message import DamageMap, DisplayMessages
from spice_common.region import Box, Region
from spice_protocol.qxl_dev import QXLRect
from tests.fakes.canvas_bench import CanvasBench


def boxes(run) -> Region:
    """Return what the messages of *run* draw on: SpiceMsgDisplayBase.box."""
    return Region(
        Box(left, top, right, bottom)
        for start in run.starts
        for top, left, bottom, right in [
            struct.unpack_from("<4i", run.data, start + 10)
        ]
    )


def test_a_refresh_tells_what_it_repairs():
    """It may never reach the client, who then is damaged there again."""
    canvas = Canvas(8)
    memory = bytearray(4 * 1024 * 1024)
    canvas.create_surface(Surface(0, 1024, 1024, 32, 4096, 0), memory, clear=True)
    damage, out = DamageMap(), DisplayMessages()
    for y in range(0, 1024, 64):
        for x in range(0, 1024, 64):
            damage.add_box(0, Box(x, y, x + 40, y + 50))
    told, sent = Region(), Region()
    while damage:
        out.refresh(canvas, damage, max_bytes=1 << 20, max_message=1000)
        run = out.take()
        assert run.complete
        for _, *box in struct.iter_unpack("<I4i", run.damage):
            told.add(Box(*box))
        sent.add(boxes(run))
    assert told == sent
    # 40 x 50 pixels, rounded outwards.
    assert told.area == 256 * 48 * 64


def test_a_long_clip_list_is_not_begun_anew_for_each_rectangle():
    """To plan 1536 rectangles takes as long as to draw many of them."""
    clip = [QXLRect(y, x, y + 1, x + 1) for y in range(48) for x in range(0, 64, 2)]
    area = QXLRect(0, 0, 48, 64)
    with CanvasBench(64, 48) as bench:
        image = bench.image(bytes(4 * 64 * 48), 64, 48, 4 * 64)
        bench.copy(image, area, area, clip=clip)
        runs = bench.draw(max_bytes=64 * len(clip))
        assert len(runs) <= 4
        bench.assert_agreement()
