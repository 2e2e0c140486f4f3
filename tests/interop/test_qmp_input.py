"""A client's input in a real QEMU: its trace and a guest's screen are the judges."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from qmp_bridge.input_events import QmpInputSink
from qmp_bridge.proxy import Bridge
from tests.fakes.qmp_client import QmpClient
from tests.fakes.spice_control import FakeSpiceControl
from tests.peers.plain_qemu import PlainQemu, missing
from tests.peers.stock_qemu import boot_sector
from vd_interfaces.qxl import Rect

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.interop,
    pytest.mark.skipif(bool(missing()), reason=missing()),
]

PATIENCE_S = 300.0
"""Ends a hang; a loaded machine is never that slow."""


class Machine:
    """A guest with a PS/2 keyboard and mouse and a virtio tablet; a sink for it."""

    def __init__(self, bridge: Bridge, client: QmpClient, log: Path) -> None:
        self.sink = QmpInputSink(bridge.link.pipe())
        self.client = client
        self.log = log

    async def trace(self) -> list[str]:
        """What QEMU did with what was sent so far."""
        # Its commands are executed in order; the answer comes when it is done.
        while self.sink._in_flight or self.sink._pending:
            await self.client.ask({"execute": "query-name"})
        lines = self.log.read_text().splitlines()
        events = [re.sub(r"^(\d+@[\d.]+:)?input_event_", "", line) for line in lines]
        return [
            event
            for event in events
            if event.startswith(("key_qcode", "btn", "rel", "abs", "sync"))
        ]


@pytest_asyncio.fixture
async def machine(tmp_path):
    log = tmp_path / "trace.log"
    image = boot_sector(tmp_path)
    qemu = PlainQemu(tmp_path / "behind.sock", (
        "-machine", "pc", "-m", "16", "-nodefaults", "-vga", "std",
        "-drive", f"file={image},format=raw,if=floppy,readonly=on", "-boot", "a",
        "-device", "usb-ehci", "-device", "usb-tablet",
        "-trace", "input_event_*", "-D", str(log),
    ))  # fmt: skip
    control = FakeSpiceControl()
    bridge = Bridge(tmp_path / "behind.sock", tmp_path / "bridge.sock", control)
    await asyncio.wait_for(bridge.start(), PATIENCE_S)
    client = await QmpClient.connect(tmp_path / "bridge.sock")
    yield Machine(bridge, client, log)
    client.close()
    bridge.stop()
    qemu.close()


KEYS = {
    "01 81": "esc", "1e 9e": "a", "39 b9": "spc", "1c 9c": "ret", "2a aa": "shift",
    "36 b6": "shift_r", "1d 9d": "ctrl", "e0 1d e0 9d": "ctrl_r", "38 b8": "alt",
    "e0 38 e0 b8": "alt_r", "e0 5b e0 db": "meta_l", "e0 48 e0 c8": "up",
    "e0 53 e0 d3": "delete", "53 d3": "kp_decimal", "e0 1c e0 9c": "kp_enter",
    "3b bb": "f1", "58 d8": "f12", "e0 37 e0 b7": "print", "54 d4": "print",
    "e1 1d 45 e1 9d c5": "pause", "e0 46 e0 c6": "pause", "45 c5": "num_lock",
    "56 d6": "less", "73 f3": "ro", "7d fd": "yen", "e0 20 e0 a0": "audiomute",
    "e0 5d e0 dd": "compose",
}  # fmt: skip


async def test_scancodes_are_the_keys_that_qemu_knows(machine):
    for codes in KEYS:
        for byte in bytes.fromhex(codes):
            machine.sink.push_scancode(byte)
    expected = [
        f"con -1, key qcode {name}, down {down}"
        for name in KEYS.values()
        for down in (1, 0)
    ]
    trace = [
        line.partition(" ")[2] for line in await machine.trace() if "qcode" in line
    ]
    assert trace == expected
    assert machine.sink.refused == 0


async def test_pointer_events_in_qemu(machine):
    sink = machine.sink
    sink.set_displays({0: Rect(0, 0, 480, 640)})
    sink.position(320, 120, 0, 0)
    sink.motion(5, -7, 0, 1)
    sink.motion(0, 0, -1, 1)
    for mask in (1 | 2, 1 | 4, 1 | 16, 1 | 32, 1 | 64, 0):
        sink.buttons(mask)
    trace = await machine.trace()
    assert [line.split("con -1, ")[-1] for line in trace if "sync" not in line] == [
        "axis x, value 0x4019", "axis y, value 0x2022",
        "button left, down 1", "axis x, value 5", "axis y, value -7",
        "button wheel-up, down 1", "button wheel-up, down 0",
        "axis x, value 0", "axis y, value 0",
        "button middle, down 1",
        "button middle, down 0", "button right, down 1",
        "button right, down 0", "button wheel-down, down 1", "button wheel-down, down 0",
        "button side, down 1",
        "button side, down 0", "button extra, down 1",
        "button left, down 0", "button extra, down 0",
    ]  # fmt: skip
    assert len([line for line in trace if line.startswith("sync")]) == 9
    assert sink.refused == 0


async def _screen(machine, tmp_path) -> str:
    """The characters that the guest's text mode shows."""
    file = tmp_path / "characters"
    arguments = {"val": 0xB8000, "size": 80 * 25 * 2, "filename": str(file)}
    answer = await machine.client.ask({"execute": "pmemsave", "arguments": arguments})
    assert answer == {"return": {}}
    return file.read_bytes()[::2].decode("cp437").replace("\0", " ")


async def _shows(machine, tmp_path, text: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while text not in await _screen(machine, tmp_path):
            pass  # QEMU's answer is the pause


SCANCODES = dict(zip("qwertyuiop", range(0x10, 0x1A), strict=True)) | dict(
    zip("asdfghjkl", range(0x1E, 0x27), strict=True)
)


async def test_typed_keys_show_on_the_guests_screen(machine, tmp_path):
    await _shows(machine, tmp_path, "ready")
    for word in ("typed", "here"):
        for letter in word:
            machine.sink.push_scancode(SCANCODES[letter])
            machine.sink.push_scancode(SCANCODES[letter] | 0x80)
        await _shows(machine, tmp_path, word)


async def test_the_tablet_counts_once_the_guest_uses_it(machine):
    """The boot sector has no USB driver: the PS/2 mouse is the guest's."""
    changed = asyncio.Event()
    machine.sink.on_change(changed.set)
    machine.sink.refresh()
    await machine.trace()
    await machine.client.ask({"execute": "query-name"})
    assert not machine.sink.has_tablet
    mice = (await machine.client.ask({"execute": "query-mice"}))["return"]
    tablet = next(mouse["index"] for mouse in mice if mouse["absolute"])
    # What a guest's driver does by using it.
    arguments = {"command-line": f"mouse_set {tablet}"}
    await machine.client.ask(
        {"execute": "human-monitor-command", "arguments": arguments}
    )
    machine.sink.refresh()
    await changed.wait()
    assert machine.sink.has_tablet
