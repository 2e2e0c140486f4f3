"""The folder of the sockets."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from qxld.errors import QxldError
from qxld.runtime_dir import MAX_SOCKET_PATH, qemu_monitor_path, runtime_dir


def test_fresh_one_goes_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with runtime_dir(None) as folder:
        assert folder.parent == tmp_path
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "left").touch()
    assert not list(tmp_path.iterdir())


def test_fresh_one_goes_after_a_failure(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(ZeroDivisionError), runtime_dir(None):
        _ = 1 / 0
    assert not list(tmp_path.iterdir())


def test_wanted_one_is_made_and_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wanted = tmp_path / "a" / "b"
    with runtime_dir(wanted.relative_to(tmp_path)) as folder:
        assert folder == wanted
        assert stat.S_IMODE(wanted.stat().st_mode) == 0o700
    assert wanted.is_dir()
    with runtime_dir(wanted):
        pass


def test_one_at_a_time(tmp_path):
    with (
        runtime_dir(tmp_path),
        pytest.raises(QxldError, match="another qxld uses it"),
        runtime_dir(tmp_path),
    ):
        pass
    with runtime_dir(tmp_path):
        pass


def test_dead_one_is_in_nobodys_way(tmp_path):
    script = (
        "import os, pathlib; from qxld.runtime_dir import runtime_dir\n"
        f"with runtime_dir(pathlib.Path({str(tmp_path)!r})): os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 9
    with runtime_dir(tmp_path):
        pass


def test_children_do_not_keep_the_lock(tmp_path):
    with runtime_dir(tmp_path):
        child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False)
    with runtime_dir(tmp_path):
        pass
    child.communicate()


@pytest.mark.parametrize(("length", "good"), [(0, True), (1, False)])
def test_length_of_socket_paths(tmp_path, length, good):
    room = MAX_SOCKET_PATH - len(os.fsencode(qemu_monitor_path(tmp_path)))
    wanted = tmp_path / ("x" * (room - 1 + length))
    if good:
        with runtime_dir(wanted) as folder:
            assert len(os.fsencode(qemu_monitor_path(folder))) == MAX_SOCKET_PATH
    else:
        with pytest.raises(QxldError, match="too long a path"), runtime_dir(wanted):
            pass


@pytest.mark.parametrize(
    ("name", "why"),
    [("file", "it exists and is no folder"), ("file/x", "Not a directory")],
)
def test_file_in_the_way(tmp_path, name, why):
    (tmp_path / "file").touch()
    with pytest.raises(QxldError, match=why), runtime_dir(tmp_path / name):
        pass


def test_no_place_for_a_fresh_one(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "none"))
    with (
        pytest.raises(QxldError, match=r"none/qxld-.*: No such file"),
        runtime_dir(None),
    ):
        pass


def test_folder_without_rights(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    with (
        pytest.raises(QxldError, match="nothing can be written there"),
        runtime_dir(tmp_path),
    ):
        pass
