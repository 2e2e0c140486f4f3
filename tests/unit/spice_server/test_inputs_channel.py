from __future__ import annotations

import struct

import pytest
import pytest_asyncio

from tests.fakes.input_sink import RecordingSink
from tests.fakes.raw_client import RawClient
from tests.fakes.spice_channels import running_server

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("close_clients")]

INIT, KEY_MODIFIERS, MOTION_ACK = 101, 102, 111
KEY_DOWN, KEY_UP, MODIFIERS, SCANCODE = 101, 102, 103, 104
MOTION, POSITION, PRESS, RELEASE = 111, 112, 113, 114
NUM = 2


class Bench:
    """A client with its inputs channel."""

    def __init__(self, server, sink):
        self.server = server
        self.sink = sink
        self.port = server.control.port

    async def connect(self):
        self.main = await RawClient.tcp(self.port)
        assert await self.main.link(1, password="sekret") == 0
        session_id = struct.unpack_from("<I", (await self.main.receive())[1])[0]
        self.inputs = await RawClient.tcp(self.port)
        assert await self.inputs.link(3, 0, session_id, password="sekret") == 0
        self.init = await self.inputs.receive()
        return self

    async def settle(self):
        """Wait until everything sent so far was handled."""
        for _ in range(4):
            self.inputs.send(MOTION, struct.pack("<iiH", 0, 0, 0))
        await self.inputs.expect(MOTION_ACK)
        zero = ("motion", 0, 0, 0, 0)
        return [call for call in self.sink.calls if call != zero]

    def close(self):
        self.main.close()
        self.inputs.close()


@pytest_asyncio.fixture
async def bench(request):
    sink = RecordingSink(**getattr(request, "param", {}))
    async with running_server(sink=sink, multi_client=True) as server:
        bench = await Bench(server, sink).connect()
        yield bench
        bench.close()


@pytest.mark.parametrize("bench", [{"leds": 6}], indirect=True)
async def test_init_tells_the_lock_keys(bench):
    assert bench.init == (INIT, b"\6\0")


@pytest.mark.parametrize(
    ("kind", "body", "codes"),
    [
        (KEY_DOWN, "1e000000", "1e"),
        (KEY_UP, "9e000000", "9e"),
        (KEY_DOWN, "e0480000", "e048"),
        (KEY_UP, "e0c80000", "e0c8"),
        (KEY_DOWN, "e11d4500", "e11d45"),
        (KEY_DOWN, "00000000", ""),
        (KEY_DOWN, "01020304", "01020304"),
        (KEY_DOWN, "1e001e00", "1e"),
        (SCANCODE, "1c9c", "1c9c"),
        (SCANCODE, "e048e0c8", "e048e0c8"),
        (SCANCODE, "", ""),
    ],
)
async def test_keys_reach_the_guest(bench, kind, body, codes):
    bench.inputs.send(kind, bytes.fromhex(body))
    await bench.settle()
    assert bench.sink.scancodes == bytes.fromhex(codes)


async def test_lock_keys_are_synchronised_once(bench):
    for _ in range(3):
        bench.inputs.send(MODIFIERS, struct.pack("<H", NUM))
    assert await bench.inputs.expect(KEY_MODIFIERS) == b"\2\0"
    await bench.settle()
    assert bench.sink.scancodes == bytes.fromhex("45c5")


async def test_clients_learn_what_the_guest_shows(bench):
    bench.sink.change(leds=4)
    assert await bench.inputs.receive() == (KEY_MODIFIERS, b"\4\0")
    bench.sink.change(leds=4)
    bench.sink.change(leds=1)
    assert await bench.inputs.receive() == (KEY_MODIFIERS, b"\1\0")


async def test_positions_count_in_client_mode(bench):
    bench.inputs.send(POSITION, struct.pack("<IIHB", 640, 480, 1, 0))
    bench.inputs.send(MOTION, struct.pack("<iiH", 5, -5, 0))
    assert await bench.settle() == [("position", 640, 480, 1, 0)]


@pytest.mark.parametrize("bench", [{"has_tablet": False}], indirect=True)
async def test_motion_counts_in_server_mode(bench):
    bench.inputs.send(MOTION, struct.pack("<iiH", -(2**31), 2**31 - 1, 4))
    bench.inputs.send(POSITION, struct.pack("<IIHB", 640, 480, 1, 0))
    assert await bench.settle() == [("motion", -(2**31), 2**31 - 1, 0, 4)]


async def test_four_of_either_are_acknowledged(bench):
    for kind, body in (
        (MOTION, struct.pack("<iiH", 1, 1, 0)),
        (POSITION, struct.pack("<IIHB", 1, 1, 0, 0)),
    ) * 4:
        bench.inputs.send(kind, body)
    assert await bench.inputs.receive() == (MOTION_ACK, b"")
    assert await bench.inputs.receive() == (MOTION_ACK, b"")
    bench.sink.change(leds=1)
    assert (await bench.inputs.receive())[0] == KEY_MODIFIERS


@pytest.mark.parametrize(
    ("button", "state", "pressed", "released"),
    [
        (1, 0, 1, 0),
        (1, 1, 1, 0),
        (2, 0, 2, 0),
        (3, 1, 5, 1),
        (4, 0, 8, 0),
        (5, 4, 20, 4),
        (6, 0, 32, 0),
        (7, 0, 64, 0),
        (0, 3, 3, 3),
        (8, 3, 3, 3),
        (255, 0, 0, 0),
    ],
)
async def test_buttons(bench, button, state, pressed, released):
    body = struct.pack("<BH", button, state)
    bench.inputs.send(PRESS, body)
    bench.inputs.send(RELEASE, body)
    assert await bench.settle() == [("buttons", pressed), ("buttons", released)]


async def test_what_a_client_held_down_is_released_when_it_leaves(bench):
    bench.inputs.send(KEY_DOWN, b"\x1d\0\0\0")
    await bench.settle()
    bench.main.close()
    await bench.inputs.rest()
    assert bench.sink.calls[-1] == ("release_all",)


@pytest.mark.parametrize(
    ("kind", "body", "line"),
    [
        (SCANCODE, bytes(33), "INPUTS.KEY_SCANCODE(104): 33 bytes, at most 32"),
        (KEY_DOWN, b"\1", "INPUTS.KEY_DOWN(101): "),
        (POSITION, bytes(10), "INPUTS.MOUSE_POSITION(112): "),
        (110, b"", "INPUTS.unknown(110): not allowed on this channel"),
        (5, b"", "INPUTS.MIGRATE_DATA(5): not allowed on this channel"),
    ],
)
async def test_what_is_wrong_ends_the_channel_only(bench, caplog, kind, body, line):
    bench.inputs.send(kind, body)
    await bench.inputs.rest()
    assert line in caplog.text
    bench.main.send(104)
    await bench.main.expect(104)
