from __future__ import annotations

import gc
import mmap
import sys

import pytest

from spice_common._c import ffi
from spice_common.atomics import AtomicU32
from spice_common.borrowed import Borrowed
from spice_common.canvas import Canvas, Surface
from spice_common.ipc_ring import Producer
from spice_common.memslot import MemslotTable
from spice_protocol.enums import SpiceSurfaceFmt


def test_points_into_the_memory():
    memory = bytearray(range(100))
    borrowed = Borrowed(memoryview(memory)[10:30][5:])
    assert borrowed.size == 15
    assert bytes(ffi.buffer(borrowed.pointer, 3)) == bytes([15, 16, 17])
    memory[15] = 99
    assert borrowed.pointer[0] == 99
    with pytest.raises(BufferError):
        memory.append(0)
    del borrowed
    memory.append(0)


def test_read_only_memory():
    with pytest.raises(BufferError):
        Borrowed(bytes(10))


class Machine:
    """Holds views of guest memory and what the core borrowed, in a cycle."""

    def __init__(self) -> None:
        self.itself = self
        self.memory = mmap.mmap(-1, 1 << 16)
        self.view = memoryview(self.memory)
        self.piece = self.view[4096:]
        self.word = AtomicU32(self.piece, 4)
        self.ring = Producer(self.view[64:1024], num_items=8, item_size=8)
        self.slots = MemslotTable()
        self.slots.add(1, 0, self.piece)
        self.canvas = Canvas()
        screen = Surface(0, 8, 8, SpiceSurfaceFmt.FMT_32_xRGB, 32, 0)
        self.canvas.create_surface(screen, self.piece[:256], clear=True)


def test_the_garbage_collector_may_find_it(monkeypatch):
    """An exported view in a cycle would kill the process, complaining before."""
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    for _ in range(20):
        Machine()
        gc.collect()
    assert not complaints
