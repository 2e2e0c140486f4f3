"""The guest that plays a recorded file, on a device that a worker serves."""

from __future__ import annotations

import contextlib
from threading import Event

import pytest

from qxl_device.device import QXLDevice
from qxld.replay_guest import ReplayError, ReplayGuest
from qxld.unpack import RecordedFile
from spice_protocol.qxl_dev import QxlIo
from spice_server.display.compression import Compression
from spice_server.display.worker import DisplayWorker
from tests.fakes.replay_text import create_primary, fill, message, replay_file
from vm_transport.in_process import InProcessTransport

HANG = 120.0
"""Seconds after which a test has failed because something hangs."""
MIB = 1 << 20
START = (message(22), create_primary(64, 48))
FILLS = [fill(x, 0, x + 1, 48, x) for x in range(60)]


@pytest.fixture
def transport():
    """Let a worker serve a device, which draws and gives everything back."""
    transport = InProcessTransport(ram_size=16 * MIB, vram_size=4 * MIB)
    worker = DisplayWorker(QXLDevice(transport, 0), Compression())
    worker.start()
    yield transport
    worker.stop()
    transport.close()


@pytest.fixture
def play(transport, tmp_path):
    """Play a file's content to its end; the guest."""
    with contextlib.ExitStack() as files:

        def run(content: bytes, **options: float) -> ReplayGuest:
            path = tmp_path / "file.qxlrec"
            path.write_bytes(content)
            file = files.enter_context(contextlib.closing(RecordedFile(path)))
            guest = ReplayGuest(transport, file, **options)
            ended = Event()
            guest.start(ended.set)
            assert ended.wait(HANG)
            guest.stop()
            return guest

        yield run


def test_everything_is_played_and_comes_back(play):
    guest = play(replay_file(*START, *FILLS))
    assert guest.error is None
    assert guest.replay.commands == guest.replay.released == len(FILLS)
    assert guest.replay.in_flight == 0
    assert guest.played_seconds > 0
    assert guest.cpu_seconds > 0


def test_pauses_are_as_long_as_asked(play):
    """A thousand times faster than a pause of a quarter of an hour, cut to 20 s."""
    late = fill(0, 0, 1, 1, 1, after=900.0)
    guest = play(replay_file(*START, late), pace=1000.0, max_gap=20.0)
    assert guest.error is None
    assert guest.replay.commands == 1
    assert guest.played_seconds >= 0.02
    assert guest.replay.clock_ns <= 20e9


def test_a_damaged_file_is_told_with_the_place(play):
    whole = replay_file(*START, *FILLS)
    guest = play(whole + b"junk\n")
    assert isinstance(guest.error, ReplayError)
    assert f"the {len(FILLS)} commands before it were played" in str(guest.error)
    assert str(guest.error).startswith(f"byte {guest.replay.offset}: ")
    assert guest.replay.in_flight == 0, "the device drew them all the same"


def test_a_file_that_cannot_be_read(transport):
    class Unreadable:
        def readinto(self, _room):
            raise OSError("the disk is gone")

        def problem(self):
            return None

    guest = ReplayGuest(transport, Unreadable())
    ended = Event()
    guest.start(ended.set)
    assert ended.wait(HANG)
    guest.stop()
    assert str(guest.error) == "OSError: the disk is gone"


def test_a_device_that_refuses(play, transport, monkeypatch):
    monkeypatch.setattr(transport, "guest_io_write", lambda _port, _value: False)
    assert str(play(replay_file(*START)).error) == (
        f"the device refused QXL_IO_{QxlIo.MEMSLOT_ADD.name}"
    )


def test_it_can_be_stopped_while_it_waits(transport, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(replay_file(*START, fill(0, 0, 1, 1, 1, after=1e6)))
    with contextlib.closing(RecordedFile(path)) as file:
        guest = ReplayGuest(transport, file, pace=1.0)
        ended = Event()
        guest.start(ended.set)
        guest.stop()
        assert ended.is_set()
    assert guest.error is None, "it was asked for"
    assert guest.replay.commands == 0


def test_one_that_was_never_started_can_be_stopped(transport):
    ReplayGuest(transport, None).stop()
