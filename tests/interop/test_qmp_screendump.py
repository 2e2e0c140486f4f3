"""screendump of a display of ours beside QEMU's own, both at one monitor."""

from __future__ import annotations

import asyncio
import json

import pytest
import pytest_asyncio
from PIL import Image

from examples.draw_to_a_client import BARS, HEIGHT, WIDTH, draw
from qmp_bridge.proxy import Bridge
from qxl_device.device import QXLDevice
from qxld.screens import ScreenFiles
from spice_server.display.worker import DisplayWorker
from tests.fakes.qmp_client import QmpClient
from tests.fakes.spice_control import FakeSpiceControl
from tests.peers.newer_qemu import newer_qemu
from tests.peers.plain_qemu import PlainQemu, Program, missing, without_spice
from vm_transport.in_process import InProcessTransport

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.interop,
    pytest.mark.skipif(bool(missing()), reason=missing()),
]

MACHINE = ("-machine", "pc", "-m", "16", "-nodefaults", "-S")
VGA = ("-device", "VGA,id=video0")


class Rig:
    def __init__(self, folder, version) -> None:
        self.folder, self.version = folder, version
        self.transport = InProcessTransport()
        self.worker = DisplayWorker(QXLDevice(self.transport))

    async def start(self, *options: str) -> None:
        program = (
            without_spice(self.folder)
            if self.version == "7.2"
            else Program([str(newer_qemu("plain"))])
        )
        self.qemu = PlainQemu(self.folder / "qemu", (*MACHINE, *options), program)
        self.bridge = Bridge(
            self.folder / "qemu",
            self.folder / "bridge",
            FakeSpiceControl(),
            screens=ScreenFiles([self.worker], "qxld0"),
        )
        await self.bridge.start()
        self.client = await QmpClient.connect(self.folder / "bridge")

    async def stop(self) -> None:
        self.client.close()
        self.bridge.stop()
        await asyncio.to_thread(self.qemu.close)

    async def dump(self, name: str, **arguments: object):
        """Take a picture; what it shows, or the error's text."""
        path = self.folder / name
        arguments = {"filename": str(path), **arguments}
        answer = await self.client.ask(
            {"execute": "screendump", "arguments": arguments}
        )
        return answer["error"]["desc"] if "error" in answer else _look(path)

    async def human(self, line: str) -> str:
        arguments = {"command-line": line}
        command = {"execute": "human-monitor-command", "arguments": arguments}
        return (await self.client.ask(command))["return"]


def _look(path):
    with Image.open(path) as image:
        middle = [
            image.getpixel(((2 * bar + 1) * image.width // 16, image.height // 2))
            for bar in range(8)
        ]
        return image.format, image.size, middle


PICTURE = [(color >> 16, color >> 8 & 255, color & 255) for color in BARS]


@pytest_asyncio.fixture(params=["7.2", "11.1"])
async def rig(request, tmp_path):
    rig = Rig(tmp_path, request.param)
    rig.worker.start()
    yield rig
    await rig.stop()
    await asyncio.to_thread(rig.worker.stop)


async def test_two_displays(rig):
    await rig.start(*VGA)
    size = (WIDTH, HEIGHT)
    # Until the guest shows something on ours, it is QEMU's that is meant.
    assert (await rig.dump("a.ppm"))[2] != PICTURE
    assert await rig.dump("b.ppm", device="qxld0") == "no surface"
    await asyncio.to_thread(draw, rig.transport)
    assert await rig.dump("c.ppm") == ("PPM", size, PICTURE)
    shown = await rig.dump("d.png", device="qxld0", head=0, format="png")
    assert shown == ("PNG", size, PICTURE)
    assert (await rig.dump("e.ppm", device="video0"))[2] != PICTURE
    assert await rig.human(f"screendump {rig.folder}/f.png -f png qxld0") == ""
    assert _look(rig.folder / "f.png") == ("PNG", size, PICTURE)
    assert await rig.human(f"screendump {rig.folder}/g.ppm") == ""
    assert _look(rig.folder / "g.ppm") == ("PPM", size, PICTURE)


async def test_the_same_words_for_both(rig):
    await rig.start(*VGA)
    await asyncio.to_thread(draw, rig.transport)
    for name in ("no/where", "."):
        ours = await rig.dump(name, device="qxld0")
        assert ours == await rig.dump(name, device="video0"), json.dumps(name)
    ours = await rig.dump("x", device="qxld0", head=3)
    theirs = await rig.dump("x", device="video0", head=3)
    assert ours.replace("qxld0", "video0") == theirs


async def test_no_display_of_qemus(rig):
    await rig.start()
    nothing = "There is no console to take a screendump from"
    assert await rig.dump("a.ppm") == nothing
    await asyncio.to_thread(draw, rig.transport)
    assert await rig.dump("a.ppm") == ("PPM", (WIDTH, HEIGHT), PICTURE)
