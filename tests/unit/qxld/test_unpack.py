"""Reading recorded files."""

from __future__ import annotations

import io
import random

import pytest
import zstandard

from qxld.unpack import RecordedFile, unpack


def read(file: RecordedFile, size: int = 10) -> bytes:
    data = b""
    buffer = bytearray(size)
    while count := file.readinto(memoryview(buffer)):
        data += buffer[:count]
    return data


@pytest.fixture
def opened(tmp_path):
    files = []

    def make(content: bytes) -> RecordedFile:
        path = tmp_path / "file"
        path.write_bytes(content)
        files.append(RecordedFile(path))
        return files[-1]

    yield make
    for file in files:
        file.close()


def test_plain(opened):
    file = opened(b"SPICE_REPLAY 1\n" + bytes(range(256)))
    assert file.position() == 0
    assert read(file) == b"SPICE_REPLAY 1\n" + bytes(range(256))
    assert file.position() == 1
    assert file.problem() is None


def test_packed_by_zstd_in_several_frames(opened):
    packer = zstandard.ZstdCompressor()
    file = opened(packer.compress(b"first ") + packer.compress(bytes(100_000)))
    assert read(file, 5000) == b"first " + bytes(100_000)
    assert file.problem() is None
    assert file.position() == 1


@pytest.mark.parametrize("keep", [6, 30, 5000, 250_000])
def test_packed_and_cut_off(opened, keep):
    data = random.Random(1).randbytes(300_000)
    file = opened(zstandard.ZstdCompressor().compress(data)[:keep])
    assert data.startswith(read(file, 5000))
    assert file.problem() == "the packed file is cut off"


def test_packed_and_damaged(opened):
    packed = bytearray(
        zstandard.ZstdCompressor(level=1).compress(bytes(5000) + b"x" * 9)
    )
    packed[4:12] = b"\xff" * 8
    file = opened(bytes(packed))
    assert read(file) == b""
    assert file.problem()


def test_empty(opened):
    file = opened(b"")
    assert read(file) == b""
    assert file.position() == 1


def test_closed_before_its_end(opened):
    file = opened(zstandard.ZstdCompressor().compress(bytes(50_000_000)))
    assert file.readinto(memoryview(bytearray(10))) == 10


def test_a_reader_who_has_seen_enough(opened):
    file = opened(zstandard.ZstdCompressor().compress(bytes(50_000_000)))
    assert file.readinto(memoryview(bytearray(10))) == 10
    assert file.problem() is None


def test_absent(tmp_path):
    with pytest.raises(FileNotFoundError):
        RecordedFile(tmp_path / "absent")


def test_unpack():
    plain = io.BytesIO()
    unpack(io.BytesIO(zstandard.ZstdCompressor().compress(b"text")), plain)
    assert plain.getvalue() == b"text"
    with pytest.raises(zstandard.ZstdError):
        unpack(io.BytesIO(b"no zstd at all, this is"), plain)
