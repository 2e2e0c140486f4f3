"""What spice-html5 is sent: only what it draws as it is meant."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from spice_protocol.enums import SpiceImageType
from spice_protocol.messages.display import (
    DisplayMsg,
    DisplayMsgc,
    SpiceMsgcDisplayInit,
)
from spice_server.display.compression import Compression
from tests.fakes.display_bench import DisplayBench
from tests.fakes.scribble import scribble

HTML5_CAPS = (0x711,)
BASE = struct.Struct("<IiiiiB")
"""Surface, top, left, bottom, right, clip type."""
DRAWS = {DisplayMsg.COPY_BITS, DisplayMsg.DRAW_FILL, DisplayMsg.DRAW_COPY}
UNDERSTOOD = {SpiceImageType.BITMAP, SpiceImageType.QUIC, SpiceImageType.LZ_RGB}


class Watched:
    """A client that checks each message it is sent."""

    def __init__(self, bench: DisplayBench) -> None:
        self.client = bench.connect(bench.worker.display, caps=HTML5_CAPS)
        init = SpiceMsgcDisplayInit(1, 10 << 20, 0, 0)
        self.client.send(DisplayMsgc.INIT, init.pack())
        self.first_draws: list[int] = []

    def receive(self) -> tuple[int, bytes]:
        kind, body = self.client.receive()
        if kind == DisplayMsg.SURFACE_CREATE:
            assert struct.unpack_from("<I", body)[0] == 0, "only what is shown"
        if kind >= DisplayMsg.COPY_BITS and kind in DRAWS:
            self.check(kind, body)
            self.first_draws.append(kind)
        else:
            assert not DisplayMsg.DRAW_FILL <= kind <= DisplayMsg.DRAW_ALPHA_BLEND
        return kind, body

    def check(self, kind: int, body: bytes) -> None:
        surface, top, left, bottom, right, clip = BASE.unpack_from(body)
        assert (surface, clip) == (0, 0)
        if kind != DisplayMsg.DRAW_COPY:
            return
        offset, *source, rop = struct.unpack_from("<IiiiiH", body, BASE.size)
        width, height = right - left, bottom - top
        assert source == [0, 0, height, width]
        assert rop == 8
        _id, image, _flags, *size = struct.unpack_from("<QBBII", body, offset)
        assert image in UNDERSTOOD
        assert size == [width, height]


def test_nothing_but_plain_pictures_fills_and_moves():
    with DisplayBench(640, 480) as bench:
        bench.guest.create_surface(5, 64, 64)
        scribble(bench, 1)
        watched = Watched(bench)
        for seed in range(2, 6):
            shown = np.frombuffer(bench.screen(), "<u4") & np.uint32(0xFFFFFF)
            while True:
                watched.client.painter.apply(*watched.receive())
                if 0 not in watched.client.painter.surfaces:
                    continue
                painted = watched.client.painter.surfaces[0].ravel()
                if np.array_equal(painted & np.uint32(0xFFFFFF), shown):
                    break
            scribble(bench, seed)
        assert watched.first_draws[0] == DisplayMsg.DRAW_FILL, "all of it is black"


@pytest.mark.parametrize("mode", ["auto_glz", "quic", "lz", "lz4"])
def test_no_picture_from_a_cache_and_none_lossily(mode):
    with DisplayBench(640, 480, Compression(mode, jpeg="always")) as bench:
        watched = Watched(bench)
        for _ in range(3):
            scribble(bench, 1)
        while watched.receive()[0] != DisplayMsg.MARK:
            pass
