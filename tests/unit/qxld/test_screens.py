"""Pictures of our displays in files."""

from __future__ import annotations

import asyncio
import errno
import os
from concurrent.futures import Future

import pytest
from PIL import Image

from qxld.screens import ScreenFiles
from spice_server.display.screenshot import Screenshot

pytestmark = pytest.mark.asyncio

SHOWN = Screenshot(2, 1, bytes([1, 2, 3, 255, 4, 5, 6, 0]))  # BGRx
RGB = bytes([3, 2, 1, 6, 5, 4])


class Display:
    def __init__(self, shown=SHOWN) -> None:
        self.shown = shown

    def screenshot(self):
        future = Future()
        if isinstance(self.shown, Exception):
            future.set_exception(self.shown)
        else:
            future.set_result(self.shown)
        return future


async def dump(display, path, file_format="ppm", head=0):
    screens = ScreenFiles([display] * 2, "qxld0")
    done = asyncio.get_running_loop().create_future()
    screens.dump(head, str(path), file_format, done.set_result)
    return await done


async def test_whose_device_it_is():
    screens = ScreenFiles([Display()] * 3, "qxld0")
    assert screens.heads("qxld0") == 3
    assert screens.heads(None) == 3
    assert screens.heads("video0") == 0


@pytest.mark.parametrize("file_format", ["ppm", "png"])
async def test_a_picture(tmp_path, file_format):
    path = tmp_path / "picture"
    path.write_bytes(bytes(9999))
    assert await dump(Display(), path, file_format, head=1) is None
    with Image.open(path) as image:
        assert image.format == file_format.upper()
        assert image.size == (2, 1)
        assert image.tobytes() == RGB


async def test_nothing_shown(tmp_path):
    error = await dump(Display(None), tmp_path / "x")
    assert error.errno is None
    assert str(error) == "no surface"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("no/where", errno.ENOENT),
        (".", errno.EISDIR),
        ("a\0b", errno.EINVAL),
        ("a\ud800", errno.EINVAL),
        ("pipe", errno.ENXIO),  # else it would wait for a reader
    ],
)
async def test_a_file_that_cannot_be_made(tmp_path, name, number):
    os.mkfifo(tmp_path / "pipe")
    assert (await dump(Display(), f"{tmp_path}/{name}")).errno == number


async def test_a_mistake_of_ours(tmp_path, caplog):
    error = await dump(Display(ValueError("oops")), tmp_path / "x")
    assert error.errno == errno.EIO
    assert "no screendump of display 0" in caplog.text


async def test_a_worker_that_has_ended(tmp_path):
    display = Display()
    ended = Future()
    ended.cancel()
    display.screenshot = lambda: ended
    assert (await dump(display, tmp_path / "x")).errno is None


async def test_one_at_a_time(tmp_path):
    display = Display()
    waiting = [Future(), Future()]
    display.screenshot = lambda: waiting.pop(0)
    first, second = waiting
    screens = ScreenFiles([display], "qxld0")
    done = [asyncio.get_running_loop().create_future() for _ in range(2)]
    for number, future in enumerate(done):
        screens.dump(0, str(tmp_path / str(number)), "ppm", future.set_result)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert waiting == [second]
    first.set_result(SHOWN)
    assert await done[0] is None
    second.set_result(SHOWN)
    assert await done[1] is None
