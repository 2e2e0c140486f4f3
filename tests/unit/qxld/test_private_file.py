"""Files that are there as a whole, for their owner."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from qxld.errors import QxldError
from qxld.private_file import check_writable, write_private


def test_mode_whatever_the_umask(tmp_path):
    path = tmp_path / "x"
    before = os.umask(0)
    try:
        write_private(path, "text\n")
    finally:
        os.umask(before)
    assert path.read_text() == "text\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_replaces_a_file_that_others_could_read(tmp_path):
    path = tmp_path / "x"
    path.write_text("old and longer")
    path.chmod(0o644)
    with path.open() as reader:
        write_private(path, "new")
        assert reader.read() == "old and longer"
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_device_is_written_and_stays():
    before = Path("/dev/null").stat().st_mode
    check_writable(Path("/dev/null"))
    write_private(Path("/dev/null"), "text")
    assert Path("/dev/null").stat().st_mode == before
    with pytest.raises(QxldError, match=r"^/dev/full: No space left on device$"):
        write_private(Path("/dev/full"), "text")


def test_failure_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "x"
    path.write_text("old")

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(QxldError, match="x: No space left on device"):
        write_private(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_told_beforehand(tmp_path):
    check_writable(tmp_path / "x")
    with pytest.raises(QxldError, match="is a folder"):
        check_writable(tmp_path)
    with pytest.raises(QxldError, match=f"there is no folder {tmp_path}/none"):
        check_writable(tmp_path / "none" / "x")
    with pytest.raises(QxldError, match="No such file or directory"):
        write_private(tmp_path / "none" / "x", "text")


def test_folder_without_rights(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(QxldError, match="nothing can be written in"):
        check_writable(tmp_path / "x")
