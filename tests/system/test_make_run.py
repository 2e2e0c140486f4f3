"""`make run` and `make stop`, without the set-up that goes before."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.peers import machine
from tests.peers.machine import Monitor
from tests.peers.programs import eventually, free_port
from tests.peers.qxld_process import NO_RIGHTS, qxld

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(machine.missing() is not None, reason=str(machine.missing())),
]

TOOL = Path(__file__).resolve().parents[2] / "tools" / "run_guest.py"
PATIENCE = 300.0


def command(build: Path, *words: object) -> list[str]:
    return [sys.executable, str(TOOL), "--build", str(build), *map(str, words)]


def run(build: Path, *words: object, prefix=()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*prefix, *command(build, *words)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def exists(pid: int) -> bool:
    """Whether a process runs; nobody may have taken note of its end yet."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


@pytest.fixture
def temporary(tmp_path, monkeypatch) -> Path:
    """The place of runtime folders; the way there must be short."""
    folder = Path(tempfile.mkdtemp(prefix="run"))
    monkeypatch.setenv("TMPDIR", str(folder))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def build(tmp_path, temporary) -> Iterator[Path]:
    folder = tmp_path / "build"
    yield folder
    if folder.is_dir():
        run(folder, "stop")
    assert not list(temporary.iterdir())


def wait_state(build: Path, process: subprocess.Popen) -> dict:
    path = build / "run.json"
    eventually("run.json", lambda: path.exists() or process.poll() is not None)
    return json.loads(path.read_text())


class TestRefusal:
    @pytest.mark.parametrize(
        ("words", "line"),
        [
            (("--guest", "bogus"), "GUEST=bogus: there are tiny and desktop"),
            (("--port", "x"), "PORT=x: a port is a number from 1 to 65535"),
            (("--port", "99999"), "PORT=99999: a port is a number from 1 to 65535"),
        ],
    )
    def test_nonsense(self, build, words, line):
        done = run(build, "start", *words)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == f"qxld: {line}\n"

    def test_port_in_use(self, build):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            done = run(build, "start", "--port", port)
        assert done.returncode == 1
        assert done.stderr == (
            f"qxld: port {port}: Address already in use; try PORT=N\n"
        )

    @pytest.mark.skipif(
        os.getuid() != 0 or not shutil.which("setpriv"), reason="needs root to give up"
    )
    def test_folder_without_rights(self, build):
        build.mkdir()
        os.chown(build, 65534, 65534)
        build.chmod(0o755)
        done = run(build, "start", "--port", free_port(), prefix=NO_RIGHTS)
        assert done.returncode == 1
        assert done.stderr == f"qxld: {build}/run.lock: Permission denied\n"

    def test_stop_of_nothing(self, build):
        done = run(build, "stop")
        assert (done.returncode, done.stderr) == (0, "[run] nothing is running\n")

    @pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pids": ["x"]}'])
    def test_run_json_that_makes_no_sense(self, build, text):
        build.mkdir()
        (build / "run.json").write_text(text)
        assert run(build, "stop").stderr == "[run] nothing is running\n"
        assert not (build / "run.json").exists()


def test_detached(build, temporary, tmp_path):
    port = free_port()
    done = run(build, "start", "--port", port, "--detach")
    assert done.returncode == 0, done.stderr
    assert "the guest's screen is up after" in done.stderr
    path = build / "run.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    state = json.loads(path.read_text())
    for shown in (f"remote-viewer spice://127.0.0.1:{port}", "make stop"):
        assert shown in done.stdout
    for key in ("password", "qmp", "serial_log", "uri"):
        assert state[key] in done.stdout
    assert state["uri"] == f"spice://127.0.0.1:{port}"
    assert "QXLD-GUEST-READY" in Path(state["serial_log"]).read_text()
    monitor = Monitor(Path(state["qmp"]))
    assert monitor.execute("query-spice")["auth"] == "spice"
    monitor.close()
    assert len(state["pids"]) == 2
    assert all(map(exists, state["pids"]))
    shot = tmp_path / "screen.png"
    words = ("screenshot", state["uri"], "-o", shot, "--password", state["password"])
    assert qxld(*words).returncode == 0
    assert qxld(*words[:-1], "wrong").returncode == 1

    again = run(build, "start", "--port", free_port(), "--detach")
    assert again.returncode == 1
    assert "already running" in again.stderr
    assert all(map(exists, state["pids"]))

    assert run(build, "stop").stderr == "[run] stopped\n"
    assert not any(map(exists, state["pids"]))
    assert not path.exists()
    assert not list(temporary.iterdir())
    assert run(build, "stop").stderr == "[run] nothing is running\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_foreground_ends_by_a_signal(build, number):
    with subprocess.Popen(
        command(build, "start", "--port", free_port()),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        state = wait_state(build, process)
        busy = run(build, "start", "--port", free_port())
        assert busy.stderr == "qxld: another `make run` is at work; end it first\n"
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert err.endswith("[run] stopped\n")
    assert "Traceback" not in out + err
    assert not any(map(exists, state["pids"]))
    assert not (build / "run.json").exists()
    log = (build / "qxld.log").read_text()
    assert "is killed" not in log
    assert "Traceback" not in log


def test_end_of_the_guest_ends_it(build):
    with subprocess.Popen(
        command(build, "start", "--port", free_port()),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        state = wait_state(build, process)
        os.kill(state["pids"][1], signal.SIGKILL)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "qxld ended with 137: " in err
    assert "QEMU was ended by SIGKILL" in err


@pytest.mark.parametrize("cure", ["start", "stop"])
def test_after_a_crash(build, temporary, cure):
    with subprocess.Popen(
        command(build, "start", "--port", free_port()),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        state = wait_state(build, process)
        process.kill()
        os.kill(state["pids"][0], signal.SIGKILL)
        eventually("qxld is gone", lambda: not exists(state["pids"][0]))
    assert exists(state["pids"][1])
    if cure == "stop":
        assert run(build, "stop").stderr == "[run] it had ended already\n"
    else:
        # Its port is in use: this one cleans up, but cannot start.
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            done = run(build, "start", "--port", taken.getsockname()[1])
        assert "cleaning up after a run that did not end in order" in done.stderr
    eventually("QEMU is gone", lambda: not exists(state["pids"][1]))
    assert not list(temporary.iterdir())
