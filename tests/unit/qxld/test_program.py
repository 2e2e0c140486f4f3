"""The program as a whole: exit codes, and one line for what went wrong."""

from __future__ import annotations

import socket

import pytest

from qmp_bridge.errors import MonitorSocketError, QemuGone
from qxld import program
from qxld.errors import QxldError, UsageError
from qxld.program import execute
from spice_server.errors import ListenError
from vd_interfaces.control import ControlError
from vm_transport.errors import AttachError, PeerError


@pytest.fixture(autouse=True)
def quiet_logging(monkeypatch):
    """Leave logging as pytest has it."""
    monkeypatch.setattr("logging.basicConfig", lambda **_: None)


@pytest.fixture
def failing(monkeypatch):
    def put(error: BaseException) -> None:
        def fail(_arguments):
            raise error

        monkeypatch.setitem(program.COMMANDS, "serve", fail)

    return put


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (QxldError("why"), 1, "why"),
        (UsageError("why"), 2, "why"),
        (ListenError("why"), 1, "why"),
        (AttachError("why"), 1, "why"),
        (PeerError("why"), 1, "why"),
        (QemuGone("why"), 1, "why"),
        (MonitorSocketError("why"), 1, "why"),
        (ControlError("why"), 1, "why"),
        (OSError(28, "No space left on device"), 1, "No space left on device"),
        (PermissionError(13, "Permission denied", "/x"), 1, "/x: Permission denied"),
        (OSError("AF_UNIX path too long"), 1, "AF_UNIX path too long"),
    ],
)
def test_error_is_one_line(failing, capsys, error, code, line):
    failing(error)
    assert execute(["serve"]) == code
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", f"qxld: {line}\n")


def test_our_own_faults_are_not_hidden(failing):
    failing(KeyError("x"))
    with pytest.raises(KeyError):
        execute(["serve"])


def test_result_of_the_command(monkeypatch):
    monkeypatch.setitem(program.COMMANDS, "serve", lambda _arguments: 7)
    assert execute(["serve"]) == 7


@pytest.mark.parametrize("option", ["--log-level", "--log-format"])
def test_log_settings_are_usage(capsys, option):
    assert execute(["serve", option, "x"]) == 2
    assert "'x' is not" in capsys.readouterr().err


def test_configuration_is_usage(capsys, tmp_path):
    assert execute(["qemu-args", "--config", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.endswith("none: No such file or directory\n")


def test_qemu_args(capsys, tmp_path):
    assert execute(["qemu-args", "--runtime-dir", str(tmp_path), "--bus", "b"]) == 0
    printed = capsys.readouterr().out
    assert f"path={tmp_path}/ivshmem.sock" in printed
    assert ",bus=b" in printed
    assert "virtio-tablet-pci" in printed
    assert f"path={tmp_path}/qemu-monitor.sock,server=on" in printed


def test_qemu_args_for_a_qemu_with_its_own_monitor(capsys):
    words = ["--runtime-dir", "/r", "--qmp", "/q", "--tablet", "none"]
    assert execute(["qemu-args", *words]) == 0
    printed = capsys.readouterr().out
    assert "monitor" not in printed
    assert "tablet" not in printed


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["qemu-args"], "qemu-args needs --runtime-dir"),
        (["qemu-args", "--runtime-dir", "/r", "--displays", "9"], "9 displays"),
        (["qemu-args", "--runtime-dir", "/r", "--tablet", "x"], "tablet 'x'"),
        (["attach"], "attach needs --qmp"),
        (["run", "--tablet", "x", "--", "q"], "tablet 'x'"),
        (["run", "--", "q", "-daemonize"], "-daemonize"),
        (["run", "--port", "0", "--", "q"], "nothing to listen on"),
        (["serve", "--displays", "9"], "9 displays"),
    ],
)
def test_wrong_usage(capsys, words, complaint):
    assert execute(words) == 2
    assert complaint in capsys.readouterr().err


def test_run_takes_no_monitor_from_the_file(capsys, tmp_path):
    path = tmp_path / "qxld.toml"
    path.write_text("[monitor]\nqmp = 'x'\n")
    assert execute(["run", "--config", str(path), "--", "q"]) == 2
    assert "monitor.qmp is for serve and attach" in capsys.readouterr().err


def test_screenshot_of_nothing(capsys, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        uri = f"spice://127.0.0.1:{taken.getsockname()[1]}"
        assert execute(["screenshot", uri, "-o", str(tmp_path / "x.png")]) == 1
    assert capsys.readouterr().err.startswith("qxld: ")
    assert execute(["screenshot", "nonsense", "-o", str(tmp_path / "x.png")]) == 1
