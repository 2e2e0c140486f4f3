"""A device recorded on its way to the worker."""

from __future__ import annotations

import asyncio
import logging
from itertools import count

import pytest

from qxl_device import recorder
from qxl_device.recorder import DeviceRecorder
from spice_common.command_batch import CommandBatch
from spice_common.cursor_command import CursorCommand
from spice_protocol.qxl_dev import QxlCursorCmdType
from tests.fakes.recording_worker import RecordingWorker
from vd_interfaces.qxl import MonitorsConfig, PrimarySurface, Rect

STARTED = "SPICE_REPLAY 1\nevent 0 1 8 0\n"


class Sink:
    """A RecordSink that keeps the text."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.broken = False

    def put(self, data: object) -> bool:
        if not self.broken:
            self.pieces.append(bytes(data).decode())  # type: ignore[call-overload]
        return not self.broken

    def text(self) -> str:
        return "".join(self.pieces)


class Device:
    """A QXLInterface with some cursor commands and no others."""

    id = 3

    def __init__(self) -> None:
        self.calls: list[object] = []
        self.worker: object = None
        self.cursors = [CursorCommand(QxlCursorCmdType.HIDE)]

    def attach(self, worker, loop):
        self.worker = worker
        self.calls.append(("attach", loop))

    def detach(self):
        self.calls.append("detach")

    def get_commands(self, batch):
        self.calls.append("get_commands")
        batch.clear()
        return 0

    def release_commands(self, batch):
        self.calls.append(("release_commands", batch))

    def get_cursor_command(self):
        return self.cursors.pop() if self.cursors else None

    def flush_resources(self):
        return 7

    def set_client_capabilities(self, present, capabilities):
        self.calls.append((present, capabilities))

    def client_monitors_config(self, config):
        return config is None


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def device() -> Device:
    return Device()


@pytest.fixture
def recorded(device, sink) -> DeviceRecorder:
    return DeviceRecorder(device, sink, clock=count().__next__)


@pytest.fixture
def worker() -> RecordingWorker:
    return RecordingWorker()


@pytest.fixture
def loop():
    made = asyncio.new_event_loop()
    yield made
    made.close()


def test_it_is_the_device(recorded, device, worker, loop):
    batch = CommandBatch()
    recorded.attach(worker, loop)
    assert recorded.id == 3
    assert recorded.get_commands(batch) == 0
    recorded.release_commands(batch)
    assert recorded.flush_resources() == 7
    recorded.set_client_capabilities(True, b"caps")
    assert recorded.client_monitors_config(None)
    recorded.detach()
    assert device.calls == [
        ("attach", loop),
        "get_commands",
        ("release_commands", batch),
        (True, b"caps"),
        "detach",
    ]


def test_what_the_device_asks_for(recorded, device, sink, worker, loop):
    recorded.attach(worker, loop)
    surface = PrimarySurface(1, 1, 4, 32, 0, memoryview(bytearray(b"1234")))
    asked = device.worker
    asked.create_primary_surface(surface)
    asked.wakeup()
    asked.oom()
    asked.update_area(0, Rect(0, 0, 1, 1))
    asked.monitors_config(MonitorsConfig([], 0))
    asked.reset_cursor()
    asked.reset_image_cache()
    asked.flush_surfaces()
    asked.destroy_surface(5)
    asked.destroy_primary_surface()
    asked.destroy_surfaces()
    recorded.detach()
    # What ends a surface comes after what was drawn on it.
    assert worker.names() == [
        "flush_surfaces", "create_primary_surface", "wakeup", "oom", "update_area",
        "monitors_config", "reset_cursor", "reset_image_cache", "flush_surfaces",
        "flush_surfaces", "destroy_surface",
        "flush_surfaces", "destroy_primary_surface",
        "flush_surfaces", "destroy_surfaces",
    ]  # fmt: skip
    numbers = (3, 1, 35, 22, 23, 32, 24, 21, 19, 9)
    assert sink.text() == (
        STARTED
        + "event 1 1 20 1\n1 1 4 32\n0 1 0 0\nbinary 0 data 4:1234\n"
        + "".join(f"event {n} 1 {kind} {n}\n" for n, kind in enumerate(numbers, 2))
    )


def test_what_is_recorded_is_passed_on_when_the_ring_is_empty(
    recorded, sink, worker, loop
):
    recorded.attach(worker, loop)
    assert recorded.get_cursor_command() is not None
    assert recorded.get_cursor_command() is None
    assert sink.text() == ""
    recorded.get_commands(CommandBatch())
    assert sink.text() == STARTED + "event 1 0 3 1\ncursor_cmd\ntype 2\n"
    recorded.get_commands(CommandBatch())
    assert len(sink.pieces) == 1


def test_what_is_long_is_passed_on_at_once(
    recorded, device, sink, worker, loop, monkeypatch
):
    monkeypatch.setattr(recorder, "PIECE_SIZE", 40)
    recorded.attach(worker, loop)
    assert sink.text() == ""
    device.worker.oom()
    assert sink.text() == STARTED + "event 1 1 3 1\n"


def test_a_sink_that_is_broken(recorded, device, sink, worker, loop):
    sink.broken = True
    recorded.attach(worker, loop)
    recorded.get_commands(CommandBatch())
    sink.broken = False
    device.worker.oom()
    recorded.get_cursor_command()
    recorded.detach()
    assert sink.text() == ""
    assert worker.names() == ["oom"]


def test_too_much_for_a_record(device, sink, worker, loop, monkeypatch, caplog):
    monkeypatch.setattr(recorder, "MAX_SIZE", 35)
    recorded = DeviceRecorder(device, sink, clock=count().__next__)
    with caplog.at_level(logging.ERROR):
        recorded.attach(worker, loop)
        device.worker.oom()
        device.worker.oom()
    assert sink.text() == STARTED
    assert [record.getMessage() for record in caplog.records] == [
        "display 3: the record ends here: more is drawn than can be written"
    ]
    assert worker.names() == ["oom", "oom"]
