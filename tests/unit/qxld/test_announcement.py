"""What is told once clients can connect."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from qxld.announcement import Announcement, page_urls, say, uris
from qxld.config import SpiceConfig
from qxld.errors import QxldError

MONITOR = Path("/run/m")


@pytest.mark.parametrize(
    ("spice", "expected"),
    [
        (SpiceConfig(), ["spice://127.0.0.1:5930"]),
        (SpiceConfig(addr="", port=1), ["spice://127.0.0.1:1"]),
        (SpiceConfig(addr="::", port=1), ["spice://[::1]:1"]),
        (SpiceConfig(addr="fe80::1%eth0", port=1), ["spice://[fe80::1%eth0]:1"]),
        (
            SpiceConfig(port=1, tls_port=2, unix=Path("/s")),
            ["spice://127.0.0.1:1", "spice://127.0.0.1?tls-port=2", "spice+unix:///s"],
        ),
        (SpiceConfig(port=0, addr="h", tls_port=2), ["spice://h?tls-port=2"]),
    ],
)
def test_uris(spice, expected):
    assert uris(spice) == expected


HTML5 = Path("/usr/share/spice-html5")


@pytest.mark.parametrize(
    ("spice", "expected"),
    [
        (SpiceConfig(), []),
        (SpiceConfig(html5=HTML5), ["http://127.0.0.1:5930/spice_auto.html"]),
        (
            SpiceConfig(html5=HTML5, addr="::", port=1, tls_port=2),
            ["http://[::1]:1/spice_auto.html", "https://[::1]:2/spice_auto.html"],
        ),
        (
            SpiceConfig(html5=HTML5, tls_port=2, tls_channels=("main",)),
            ["https://127.0.0.1:2/spice_auto.html"],
        ),
        (SpiceConfig(html5=HTML5, port=0, unix=Path("/s")), []),
    ],
)
def test_pages(spice, expected):
    assert page_urls(spice) == expected


def test_pages_are_told(capsys):
    with Announcement(SpiceConfig(html5=HTML5)).made(MONITOR):
        assert capsys.readouterr().out.splitlines()[1] == (
            "browser: http://127.0.0.1:5930/spice_auto.html"
        )


def test_state_is_there_as_long_as_clients_can_connect(tmp_path, capsys):
    path = tmp_path / "state"
    with Announcement(SpiceConfig(), state=path).made(MONITOR, 77):
        assert json.loads(path.read_text()) == {
            "pid": os.getpid(),
            "qemu_pid": 77,
            "uris": ["spice://127.0.0.1:5930"],
            "monitor": "/run/m",
        }
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert capsys.readouterr().out == (
            "SPICE: spice://127.0.0.1:5930\nmonitor: /run/m\n"
        )
    assert not list(tmp_path.iterdir())


def test_state_that_somebody_removed(tmp_path):
    path = tmp_path / "state"
    with Announcement(SpiceConfig(), state=path).made(MONITOR):
        path.unlink()


def test_state_of_a_killed_one_is_forgotten(tmp_path):
    path = tmp_path / "state"
    announcement = Announcement(SpiceConfig(), state=path)
    announcement.forget()
    path.write_text("{}")
    announcement.forget()
    assert not path.exists()
    Announcement(SpiceConfig()).forget()
    Announcement(SpiceConfig(), state=Path("/dev/null")).forget()
    assert Path("/dev/null").exists()


def test_vv_file_has_the_password(tmp_path):
    (tmp_path / "secret").write_text("a ticket\n")
    spice = SpiceConfig(password_file=tmp_path / "secret")
    announcement = Announcement(spice, vv=tmp_path / "vm.vv")
    assert not (tmp_path / "vm.vv").exists()
    announcement.write_vv()
    assert "password=a ticket\n" in (tmp_path / "vm.vv").read_text()


def test_no_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    announcement = Announcement(SpiceConfig())
    announcement.write_vv()
    with announcement.made(MONITOR):
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("which", ["vv", "state"])
def test_file_that_cannot_be_written_is_told_at_once(tmp_path, which):
    with pytest.raises(QxldError, match="there is no folder"):
        Announcement(SpiceConfig(), **{which: tmp_path / "none" / "x"})


def test_full_output_ends_nothing(monkeypatch):
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        say("text")
        monkeypatch.undo()
        with pytest.raises(OSError, match="No space"):
            full.close()
