from __future__ import annotations

import struct

import pytest

from qxl_device.errors import GuestError
from qxl_device.memslot import Memslots
from qxl_device.monitors import read_monitors_config
from spice_protocol.qxl_dev import QXLHead
from tests.fakes.qxl_bench import physical
from vd_interfaces.qxl import Head
from vm_transport.in_process import InProcessTransport

SIZE = 1 << 16


@pytest.fixture
def guest():
    transport = InProcessTransport(ram_size=SIZE, vram_size=4096)
    slots = Memslots(transport.memory)
    slots.add(1, transport.memory.ram.address, transport.memory.ram.end)
    yield transport.memory.ram.view, slots
    transport.close()


def put(view, offset, count, allowed, heads):
    body = struct.pack("<HH", count, allowed) + b"".join(h.pack() for h in heads)
    view[offset : offset + len(body)] = body


def test_heads(guest):
    view, slots = guest
    heads = [QXLHead(0, 0, 1024, 768, 0, 0, 0), QXLHead(1, 0, 800, 600, 1024, 8, 5)]
    put(view, SIZE - 60, 2, 4, heads)
    config = read_monitors_config(physical(1, SIZE - 60), slots)
    assert config.max_allowed == 4
    assert list(config.heads) == [
        Head(0, 0, 1024, 768, 0, 0, 0),
        Head(1, 0, 800, 600, 1024, 8, 5),
    ]


def test_most_heads(guest):
    view, slots = guest
    put(view, 0, 64, 0, [QXLHead(n, 0, 1, 1, n, 0, 0) for n in range(64)])
    assert len(read_monitors_config(physical(1, 0), slots).heads) == 64


@pytest.mark.parametrize(
    ("count", "allowed"), [(0, 0), (65, 0), (0xFFFF, 0), (2, 1), (0, 4)]
)
def test_bad_counts(guest, count, allowed):
    view, slots = guest
    put(view, 0, count, allowed, [])
    with pytest.raises(GuestError):
        read_monitors_config(physical(1, 0), slots)


@pytest.mark.parametrize(
    "head",
    [
        QXLHead(0, 0, 32768, 1, 0, 0, 0),
        QXLHead(0, 0, 1, 1, 0xFFFFFFFF, 0, 0),
        QXLHead(0, 0, 1, 32767, 0, 1, 0),
    ],
)
def test_heads_out_of_this_world(guest, head):
    view, slots = guest
    put(view, 0, 1, 0, [head])
    with pytest.raises(GuestError):
        read_monitors_config(physical(1, 0), slots)


@pytest.mark.parametrize("offset", [SIZE - 3, SIZE - 31, SIZE, 0xFFFFFFFFFFFF])
def test_leaves_its_slot(guest, offset):
    view, slots = guest
    view[SIZE - 31 : SIZE - 27] = struct.pack("<HH", 1, 0)
    with pytest.raises(GuestError):
        read_monitors_config(physical(1, offset), slots)
