"""spice-gtk shows what a guest drew: its canvas is the judge of ours and of the wire."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from spice_protocol.enums import SpiceSurfaceFmt
from spice_protocol.qxl_dev import QXLRect
from tests.fakes.display_bench import DisplayBench
from tests.fakes.scribble import scribble
from tests.fakes.spice_channels import running_server
from tests.peers.gtk_client import GtkClient, missing
from tests.peers.programs import (
    eventually,
    missing as missing_program,
    spicy_screenshot,
)

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
]

WIDTH, HEIGHT = 640, 480


def shown(client: GtkClient, folder, surface_format: int) -> np.ndarray:
    """Return the client's pixels: the bits that mean something on such a surface."""
    width, height, data = client.picture(folder)
    if surface_format in {SpiceSurfaceFmt.FMT_16_555, SpiceSurfaceFmt.FMT_16_565}:
        # The client's rows are half as long as the script takes them for.
        rows = [data[y * 4 * width :][: 2 * width] for y in range(height)]
        pixels = np.frombuffer(b"".join(rows), "<u2").reshape(height, width)
        return pixels & (
            0x7FFF if surface_format == SpiceSurfaceFmt.FMT_16_555 else 0xFFFF
        )
    return np.frombuffer(data, "<u4").reshape(height, width) & np.uint32(0xFFFFFF)


def drawn(bench: DisplayBench, surface_format: int) -> np.ndarray:
    """Return the guest's framebuffer likewise."""
    if surface_format in {SpiceSurfaceFmt.FMT_16_555, SpiceSurfaceFmt.FMT_16_565}:
        data = bench.guest.surface0(WIDTH, HEIGHT // 2)
        pixels = np.frombuffer(data, "<u2").reshape(HEIGHT, WIDTH)
        return pixels & (
            0x7FFF if surface_format == SpiceSurfaceFmt.FMT_16_555 else 0xFFFF
        )
    words = np.frombuffer(bench.screen(), "<u4").reshape(HEIGHT, WIDTH)
    return words & np.uint32(0xFFFFFF)


def watch(bench: DisplayBench, port: int, folder, surface_format: int) -> None:
    """Draw before the client comes, and while it looks; in a thread of its own."""
    scribble(bench, 1)
    with GtkClient(host="127.0.0.1", port=str(port), password="sekret") as client:
        client.wait_picture()
        for seed in range(2, 5):
            wanted = drawn(bench, surface_format)
            eventually(
                "the client shows what was drawn",
                lambda wanted=wanted: np.array_equal(
                    shown(client, folder, surface_format), wanted
                ),
            )
            scribble(bench, seed)
        bench.guest.destroy_primary()
        bench.width, bench.height = 320, 200
        bench.guest.create_primary(320, 200)
        client.wait("primary", width=320, height=200)
        client.wait("mark", mark=1)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "surface_format",
    [
        SpiceSurfaceFmt.FMT_32_xRGB,
        SpiceSurfaceFmt.FMT_32_ARGB,
        SpiceSurfaceFmt.FMT_16_555,
        SpiceSurfaceFmt.FMT_16_565,
    ],
)
async def test_the_client_shows_the_guests_framebuffer(surface_format, tmp_path):
    with DisplayBench(WIDTH, HEIGHT) as bench:
        bench.guest.destroy_primary()
        pixel = 2 if "16" in surface_format.name else 4
        bench.guest.create_primary(
            WIDTH, HEIGHT, format=surface_format, stride=pixel * WIDTH
        )
        worker = bench.worker
        async with running_server(worker.display, worker.cursor) as server:
            port = server.control.port
            await asyncio.to_thread(watch, bench, port, tmp_path, surface_format)


@pytest.mark.asyncio
@pytest.mark.skipif(
    missing_program("spicy-screenshot") is not None, reason="no spicy-screenshot"
)
async def test_the_first_thing_drawn_is_the_whole_screen(tmp_path):
    """spicy-screenshot saves what it has after the first message that draws."""
    width, height = 1920, 1080
    with DisplayBench(width, height, ram_size=64 << 20) as bench:
        rng = np.random.default_rng(1)
        pixels = rng.integers(0, 1 << 24, (height, width), np.uint32)
        area = QXLRect(0, 0, height, width)
        bench.draw(bench.guest.draw_copy, pixels.tobytes(), area)
        bench.flush()
        async with running_server(bench.worker.display, bench.worker.cursor) as server:
            port = str(server.control.port)
            shot = await asyncio.to_thread(
                spicy_screenshot,
                tmp_path,
                "-h",
                "127.0.0.1",
                "-p",
                port,
                "-w",
                "sekret",
            )
        assert shot.code == 0, shot.stderr
        assert shot.picture.rgb == rgb(pixels)


def rgb(words: np.ndarray) -> bytes:
    channels = [words >> shift & 0xFF for shift in (16, 8, 0)]
    return np.stack(channels, axis=-1).astype(np.uint8).tobytes()


def point(bench: DisplayBench, port: int) -> None:
    """Move the guest's pointer while a client looks."""
    with GtkClient(host="127.0.0.1", port=str(port), password="sekret") as client:
        client.wait("channel", channel="cursor:0", event="opened")
        for unique in (0, 7, 7):
            pixels = bytes([unique + 1]) * (4 * 24 * 16)
            bench.guest.set_cursor(pixels, 24, 16, hot_spot=(3, 4), unique=unique)
            client.wait("cursor-set", size=[24, 16], hot=[3, 4])
        bench.guest.move_cursor(30, 40)
        client.wait("cursor-move", x=30, y=40)
        bench.guest.hide_cursor()
        client.wait("cursor-hide")
        bench.guest.destroy_primary()
        client.wait("cursor-reset")
        bench.guest.create_primary(WIDTH, HEIGHT)
        bench.guest.set_cursor(bytes(4 * 8 * 8), 8, 8)
        client.wait("cursor-set", size=[8, 8])


@pytest.mark.asyncio
async def test_the_client_shows_the_guests_pointer():
    with DisplayBench(WIDTH, HEIGHT) as bench:
        worker = bench.worker
        async with running_server(worker.display, worker.cursor) as server:
            await asyncio.to_thread(point, bench, server.control.port)
