from __future__ import annotations

import mmap
import struct
import threading

import pytest

from spice_common._c import lib
from spice_common.command_batch import MAX_BATCH_COMMANDS, CommandBatch, error_names
from spice_common.errors import RingBrokenError
from spice_common.ipc_ring import Consumer, Producer
from spice_common.memslot import MemslotTable
from spice_protocol.enums import (
    SpiceBitmapFmt,
    SpiceBrushType,
    SpiceImageType,
    SpiceRopd,
    SpiceSurfaceFmt,
)
from spice_protocol.qxl_dev import (
    QXLBlackness,
    QXLBrush,
    QXLCmdType,
    QXLCommand,
    QXLCopy,
    QXLCopyBits,
    QxlDrawType,
    QXLFill,
    QXLImageDescriptor,
    QXLMessage,
    QXLPoint,
    QXLQMask,
    QXLRect,
    QXLReleaseInfo,
    QXLSurface,
    QXLSurfaceCmd,
    QXLSurfaceCmdType,
    QXLUpdateCmd,
)
from tests.fakes.command_memory import (
    GENERATION,
    NO_MASK,
    SLOT,
    CommandMemory,
    physical,
)

AREA = QXLRect(top=1, left=2, bottom=9, right=12)


@pytest.fixture
def guest() -> CommandMemory:
    return CommandMemory()


@pytest.fixture
def batch() -> CommandBatch:
    return CommandBatch()


def rect(c_rect: object) -> tuple[int, int, int, int]:
    return (c_rect.top, c_rect.left, c_rect.bottom, c_rect.right)  # type: ignore[attr-defined]


def copy_of(image: int, area: QXLRect) -> QXLCopy:
    return QXLCopy(image, area, SpiceRopd.OP_PUT, 0, NO_MASK)


def solid_fill(color: int) -> QXLFill:
    brush = QXLBrush(SpiceBrushType.SOLID, struct.pack("<I", color))
    return QXLFill(brush, SpiceRopd.OP_PUT, NO_MASK)


def drain(guest: CommandMemory, batch: CommandBatch, **options: int) -> int:
    taken = batch.drain(guest.commands, guest.slots, **options)
    guest.releases.release(batch, guest.slots)
    return taken


def test_fill(guest: CommandMemory, batch: CommandBatch) -> None:
    clip = [QXLRect(0, 0, 4, 4), QXLRect(5, 5, 8, 8)]
    address = guest.drawable(
        QxlDrawType.DRAW_FILL, AREA, solid_fill(0x123456), clip=clip, mm_time=77
    )
    guest.push(QXLCmdType.DRAW, address)
    assert drain(guest, batch) == 1
    assert (batch.num_entries, batch.num_draws) == (1, 1)
    draw = batch.cdata.draws[0]
    assert (draw.type, draw.mm_time) == (QxlDrawType.DRAW_FILL, 77)
    assert (draw.brush.type, draw.brush.color) == (SpiceBrushType.SOLID, 0x123456)
    assert rect(draw.bbox) == (1, 2, 9, 12)
    assert draw.num_clips == 2
    assert rect(batch.cdata.clips[draw.first_clip + 1]) == (5, 5, 8, 8)
    assert draw.rop_descriptor == SpiceRopd.OP_PUT
    assert draw.image == draw.mask.image == 2**32 - 1


def test_copy_of_a_bitmap_in_chunks(guest: CommandMemory, batch: CommandBatch) -> None:
    pixels = bytes(range(240)) + bytes(80)
    image = guest.bitmap(10, 8, pixels, sizes=[3, 0, 200])
    source = QXLRect(0, 0, 8, 10)
    address = guest.drawable(QxlDrawType.DRAW_COPY, AREA, copy_of(image, source))
    guest.push(QXLCmdType.DRAW, address)
    assert drain(guest, batch) == 1
    found = batch.cdata.images[batch.cdata.draws[0].image]
    assert (found.id, found.kind) == (7, SpiceImageType.BITMAP)
    assert (found.width, found.height, found.stride) == (10, 8, 40)
    assert found.data_size == len(pixels)
    chunks = batch.cdata.chunks[found.first_chunk : found.first_chunk + 3]
    assert [chunk.size for chunk in chunks] == [3, 200, 117]
    assert found.num_chunks == 3
    assert chunks[1].data[0] == 3


def test_copy_bits(guest: CommandMemory, batch: CommandBatch) -> None:
    body = QXLCopyBits(QXLPoint(30, 40))
    guest.push(QXLCmdType.DRAW, guest.drawable(QxlDrawType.COPY_BITS, AREA, body))
    assert drain(guest, batch) == 1
    draw = batch.cdata.draws[0]
    assert (draw.src_x, draw.src_y) == (30, 40)


def test_palette(guest: CommandMemory, batch: CommandBatch) -> None:
    palette = guest.put(struct.pack("<QH3I", 5, 3, 1, 2, 3))
    image = guest.bitmap(
        4, 1, b"\0\1\2\1", format=SpiceBitmapFmt.FMT_8BIT, palette=palette
    )
    body = copy_of(image, QXLRect(0, 0, 1, 4))
    guest.push(QXLCmdType.DRAW, guest.drawable(QxlDrawType.DRAW_COPY, AREA, body))
    assert drain(guest, batch) == 1
    found = batch.cdata.images[0]
    assert (found.palette_unique, found.num_colors) == (5, 3)
    assert list(batch.cdata.colors[found.first_color : found.first_color + 3]) == [
        1,
        2,
        3,
    ]


def test_a_picture_has_colors(guest: CommandMemory, batch: CommandBatch) -> None:
    """Only masks go without: clients abort over any other indexed bitmap."""
    image = guest.bitmap(8, 1, b"\xaa", format=SpiceBitmapFmt.FMT_1BIT_BE)
    body = copy_of(image, QXLRect(0, 0, 1, 8))
    guest.push(QXLCmdType.DRAW, guest.drawable(QxlDrawType.DRAW_COPY, AREA, body))
    assert drain(guest, batch) == 1
    assert batch.take_errors() == {"bad palette": 1}
    body.mask = QXLQMask(0, QXLPoint(0, 0), image)
    body.src_bitmap = guest.bitmap(8, 1, bytes(32))
    guest.push(QXLCmdType.DRAW, guest.drawable(QxlDrawType.DRAW_COPY, AREA, body))
    assert drain(guest, batch) == 1
    assert batch.take_errors() == {}


def test_surface_image(guest: CommandMemory, batch: CommandBatch) -> None:
    descriptor = QXLImageDescriptor(1, SpiceImageType.SURFACE, 0, 0, 0)
    image = guest.put(descriptor.pack() + struct.pack("<I", 9))
    body = copy_of(image, QXLRect(0, 0, 32, 64))
    guest.push(QXLCmdType.DRAW, guest.drawable(QxlDrawType.DRAW_COPY, AREA, body))
    assert drain(guest, batch) == 1
    assert batch.cdata.images[0].surface_id == 9


def surface_command(guest: CommandMemory, surface: QXLSurface) -> int:
    command = QXLSurfaceCmd(
        QXLReleaseInfo(1), 5, QXLSurfaceCmdType.CREATE, 1, surface.pack()
    )
    return guest.put(command.pack())


def test_surface_create(guest: CommandMemory, batch: CommandBatch) -> None:
    data = guest.put(bytes(64 * 16))
    surface = QXLSurface(SpiceSurfaceFmt.FMT_32_ARGB, 16, 16, -64, data)
    guest.push(QXLCmdType.SURFACE, surface_command(guest, surface))
    assert drain(guest, batch) == 1
    command = batch.cdata.surface_commands[0]
    assert (command.surface_id, command.type, command.flags) == (5, 0, 1)
    assert (command.width, command.height, command.stride) == (16, 16, -64)


def test_update(guest: CommandMemory, batch: CommandBatch) -> None:
    update = QXLUpdateCmd(QXLReleaseInfo(1), AREA, update_id=8, surface_id=2)
    guest.push(QXLCmdType.UPDATE, guest.put(update.pack()))
    assert drain(guest, batch) == 1
    assert batch.cdata.updates[0].update_id == 8
    assert rect(batch.cdata.updates[0].area) == (1, 2, 9, 12)


def test_entries_keep_the_order_of_the_ring(
    guest: CommandMemory, batch: CommandBatch
) -> None:
    fill = guest.drawable(QxlDrawType.DRAW_FILL, AREA, solid_fill(0))
    update = QXLUpdateCmd(QXLReleaseInfo(1), AREA, update_id=8, surface_id=2)
    guest.push(QXLCmdType.UPDATE, guest.put(update.pack()))
    guest.push(QXLCmdType.DRAW, fill)
    guest.push(QXLCmdType.DRAW, 0)
    guest.push(QXLCmdType.DRAW, fill)
    assert drain(guest, batch) == 4
    entries = batch.cdata.entries[0 : batch.num_entries]
    assert [entry.kind for entry in entries] == [
        lib.BATCH_UPDATE,
        lib.BATCH_DRAW,
        lib.BATCH_DRAW,
    ]
    assert [entry.index for entry in entries] == [0, 0, 1]
    assert batch.take_errors() == {"bad memory slot": 1}


def test_messages_are_made_safe_to_log(
    guest: CommandMemory, batch: CommandBatch
) -> None:
    text = b"qxl: \x1b[2Jhello\tworld\xff\n\0never"
    guest.push(
        QXLCmdType.MESSAGE, guest.put(QXLMessage(QXLReleaseInfo(1)).pack() + text)
    )
    assert drain(guest, batch) == 1
    assert batch.messages == ["qxl: ?[2Jhello world?"]


def test_errors_are_counted_by_reason_once(
    guest: CommandMemory, batch: CommandBatch
) -> None:
    reversed_area = QXLRect(9, 9, 1, 1)
    bad = guest.drawable(QxlDrawType.DRAW_FILL, reversed_area, solid_fill(0))
    text = guest.drawable(QxlDrawType.DRAW_TEXT, AREA, QXLBlackness(NO_MASK))
    for address in (bad, text, bad, physical(SLOT, GENERATION + 1, 0)):
        guest.push(QXLCmdType.DRAW, address)
    assert drain(guest, batch) == 4
    assert batch.num_entries == 0
    assert batch.take_errors() == {
        "bad rectangle": 2,
        "bad memory slot": 1,
        "bad slot generation": 1,
    }
    assert batch.take_errors() == {}


def test_bad_commands_are_released_all_the_same(
    guest: CommandMemory, batch: CommandBatch
) -> None:
    ids = []
    for kind in (99, QXLCmdType.DRAW, QXLCmdType.SURFACE, QXLCmdType.CURSOR):
        offset = guest.used
        guest.push(kind, guest.put(struct.pack("<Q", offset) + b"\xff" * 200))
        ids.append(offset)
    assert drain(guest, batch) == 4
    assert batch.num_entries == 0
    guest.releases.flush()
    assert guest.collect() == ids


def test_max_commands(guest: CommandMemory, batch: CommandBatch) -> None:
    address = guest.drawable(QxlDrawType.DRAW_FILL, AREA, solid_fill(0))
    for _ in range(5):
        guest.push(QXLCmdType.DRAW, address)
    assert [drain(guest, batch, max_commands=2) for _ in range(4)] == [2, 2, 1, 0]


def test_empty_ring_asks_for_a_notification(
    guest: CommandMemory, batch: CommandBatch
) -> None:
    assert drain(guest, batch) == 0
    item = QXLCommand(0, QXLCmdType.NOP).pack()
    assert guest.guest_commands.push([item]).notify
    assert drain(guest, batch) == 1
    assert not guest.guest_commands.push([item]).notify


def test_notify_tells_a_guest_that_waits_for_room(
    guest: CommandMemory, batch: CommandBatch
) -> None:
    item = QXLCommand(0, QXLCmdType.NOP).pack()
    guest.guest_commands.push([item] * 32)
    assert guest.guest_commands.wait()
    drain(guest, batch)
    assert batch.notify
    drain(guest, batch)
    assert not batch.notify


def test_broken_ring_takes_nothing(guest: CommandMemory, batch: CommandBatch) -> None:
    ring = bytearray(Producer.size_of(32, 16))
    struct.pack_into("<5I", ring, 0, 32, 33, 0, 0, 0)
    with pytest.raises(RingBrokenError):
        batch.drain(Consumer(ring, num_items=32, item_size=16), guest.slots)
    assert batch.num_entries == 0
    assert struct.unpack_from("<5I", ring) == (32, 33, 0, 0, 0)


def test_batch_must_be_released_before_it_is_refilled(
    guest: CommandMemory, batch: CommandBatch
) -> None:
    guest.push(
        QXLCmdType.DRAW, guest.drawable(QxlDrawType.DRAW_FILL, AREA, solid_fill(0))
    )
    batch.drain(guest.commands, guest.slots)
    with pytest.raises(RuntimeError, match="released"):
        batch.drain(guest.commands, guest.slots)
    batch.clear()
    assert batch.num_entries == 0
    assert batch.drain(guest.commands, guest.slots) == 0


def test_batch_keeps_the_memory_it_points_into_mapped(batch: CommandBatch) -> None:
    guest = CommandMemory(4096)
    memory = mmap.mmap(-1, 4096)
    slots = MemslotTable()
    slots.add(1, GENERATION, memory)
    batch.drain(guest.commands, slots)
    slots.reset()
    with pytest.raises(BufferError):
        memory.close()
    batch.clear()
    memory.close()


def test_every_error_has_a_name() -> None:
    names = error_names()
    assert len(names) == len(set(names)) == lib.NUM_COMMAND_ERRORS
    assert MAX_BATCH_COMMANDS == 64


def test_other_threads_run_while_a_batch_is_parsed() -> None:
    """The C core holds no lock of Python: draining in a thread needs no luck."""
    guests = [CommandMemory() for _ in range(4)]
    results: list[int] = []

    def work(guest: CommandMemory) -> None:
        batch = CommandBatch()
        image = guest.bitmap(64, 64, bytes(64 * 64 * 4), sizes=[300] * 40)
        body = copy_of(image, QXLRect(0, 0, 64, 64))
        address = guest.drawable(QxlDrawType.DRAW_COPY, AREA, body)
        for _ in range(20):
            guest.push(QXLCmdType.DRAW, address)
            drain(guest, batch)
            results.append(batch.num_draws)

    threads = [threading.Thread(target=work, args=(guest,)) for guest in guests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [1] * 80
