"""Files that records are written to."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import zstandard

from qxl_device.recorder import DeviceRecorder
from qxld import record
from qxld.record import RecordFile, Recording


class Device:
    """Enough of a device."""

    def __init__(self, number: int) -> None:
        self.id = number

    def detach(self) -> None:
        pass


def test_plain(tmp_path):
    path = tmp_path / "file.qxlrec"
    file = RecordFile(path)
    assert file.put(b"some ")
    assert file.put(memoryview(b"text"))
    file.close()
    assert path.read_bytes() == b"some text"
    assert path.stat().st_mode & 0o777 == 0o600


def test_packed(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "FLUSH_INTERVAL", 0.0)
    path = tmp_path / "file.qxlrec.zst"
    file = RecordFile(path)
    assert file.put(b"some ")
    assert file.put(b"text")
    file.close()
    with path.open("rb") as packed:
        assert zstandard.ZstdDecompressor().stream_reader(packed).read() == b"some text"


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(FileNotFoundError):
        RecordFile(tmp_path / "absent" / "file")


def test_a_full_disk(caplog):
    file = RecordFile(Path("/dev/full"))
    with caplog.at_level(logging.ERROR):
        file.put(bytes(1 << 20))
        file.close()
    assert "/dev/full: the record ends here: No space left" in caplog.text
    assert not file.put(b"more")


def test_a_slow_disk(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(record, "MAX_WAITING", 10)
    file = RecordFile(tmp_path / "file")
    with file._changed, caplog.at_level(logging.ERROR):
        assert file.put(bytes(100))  # what is alone may be long
        assert not file.put(b"x")
        assert not file.put(b"x")
    file.close()
    assert caplog.text.count("the record ends here: the disk is too slow") == 1
    assert (tmp_path / "file").read_bytes() == bytes(100)


def test_patience_with_a_slow_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "MAX_WAITING", 10)
    file = RecordFile(tmp_path / "file", patient=True)
    for number in range(50):
        assert file.put(bytes([number]) * 8)
    file.close()
    assert len((tmp_path / "file").read_bytes()) == 400


def test_recording_of_displays(tmp_path):
    recording = Recording(tmp_path / "vm.qxlrec.zst")
    devices = [recording.recorded(Device(number)) for number in range(2)]
    for device in devices:
        assert isinstance(device, DeviceRecorder)
        device.detach()
    recording.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["vm-1.qxlrec.zst", "vm.qxlrec.zst"]


def test_no_recording():
    recording = Recording(None)
    device = Device(0)
    assert recording.recorded(device) is device
    recording.close()
