"""The `qxld` program as its user meets it; QEMU is real, the guest does not run."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.peers import machine
from tests.peers.machine import Monitor
from tests.peers.programs import (
    RemoteViewer,
    eventually,
    free_port,
    make_certificates,
    missing,
    x_server,
)
from tests.peers.qxld_process import ENVIRONMENT, NO_RIGHTS, PLAIN, ROOT, Qxld, qxld

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(machine.missing() is not None, reason=str(machine.missing())),
]

QEMU = "qemu-system-x86_64"
IDLE = [QEMU, "-accel", "tcg", "-machine", "pc", "-m", "16", "-S", "-nic", "none"]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def run_dir(tmp_path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def start(tmp_path, run_dir, port):
    """Start `qxld run` with an idle QEMU; it is ended after the test."""
    started: list[Qxld] = []

    def start(*options: object, qemu=IDLE, **process) -> Qxld:
        words = ("--runtime-dir", run_dir, "--port", port, *options, "--", *qemu)
        started.append(Qxld(tmp_path, "run", *words, **process))
        return started[-1]

    yield start
    for each in started:
        each.__exit__()


def exists(pid: int) -> bool:
    """Whether a process lives; one that nobody has waited for does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def assert_clean_end(daemon: Qxld, run_dir: Path, qemu_pid: int | None = None) -> None:
    """Nothing is left of it, and it complained of nothing."""
    assert "Traceback" not in daemon.log
    assert " error " not in daemon.log
    assert not daemon.state_path.exists()
    assert not list(run_dir.iterdir())
    if qemu_pid is not None:
        assert not exists(qemu_pid)


class TestRefusal:
    """One line, an exit code, and nothing left."""

    @pytest.mark.parametrize(
        ("words", "code", "complaint"),
        [
            ("--x509-dir {tmp} --tls-port {free}", 1, "server-cert.pem, which is not"),
            ("--password-file {tmp}/none", 2, "none: No such file or directory"),
            ("--password-file {tmp}/empty", 2, "empty: its first line is empty"),
            ("--addr 203.0.113.1", 1, "203.0.113.1 port {port}: Cannot assign"),
            ("--unix {tmp}/{long}", 1, "{long}: AF_UNIX path too long"),
            ("--unix {tmp}/none/s", 1, "none/s: No such file or directory"),
            ("--unix {tmp}/empty", 1, "empty: it exists and is no socket"),
            ("--monitor {tmp}/none/m", 1, "none/m: No such file or directory"),
            ("--runtime-dir {tmp}/{long}", 1, "too long a path for unix sockets"),
            ("--runtime-dir {tmp}/empty", 1, "empty: it exists and is no folder"),
            ("--state {tmp}/none/s", 1, "there is no folder {tmp}/none"),
            ("--vv {tmp}", 1, "{tmp}: is a folder"),
            ("--vv /dev/full", 1, "/dev/full: No space left on device"),
            ("--bar-mib 100", 2, "is not a power of two"),
            ("--config {tmp}/bad.toml", 2, "Invalid value (at line 2, column 8)"),
        ],
    )
    def test_by_one_line(self, tmp_path, port, run_dir, words, code, complaint):
        (tmp_path / "empty").touch()
        (tmp_path / "bad.toml").write_text("[spice]\nport = = 3\n")
        facts = {"tmp": tmp_path, "port": port, "free": free_port(), "long": "x" * 108}
        options = [word.format(**facts) for word in words.split()]
        folder = ("--runtime-dir", run_dir)
        done = qxld("run", *folder, "--port", port, *options, "--", *IDLE)
        *before, last = done.stdout.splitlines()
        assert done.returncode == code, done.stdout
        assert last.startswith("qxld: ")
        assert complaint.format(**facts) in last
        assert all(re.match(r"[\d:.]{12} (info|warning) ", line) for line in before)
        assert not run_dir.exists() or not list(run_dir.iterdir())

    def test_port_in_use(self, start, run_dir, port):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", port))
            taken.listen()
            daemon = start()
            assert daemon.wait() == 1
        assert daemon.log.splitlines()[-1] == (
            f"qxld: cannot listen on 127.0.0.1 port {port}: Address already in use"
        )
        assert not list(run_dir.iterdir())

    @pytest.mark.skipif(
        os.getuid() != 0 or not shutil.which("setpriv"), reason="needs root to give up"
    )
    def test_rights_that_are_missing(self, tmp_path, port):
        foreign = tmp_path / "foreign"
        foreign.mkdir(mode=0o700)
        os.chown(foreign, 65534, 65534)
        for words, complaint in (
            (("--runtime-dir", foreign), "nothing can be written there"),
            (("--runtime-dir", foreign / "x"), "foreign/x: Permission denied"),
            (("--unix", foreign / "x"), "foreign/x: Permission denied"),
            (("--state", foreign / "x"), f"nothing can be written in {foreign}"),
            (("--config", foreign / "x"), "foreign/x: Permission denied"),
        ):
            done = qxld("run", "--port", port, *words, "--", *IDLE, prefix=NO_RIGHTS)
            assert done.returncode in {1, 2}
            assert complaint in done.stdout.splitlines()[-1]
        bound = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()
        if int(bound) > 22:
            done = qxld("run", "--port", 22, "--", *IDLE, prefix=NO_RIGHTS)
            assert done.returncode == 1
            assert "127.0.0.1 port 22: Permission denied" in done.stdout

    def test_no_such_qemu(self, start, run_dir):
        daemon = start(qemu=["qemu-system-pdp11"])
        assert daemon.wait() == 1
        assert daemon.log.endswith(
            "qxld: cannot start qemu-system-pdp11: No such file or directory\n"
        )
        assert_clean_end(daemon, run_dir)

    def test_second_in_the_same_folder(self, start, run_dir, tmp_path):
        first = start()
        state = first.wait_up()
        other = ("--runtime-dir", run_dir, "--port", free_port())
        second = qxld("run", *other, "--", *IDLE)
        assert second.returncode == 1
        assert (
            second.stdout == f"qxld: runtime folder {run_dir}: another qxld uses it\n"
        )
        assert exists(state["qemu_pid"])
        Monitor(Path(state["monitor"])).close()

    def test_folder_of_a_qemu_that_runs_still(self, start, run_dir, tmp_path):
        first = start()
        qemu = first.wait_up()["qemu_pid"]
        first.signal(signal.SIGKILL)
        first.wait()
        try:
            assert exists(qemu)
            words = ("--runtime-dir", run_dir, "--port", free_port())
            second = qxld("run", *words, "--", *IDLE)
            assert second.returncode == 1
            hint = f"qxld attach --qmp {run_dir}/qemu-monitor.sock"
            assert hint in second.stdout
            monitor = Monitor(run_dir / "qemu-monitor.sock")
            assert monitor.execute("query-status")["status"] == "prelaunch"
            monitor.close()
        finally:
            os.kill(qemu, signal.SIGKILL)
        eventually("QEMU is gone", lambda: not exists(qemu))
        # What both left is in nobody's way, the state file neither.
        assert first.state_path.exists()
        third = start()
        state = third.wait_up()
        assert third.stop() == 0
        assert_clean_end(third, run_dir, state["qemu_pid"])


class TestEndOfQemu:
    def test_that_only_tells_its_version(self, start, run_dir):
        daemon = start(qemu=[QEMU, "--version"])
        assert daemon.wait() == 0
        assert "QEMU emulator version" in daemon.log
        assert_clean_end(daemon, run_dir)

    def test_that_dies_at_once(self, start):
        daemon = start(qemu=[*IDLE, "-xyzzy"])
        assert daemon.wait() == 1
        assert "-xyzzy: invalid option" in daemon.log
        assert " error qxld.qemu_process: QEMU ended with exit code 1\n" in daemon.log

    def test_by_quit(self, start, run_dir):
        daemon = start()
        state = daemon.wait_up()
        monitor = Monitor(Path(state["monitor"]))
        monitor.execute("quit")
        monitor.close()
        assert daemon.wait() == 0
        assert_clean_end(daemon, run_dir, state["qemu_pid"])

    def test_killed(self, start, run_dir):
        daemon = start()
        os.kill(daemon.wait_up()["qemu_pid"], signal.SIGKILL)
        assert daemon.wait() == 128 + 9
        assert "error qxld.qemu_process: QEMU was ended by SIGKILL" in daemon.log
        assert "Traceback" not in daemon.log
        assert not list(run_dir.iterdir())


class TestSignals:
    @pytest.fixture(params=["SIGINT", "SIGTERM"])
    def number(self, request) -> signal.Signals:
        return signal.Signals[request.param]

    def test_while_qemu_starts(self, start, run_dir, number):
        daemon = start()
        daemon.wait_said("waiting for QEMU on")
        daemon.signal(number)
        assert daemon.wait() == 0
        assert_clean_end(daemon, run_dir)

    def test_while_its_monitor_does_not_come(self, start, run_dir, number, tmp_path):
        pid = tmp_path / "pid"
        script = f"echo $$ >{pid}.new; mv {pid}.new {pid}; exec sleep 1000"
        daemon = start(qemu=["sh", "-c", script])
        daemon.until("it runs", pid.exists)
        daemon.signal(number)
        assert daemon.wait() == 0
        assert_clean_end(daemon, run_dir, int(pid.read_text()))

    def test_while_it_boots(self, start, run_dir, number):
        daemon = start()
        daemon.wait_said("attached to QEMU process")
        daemon.signal(number)
        assert daemon.wait() == 0
        assert_clean_end(daemon, run_dir)

    def test_with_clients(self, start, run_dir, number, port, tmp_path):
        daemon = start("--disable-ticketing")
        state = daemon.wait_up()
        uri = state["uris"][0]
        words = [*PLAIN, "screenshot", uri, "-o", str(tmp_path / "x.png")]
        client = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE)
        monitor = Monitor(Path(state["monitor"]))
        eventually("a client", lambda: monitor.execute("query-spice").get("channels"))
        with socket.create_connection(("127.0.0.1", port)) as half_open:
            daemon.signal(number)
            assert daemon.wait() == 0
            assert half_open.recv(1) == b""
        _, said = client.communicate()
        assert client.returncode == 1
        assert said.startswith(b"qxld: ")
        assert monitor.stream.read().count(b'"SHUTDOWN"') <= 1
        monitor.close()
        assert_clean_end(daemon, run_dir, state["qemu_pid"])

    def test_of_a_terminal_go_to_all(self, start, run_dir):
        daemon = start(new_session=True)
        state = daemon.wait_up()
        os.killpg(daemon.process.pid, signal.SIGINT)
        assert daemon.wait() == 0
        assert_clean_end(daemon, run_dir, state["qemu_pid"])

    def test_second_one_kills_a_qemu_that_does_not_end(self, start, run_dir, tmp_path):
        pid = tmp_path / "pid"
        script = f"trap '' TERM; echo $$ >{pid}.new; mv {pid}.new {pid}; sleep 1000"
        daemon = start(qemu=["sh", "-c", script])
        daemon.until("it runs", pid.exists)
        daemon.signal(signal.SIGTERM)
        daemon.signal(signal.SIGTERM)
        # Two that come together are one, and each hurries but one step.
        while daemon.process.poll() is None and exists(int(pid.read_text())):
            daemon.signal(signal.SIGTERM)
            time.sleep(0.1)
        daemon.wait()
        assert "Traceback" not in daemon.log
        assert not exists(int(pid.read_text()))


class TestServe:
    @pytest.fixture
    def served(self, tmp_path, run_dir, port) -> Iterator[Qxld]:
        words = ("--runtime-dir", run_dir, "--port", port, "--disable-ticketing")
        with Qxld(tmp_path, "serve", *words) as started:
            started.wait_up()
            yield started

    @staticmethod
    def qemu(run_dir) -> subprocess.Popen:
        told = qxld("qemu-args", "--runtime-dir", run_dir)
        assert told.returncode == 0
        return subprocess.Popen([*IDLE, "-display", "none", *shlex.split(told.stdout)])

    @staticmethod
    def agent_port(monitor) -> bool:
        """Whether qxld is connected to the agent's port."""
        chardevs = {c["label"]: c["filename"] for c in monitor.execute("query-chardev")}
        return not chardevs["qxld-agent-chardev"].startswith("disconnected:")

    def test_qemus_come_and_go(self, served, run_dir, port, tmp_path):
        path = run_dir / "monitor.sock"
        descriptors = set()
        for _ in range(3):
            qemu = self.qemu(run_dir)
            served.until("the monitor", path.exists)
            monitor = Monitor(path)
            names = {device["name"] for device in monitor.execute("query-mice")}
            assert "QEMU Virtio Tablet" in names
            listed = monitor.execute("qom-list", path="/machine/peripheral")
            assert "qxld0" in {item["name"] for item in listed}
            socket.create_connection(("127.0.0.1", port)).close()
            eventually("an event", lambda: self.spice_events(monitor))  # noqa: B023 - called before the next turn
            assert self.spice_events(monitor)[:1] == ["SPICE_CONNECTED"]
            assert self.spice_events(monitor).count("SPICE_CONNECTED") == 1
            eventually("its ports", lambda: self.agent_port(monitor))  # noqa: B023
            descriptors.add(served.descriptors())
            qemu.terminate()
            assert qemu.wait() == 0
            served.until("it is gone", lambda: not path.exists())
            monitor.close()
        assert len(descriptors) == 1
        assert served.stop() == 0
        assert_clean_end(served, run_dir)

    @staticmethod
    def spice_events(monitor) -> list[str]:
        monitor.execute("query-name")
        names = [event["event"] for event in monitor.events]
        return [name for name in names if name.startswith("SPICE_")]

    def test_qemu_goes_on_without_it(self, served, run_dir):
        qemu = self.qemu(run_dir)
        try:
            served.until("the monitor", (run_dir / "monitor.sock").exists)
            assert served.stop() == 0
            monitor = Monitor(run_dir / "qemu-monitor.sock")
            assert monitor.execute("query-status")["status"] == "prelaunch"
            monitor.close()
        finally:
            qemu.kill()
            qemu.wait()

    def test_qemu_that_is_first_is_told_by_qemu(self, run_dir):
        run_dir.mkdir()
        qemu = self.qemu(run_dir)
        assert qemu.wait() == 1

    def test_says_what_it_waits_for(self, served, run_dir):
        served.wait_said(
            f"still waiting for QEMU's monitor {run_dir}/qemu-monitor.sock"
        )


class TestAttach:
    """To a machine without a guest, which therefore never lets go."""

    @pytest.fixture
    def idle(self, tmp_path):
        processes = []

        def idle(*options: str) -> Path:
            path = tmp_path / "qmp"
            qmp = ("-qmp", f"unix:{path},server=on,wait=off")
            command = [*IDLE, "-display", "none", *qmp, *options]
            processes.append(subprocess.Popen(command))
            eventually("its monitor", path.exists)
            return path

        yield idle
        for process in processes:
            process.kill()
            process.wait()

    def test_second_signal_does_not_wait_for_the_guest(self, idle, tmp_path, port):
        qmp = idle()
        with Qxld(tmp_path, "attach", "--qmp", qmp, "--port", port) as daemon:
            daemon.wait_up()
            daemon.signal(signal.SIGINT)
            daemon.wait_said("unplugging the display")
            daemon.signal(signal.SIGINT)
            assert daemon.wait() == 0
            assert "Traceback" not in daemon.log
        assert not daemon.state_path.exists()
        monitor = Monitor(qmp)
        assert monitor.execute("query-status")["status"] == "prelaunch"
        monitor.close()

    def test_bus_that_takes_no_device(self, idle, port):
        qmp = idle("-machine", "q35")
        done = qxld("attach", "--qmp", qmp, "--port", port)
        assert done.returncode == 1
        last = done.stdout.splitlines()[-1]
        assert "Bus 'pcie.0' does not support hotplugging; give --bus" in last

    def test_bus_that_takes_one(self, idle, tmp_path, port):
        qmp = idle("-machine", "q35", "-device", "pcie-root-port,id=rp1")
        words = ("--qmp", qmp, "--port", port, "--bus", "rp1")
        with Qxld(tmp_path, "attach", *words) as daemon:
            daemon.wait_up()
            daemon.signal(signal.SIGKILL)  # it would wait for the guest to let go
            daemon.wait()


class TestFiles:
    def test_state(self, start, run_dir, port, tmp_path):
        daemon = start("--unix", tmp_path / "spice.sock")
        state = daemon.wait_up()
        assert state == {
            "pid": daemon.process.pid,
            "qemu_pid": state["qemu_pid"],
            "uris": [
                f"spice://127.0.0.1:{port}",
                f"spice+unix://{tmp_path}/spice.sock",
            ],
            "monitor": f"{run_dir}/monitor.sock",
        }
        assert Path(f"/proc/{state['qemu_pid']}/comm").read_text().startswith("qemu")
        for path in (
            daemon.state_path,
            run_dir / "monitor.sock",
            tmp_path / "spice.sock",
        ):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert stat.S_IMODE(run_dir.stat().st_mode) == 0o700
        for line in (*state["uris"], f"monitor: {run_dir}/monitor.sock"):
            assert line in daemon.log

    def test_config_file_runs_it(self, tmp_path, run_dir):
        path = tmp_path / "vm.toml"
        path.write_text(
            f'runtime-dir = "{run_dir}"\n[spice]\nport = 0\nunix = "{tmp_path}/s"\n'
            f'[monitor]\nlisten = "{tmp_path}/m"\n[log]\nlevel = "warning"\n'
        )
        with Qxld(tmp_path, "run", "--config", path, "--", *IDLE) as daemon:
            state = daemon.wait_up()
            assert state["uris"] == [f"spice+unix://{tmp_path}/s"]
            monitor = Monitor(tmp_path / "m")
            assert monitor.execute("query-spice")["host"] == str(tmp_path / "s")
            monitor.close()
            assert daemon.stop() == 0
        assert " info " not in daemon.log

    def test_json_logs(self, tmp_path, run_dir, port):
        said = tmp_path / "stderr"
        words = [
            *PLAIN, "run", "--runtime-dir", run_dir, "--port", port, "--log-format", "json",
            "--log-level", "debug", "--disable-ticketing",
            "--state", tmp_path / "state", "--", *IDLE,
        ]  # fmt: skip
        with said.open("wb") as stderr:
            process = subprocess.Popen(
                list(map(str, words)),
                cwd=ROOT,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                env=os.environ | ENVIRONMENT,
            )
        eventually("it is up", (tmp_path / "state").exists)
        uri = f"spice://127.0.0.1:{port}"
        shot = ("screenshot", uri, "-o", tmp_path / "x.png", "--timeout", "2")
        assert "shows nothing for 2 seconds" in qxld(*shot).stdout
        process.terminate()
        assert process.wait() == 0
        lines = [
            line for line in said.read_text().splitlines() if not line.startswith(QEMU)
        ]
        entries = [json.loads(line) for line in lines]
        assert all({"time", "level", "logger", "message"} <= e.keys() for e in entries)
        of_clients = [entry for entry in entries if "client" in entry]
        assert {"MAIN:0"} <= {entry["channel"] for entry in of_clients}
        assert len({entry["client"] for entry in of_clients}) == 1

    @pytest.mark.parametrize("kind", ["plain", "tls", "unix"])
    def test_vv_file_is_what_remote_viewer_wants(self, start, tmp_path, port, kind):
        if reason := missing("remote-viewer", "Xvfb", "xdotool"):
            pytest.skip(reason)
        secret = tmp_path / "secret"
        secret.write_text(" a \\ticket; 100%\n")
        make_certificates(tmp_path)
        vv = tmp_path / "vm.vv"
        tls = ("--port", 0, "--tls-port", port, "--x509-dir", tmp_path)
        options = {
            "plain": (),
            # An address that the certificate does not have, but the file its subject.
            "tls": ("--addr", "127.0.0.2", *tls),
            "unix": ("--port", 0, "--unix", tmp_path / "s"),
        }[kind]
        daemon = start(
            "--vv", vv, "--password-file", secret, "--name", "a VM", *options
        )
        state = daemon.wait_up()
        assert stat.S_IMODE(vv.stat().st_mode) == 0o600
        monitor = Monitor(Path(state["monitor"]))
        with x_server() as screen, RemoteViewer(screen, str(vv)) as viewer:

            def linked() -> bool:
                channels = monitor.execute("query-spice").get("channels", [])
                return len({c["channel-type"] for c in channels}) >= 3

            eventually("all channels", linked)
            assert not viewer.windows("Authentication required")
            channels = monitor.execute("query-spice")["channels"]
            assert {channel["tls"] for channel in channels} == {kind == "tls"}
        monitor.close()
        assert daemon.stop() == 0
