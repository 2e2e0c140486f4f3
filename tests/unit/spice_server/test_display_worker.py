"""A worker between a guest that draws and clients that read, or do not."""

from __future__ import annotations

import random
import struct
import threading

import numpy as np
import pytest

from spice_protocol.enums import SpiceSurfaceFmt
from spice_protocol.messages.display import (
    DisplayMsg,
    DisplayMsgc,
    SpiceMsgcDisplayInit,
    SpiceMsgcDisplayStreamReport,
)
from spice_protocol.protocol import DisplayCap
from spice_protocol.qxl_dev import (
    QXL_SURF_FLAG_KEEP_DATA,
    QXLCmdType,
    QXLCommand,
    QXLHead,
    QxlInterrupt,
    QxlIo,
    QXLRect,
    QXLRom,
)
from spice_server.display.channel_client import FLUSH_SIZE, LOW_PIPE
from spice_server.display.worker import DisplayWorker
from tests.fakes.display_bench import DisplayBench
from vd_interfaces.qxl import PrimarySurface

GREETING = [
    "INVAL_ALL_PALETTES",
    "SURFACE_CREATE",
    "DRAW_COPY",
    "MONITORS_CONFIG",
    "MARK",
]


@pytest.fixture
def bench():
    with DisplayBench() as bench:
        yield bench


def picture(bench: DisplayBench) -> np.ndarray:
    words = np.frombuffer(bench.screen(), "<u4")
    return words.reshape(bench.height, bench.width) & np.uint32(0xFFFFFF)


def paint_to(bench: DisplayBench, client) -> None:
    """Paint until the client shows what the guest's framebuffer holds."""
    wanted = picture(bench)
    client.paint_until(lambda p: np.array_equal(p.rgb(), wanted))


def scribble(bench: DisplayBench, count: int, seed: int = 0) -> None:
    """Draw *count* random commands."""
    rng = random.Random(seed)
    for _ in range(count):
        width, height = rng.randint(1, bench.width), rng.randint(1, bench.height)
        left = rng.randint(0, bench.width - width)
        top = rng.randint(0, bench.height - height)
        area = QXLRect(top, left, top + height, left + width)
        match rng.randrange(3):
            case 0:
                bench.draw(bench.guest.draw_fill, area, rng.getrandbits(24))
            case 1:
                x = rng.randint(0, bench.width - width)
                y = rng.randint(0, bench.height - height)
                bench.draw(bench.guest.copy_bits, area, x, y)
            case 2:
                pixels = rng.randbytes(4 * width * height)
                bench.draw(bench.guest.draw_copy, pixels, area)
    bench.flush()


# ---- the usual


def test_a_client_is_greeted_and_follows(bench):
    scribble(bench, 10)
    client = bench.display_client()
    client.paint_until(lambda p: p.marks)
    assert client.painter.log == GREETING
    paint_to(bench, client)
    for seed in range(5):
        scribble(bench, 100, seed)
        paint_to(bench, client)
    stats = bench.stats()
    assert stats.commands == 510
    assert stats.clients == 1
    assert stats.rejected == 0
    assert sum(stats.drawn.values()) <= 510
    assert stats.message_bytes > 0


def test_a_client_with_full_headers(bench):
    client = bench.display_client(mini=False)
    scribble(bench, 100)
    paint_to(bench, client)


def test_several_clients_see_the_same(bench):
    clients = [bench.display_client() for _ in range(3)]
    scribble(bench, 100)
    clients.append(bench.display_client())
    for client in clients:
        paint_to(bench, client)
    assert bench.stats().clients == 4


def test_nothing_before_init(bench):
    client = bench.connect(bench.worker.display)
    scribble(bench, 10)
    client.init()
    kind, _ = client.receive()
    assert kind == 3  # SET_ACK
    client.paint_until(lambda p: p.marks)
    assert client.painter.log == GREETING


def test_a_client_waits_for_a_screen():
    with DisplayBench(0) as bench:
        client = bench.display_client()
        assert client.receive_until(DisplayMsg.INVAL_ALL_PALETTES) == b""
        bench.width, bench.height = 32, 16
        assert bench.guest.create_primary(32, 16)
        client.paint_until(lambda p: p.marks)
        assert client.painter.log == ["SURFACE_CREATE", "MONITORS_CONFIG", "MARK"]
        scribble(bench, 10)
        paint_to(bench, client)


def test_a_change_of_mode_is_told_in_libspice_servers_order(bench):
    client = bench.display_client()
    client.paint_until(lambda p: p.marks)
    client.painter.log.clear()
    bench.guest.destroy_primary()
    bench.width, bench.height = 80, 20
    bench.guest.create_primary(80, 20)
    client.paint_until(lambda p: p.marks == 2)
    assert client.painter.log == [
        "SURFACE_DESTROY",
        "SURFACE_CREATE",
        "MONITORS_CONFIG",
        "MARK",
    ]
    scribble(bench, 10)
    paint_to(bench, client)


def test_monitors_config(bench):
    client = bench.display_client()
    plain = bench.display_client(caps=())
    client.paint_until(lambda p: p.marks)
    plain.paint_until(lambda p: p.marks)
    assert "MONITORS_CONFIG" not in plain.painter.log
    bench.guest.monitors_config([QXLHead(0, 0, 60, 40, 2, 3, 0)], 4)
    body = client.receive_until(DisplayMsg.MONITORS_CONFIG)
    assert body == struct.pack("<HH7I", 1, 4, 0, 0, 60, 40, 2, 3, 0)


def test_a_new_screen_of_a_guest_that_tells_of_its_heads(bench):
    """Windows follow what is told: one head over all would be wrong for a moment."""
    client = bench.display_client()
    client.paint_until(lambda p: p.marks)
    bench.guest.monitors_config([QXLHead(0, 0, 60, 40, 2, 3, 0)], 4)
    client.paint_until(lambda p: p.log.count("MONITORS_CONFIG") == 2)
    bench.guest.destroy_primary()
    bench.guest.create_primary(100, 50)
    client.paint_until(lambda p: p.marks == 2)
    late = bench.display_client()
    body = late.receive_until(DisplayMsg.MONITORS_CONFIG)
    assert body == struct.pack("<HH7I", 1, 4, 0, 0, 100, 50, 0, 0, 0)
    heads = [QXLHead(0, 0, 50, 50, 0, 0, 0), QXLHead(1, 0, 50, 50, 50, 0, 0)]
    bench.guest.monitors_config(heads, 4)
    client.paint_until(lambda p: p.log.count("MONITORS_CONFIG") == 3)
    assert client.painter.log[-1] == "MONITORS_CONFIG"


def test_off_screen_surfaces(bench):
    client = bench.display_client()
    client.paint_until(lambda p: p.marks)
    guest = bench.guest
    bench.draw(guest.create_surface, 3, 16, 16)
    bench.draw(guest.draw_fill, QXLRect(0, 0, 16, 16), 0xFF123456, surface_id=3)
    bench.flush()
    client.paint_until(lambda p: 3 in p.surfaces and p.rgb(3)[5, 5] == 0x123456)
    # One that comes later is sent its pixels once they are needed.
    late = bench.display_client()
    late.paint_until(lambda p: p.marks)
    assert not late.painter.rgb(3).any()
    area = QXLRect(0, 0, 8, 8)
    bench.draw(guest.copy_surface, 3, area, area)
    bench.flush()
    for one in (client, late):
        one.paint_until(lambda p: p.rgb(0)[5, 5] == 0x123456)
        assert one.painter.rgb(3)[5, 5] == 0x123456
    assert guest.outb(QxlIo.DESTROY_SURFACE_WAIT, 3)
    for one in (client, late):
        one.paint_until(lambda p: 3 not in p.surfaces)
    bench.draw(guest.create_surface, 3, 8, 8)
    bench.flush()
    assert guest.outb(QxlIo.DESTROY_ALL_SURFACES)
    for one in (client, late):
        one.paint_until(lambda p: not p.surfaces)


def test_reset_image_cache_reaches_clients(bench):
    client = bench.display_client()
    client.paint_until(lambda p: p.marks)
    client.painter.log.clear()
    bench.worker.dispatcher.call(bench.worker.reset_image_cache).result()
    client.paint_until(lambda p: p.log)
    assert client.painter.log == ["INVAL_ALL_PALETTES"]


def test_the_guest_gets_its_memory_back(bench):
    """Nothing a client holds back keeps the guest's resources."""
    client = bench.display_client(buffer=4096)
    for seed in range(20):
        scribble(bench, 50, seed)
        for _ in range(3):  # the release ring is read, or the device waits for that
            bench.guest.outb(QxlIo.NOTIFY_OOM)
            bench.guest.collect()
        assert not bench.guest.heap.used
    paint_to(bench, client)


def test_a_primary_that_keeps_its_data_is_sent_with_it(bench):
    """As on a display that is taken over from another program."""
    client = bench.display_client()
    client.paint_until(lambda p: p.marks)
    kept = PrimarySurface(
        width=16,
        height=8,
        stride=-64,
        format=SpiceSurfaceFmt.FMT_32_xRGB,
        flags=QXL_SURF_FLAG_KEEP_DATA,
        memory=memoryview(bytearray(range(256)) * 2),
    )
    bench.worker.dispatcher.call(bench.worker.create_primary_surface, kept).result()
    client.paint_until(lambda p: p.marks == 2)
    words = np.frombuffer(kept.memory, "<u4").reshape(8, 16)[::-1]
    assert np.array_equal(client.painter.rgb(), words & 0xFFFFFF)


def test_a_primary_that_cannot_be_is_none(bench):
    client = bench.display_client()
    client.paint_until(lambda p: p.marks)
    wrong = PrimarySurface(
        16, 8, 64, SpiceSurfaceFmt.FMT_1_A, 0, memoryview(bytearray(512))
    )
    bench.worker.dispatcher.call(bench.worker.create_primary_surface, wrong).result()
    client.paint_until(lambda p: not p.surfaces)


def test_what_could_not_be_told_is_told_anew(bench):
    """What was drawn is on the surface: clients are sent it from there."""
    client = bench.display_client()
    client.paint_until(lambda p: p.marks)
    scribble(bench, 5)
    paint_to(bench, client)
    client.painter.surfaces[0][:] = 0

    def lose() -> None:
        (one,) = bench.worker.display.clients.values()
        one.pending.damage_all()
        one.update()

    bench.worker.dispatcher.call(lose).result()
    paint_to(bench, client)


# ---- what the guest learns of its clients


def capabilities(bench: DisplayBench) -> tuple[int, bytes]:
    rom = bench.transport.memory.rom.view
    present = rom[QXLRom.offset("client_present")]
    start = QXLRom.offset("client_capabilities")
    return present, bytes(rom[start : start + 2])


def test_client_capabilities_are_those_of_all_clients(bench):
    all_caps = (1 << DisplayCap.SIZED_STREAM | 1 << DisplayCap.MONITORS_CONFIG | 0xC,)
    assert capabilities(bench) == (0, b"\0\0")
    first = bench.display_client(caps=all_caps)
    first.paint_until(lambda p: p.marks)
    assert capabilities(bench) == (1, b"\x0f\0")
    bench.guest.wait_interrupt(QxlInterrupt.CLIENT)
    second = bench.display_client(caps=(1 << DisplayCap.MONITORS_CONFIG,))
    second.paint_until(lambda p: p.marks)
    assert capabilities(bench) == (1, b"\x02\0")
    bench.guest.wait_interrupt(QxlInterrupt.CLIENT)
    second.sock.close()
    bench.guest.wait_interrupt(QxlInterrupt.CLIENT)
    assert capabilities(bench) == (1, b"\x0f\0")
    first.sock.close()
    bench.guest.wait_interrupt(QxlInterrupt.CLIENT)
    assert capabilities(bench) == (0, b"\0\0")


# ---- slow clients


def waiting(bench: DisplayBench) -> list[int]:
    """Return what waits for each client, in bytes."""
    clients = bench.worker.display.clients
    call = bench.worker.dispatcher.call
    return call(lambda: [c.pipe.size for c in clients.values()]).result()


def items(bench: DisplayBench) -> list[int]:
    clients = bench.worker.display.clients
    call = bench.worker.dispatcher.call
    return call(lambda: [len(c.pipe) for c in clients.values()]).result()


def test_a_client_that_never_reads_costs_bounded_memory_and_nobodys_time():
    with DisplayBench(512, 512) as bench:
        slow = bench.display_client(buffer=4096)
        good = bench.display_client()
        good.paint_until(lambda p: p.marks)
        area = QXLRect(0, 0, 512, 512)
        for seed in range(40):
            bench.draw(
                bench.guest.draw_copy, random.Random(seed).randbytes(1 << 20), area
            )
            scribble(bench, 20, seed)
            paint_to(bench, good)
            assert max(waiting(bench)) <= 2 * FLUSH_SIZE + LOW_PIPE
        assert bench.stats().message_bytes > 4 * FLUSH_SIZE
        # It wakes up: what it is sent is little, and exact in the end.
        paint_to(bench, slow)
        assert slow.received < 4 * FLUSH_SIZE
        scribble(bench, 50, 1000)
        paint_to(bench, slow)
        paint_to(bench, good)


def test_a_client_that_never_acknowledges(bench):
    client = bench.display_client()
    client.acks = False
    for seed in range(30):
        scribble(bench, 200, seed)
        assert max(items(bench)) <= 50
    # 40 messages may be under way, then there is silence until it acknowledges.
    client.acks = True
    client.send(2)
    client.send(2)
    paint_to(bench, client)


def test_a_client_behind_while_the_mode_changes():
    with DisplayBench(512, 512) as bench:
        slow = bench.display_client(buffer=4096)
        for size in (512, 300, 200, 512, 100):
            bench.guest.destroy_primary()
            bench.width = bench.height = size
            bench.guest.create_primary(size, size)
            for seed in range(4):
                bench.draw(
                    bench.guest.draw_copy,
                    random.Random(seed).randbytes(4 * size * size),
                    QXLRect(0, 0, size, size),
                )
            scribble(bench, 30, size)
        slow.paint_until(
            lambda p: 0 in p.surfaces and p.surfaces[0].shape == (100, 100) and p.marks
        )
        paint_to(bench, slow)


def test_a_client_behind_while_surfaces_come_and_go():
    with DisplayBench(256, 256) as bench:
        slow = bench.display_client(buffer=4096)
        guest = bench.guest
        area = QXLRect(0, 0, 256, 256)
        for number in range(60):
            bench.draw(
                guest.create_surface,
                1 + number % 7,
                16,
                16,
                vram_offset=1024 * (number % 7),
            )
            bench.draw(
                guest.draw_fill,
                QXLRect(0, 0, 16, 16),
                0xFF000000 | number,
                surface_id=1 + number % 7,
            )
            bench.draw(guest.draw_copy, random.Random(number).randbytes(1 << 18), area)
            if number % 7 != 3:
                bench.draw(guest.destroy_surface, 1 + number % 7)
        bench.flush()
        scribble(bench, 30)
        paint_to(bench, slow)
        slow.paint_until(lambda p: set(p.surfaces) == {0, 4})
        # It was never destroyed: later ones of that id were refused, fills were not.
        assert slow.painter.rgb(4)[3, 3] == 59


def test_floods_of_small_changes_of_mode_are_bounded(bench):
    client = bench.display_client(buffer=4096)
    for _ in range(3000):
        bench.guest.destroy_primary()
        bench.guest.create_primary(64, 48)
    assert max(items(bench)) <= 50
    scribble(bench, 10)
    paint_to(bench, client)


# ---- wrong clients


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (DisplayMsgc.INIT, b""),
        (DisplayMsgc.INIT, SpiceMsgcDisplayInit(1, -1, 1, 0).pack()),
        (DisplayMsgc.INIT, SpiceMsgcDisplayInit(1, 1 << 50, 1, 0).pack()),
        (DisplayMsgc.INIT, SpiceMsgcDisplayInit(1, 0, 1, -1).pack()),
        (DisplayMsgc.STREAM_REPORT, b"\0" * 3),
        (DisplayMsgc.PREFERRED_COMPRESSION, b""),
        (DisplayMsgc.PREFERRED_VIDEO_CODEC_TYPE, b"\x05\x01"),
        (DisplayMsgc.GL_DRAW_DONE, b""),
        (77, b""),
        (DisplayMsgc.INIT, bytes(5000)),
    ],
)
def test_a_wrong_message_ends_only_its_client(bench, kind, body):
    good = bench.display_client()
    wrong = bench.connect(bench.worker.display)
    wrong.send(kind, body)
    assert wrong.closed()
    scribble(bench, 20)
    paint_to(bench, good)
    assert bench.stats().clients == 1


def test_init_comes_once(bench):
    client = bench.display_client()
    client.init()
    assert client.closed()


def test_what_clients_prefer_is_remembered(bench):
    client = bench.display_client()
    report = SpiceMsgcDisplayStreamReport(1, 2, 3, 4, 5, 6, 7, 8)
    client.send(DisplayMsgc.STREAM_REPORT, report.pack())
    client.send(DisplayMsgc.PREFERRED_COMPRESSION, b"\x04")
    client.send(DisplayMsgc.PREFERRED_VIDEO_CODEC_TYPE, b"\x02\x01\x03")
    client.paint_until(lambda p: p.marks)
    clients = bench.worker.display.clients

    def remembered():
        (one,) = clients.values()
        return one.preferred_compression, one.preferred_codecs, one.stream_reports

    while bench.worker.dispatcher.call(remembered).result() != (4, [1, 3], 1):
        pass


def test_killing_clients_at_any_moment(bench):
    for count in range(60):
        client = bench.display_client(buffer=4096)
        for _ in range(count % 7):
            client.receive()
        scribble(bench, 10, count)
        client.sock.close()
    survivor = bench.display_client()
    scribble(bench, 10)
    paint_to(bench, survivor)


# ---- life


def test_what_attach_raises_is_raised_by_start():
    class Broken:
        id = 3

        def attach(self, worker, loop):
            raise OSError("no device")

        def set_client_capabilities(self, present, capabilities):
            raise AssertionError

    worker = DisplayWorker(Broken())
    with pytest.raises(OSError, match="no device"):
        worker.start()
    worker.stop()


def test_stop_ends_clients_and_thread(bench):
    client = bench.display_client()
    client.paint_until(lambda p: p.marks)
    bench.worker.stop()
    assert client.closed()
    # Whoever comes too late is turned away.
    assert bench.connect(bench.worker.display).closed()
    assert bench.worker.stats().cancelled()
    bench.worker.stop()


def test_sizes_are_told():
    bench = DisplayBench()
    sizes = []
    bench.worker.on_resize(lambda width, height: sizes.append((width, height)))
    with bench:
        bench.guest.destroy_primary()
        bench.guest.create_primary(10, 20)
    assert sizes == [(64, 48), (0, 0), (10, 20)]


def test_monitors_wanted_by_a_client_reach_the_guest(bench):
    bench.guest.mask.store(0)
    assert bench.worker.client_monitors_config(None).result() is False
    bench.guest.mask.store(int(QxlInterrupt.CLIENT_MONITORS_CONFIG))
    assert bench.worker.client_monitors_config(None).result() is True


# ---- a guest that never stops


def test_a_flooding_guest_starves_nobody(bench):
    """Its own I/O requests, new clients and slow readers get their turns."""
    client = bench.display_client()
    client.paint_until(lambda p: p.marks)
    guest, stop = bench.guest, threading.Event()
    block = guest.draw_fill(QXLRect(0, 0, 48, 64), 0x123456)
    command = QXLCommand(guest.physical(block.offset), QXLCmdType.DRAW).pack()

    def flood() -> None:
        while not stop.is_set():
            guest.release_ring.pop(8)
            guest.cmd_ring.push([command] * 32)
            guest.port.notify()

    flooder = threading.Thread(target=flood)
    flooder.start()
    try:
        for _ in range(20):
            bench.flush()
            late = bench.display_client()
            late.paint_until(lambda p: p.marks)
            for _ in range(100):
                client.painter.apply(*client.receive())
        assert bench.stats().commands > 0
    finally:
        stop.set()
        flooder.join()
    bench.flush()
    paint_to(bench, client)
    paint_to(bench, late)


def test_guest_memory_is_let_go_when_the_worker_stops():
    with DisplayBench() as bench:
        bench.draw(bench.guest.create_surface, 3, 16, 16)
        bench.draw(bench.guest.draw_fill, QXLRect(0, 0, 9, 9), 5)
        bench.flush()
        bench.worker.stop()
        assert bench.worker.display.surfaces.canvas.surface_ids() == []
