"""/dev/vdiport0 in real guests, with foreign programs at both its ends."""

from __future__ import annotations

import hashlib
import shutil
import signal
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.peers import machine
from tests.peers.machine import PATIENCE, ROOT, Machine, SerialShell
from tests.peers.programs import eventually, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.system

PORT = "/dev/vdiport0"
SERVING = b"somebody serves the VDI port"
RING = 65536


class PortMachine(Machine):
    """A guest with `qxld run`, whose VDI port is a unix socket."""

    def __init__(self, folder: Path, recipe: dict) -> None:
        self.vdi = folder / "vdi.sock"
        self.program = ("-m", "tests.peers.vdi_relay", str(self.vdi))
        super().__init__(
            folder, recipe, "--agent", "ivshmem", "--port", str(free_port())
        )

    def connect(self) -> socket.socket:
        """Serve the port from here on."""
        served = self._times_served()
        end = socket.socket(socket.AF_UNIX)
        end.settimeout(PATIENCE)
        end.connect(str(self.vdi))
        eventually("it is served", lambda: self._times_served() > served)
        return end

    def socat(self, *options: str) -> subprocess.Popen[bytes]:
        """Let socat serve the port; ``SOCKET`` in *options* is it."""
        served = self._times_served()
        words = [o.replace("SOCKET", f"UNIX-CONNECT:{self.vdi}") for o in options]
        program = subprocess.Popen(
            ["socat", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        eventually("it is served", lambda: self._times_served() > served)
        return program

    def _times_served(self) -> int:
        return self.log.read_bytes().count(SERVING)


@pytest.fixture(scope="module")
def probe(tmp_path_factory) -> Path:
    """The program that steps through system calls, for a guest without libraries."""
    program = tmp_path_factory.mktemp("probe") / "port_probe"
    source = ROOT / "tests" / "peers" / "port_probe.c"
    options = ["-D_GNU_SOURCE", "-O2", "-static", "-s", "-Wall", "-Werror"]
    subprocess.run(["gcc", *options, "-o", program, source], check=True)
    return program


class Guest:
    """A machine, its shell, and the probe in it."""

    def __init__(self, started: PortMachine, probe: Path) -> None:
        self.machine = started
        self.shell: SerialShell = started.shell()
        # The port carries the program into the guest.
        program = probe.read_bytes()
        with started.connect() as end:
            self.shell.run(f"(head -c {len(program)} {PORT} >/run/probe) & true")
            end.sendall(program)
            self.shell.run("wait; chmod +x /run/probe")
            told = self.shell.run("sha256sum /run/probe").split()[0]
        assert told == hashlib.sha256(program).hexdigest()

    def probe(self, *steps: str) -> list[str]:
        """Take the probe's *steps*; what they gave."""
        return self.shell.run(f"/run/probe {PORT} {' '.join(steps)}").splitlines()

    def start_probe(self, *steps: str) -> None:
        """Take the probe's *steps* in the background."""
        self.shell.run(f"/run/probe {PORT} {' '.join(steps)} >/run/told 2>&1 & true")

    def told(self) -> list[str]:
        """What the probe in the background has told so far."""
        return self.shell.run("cat /run/told").splitlines()

    def wait_told(self, line: str) -> list[str]:
        """Return what it told once *line* is the last of it."""
        eventually(f"{line!r} is told", lambda: self.told()[-1:] == [line])
        return self.told()


def guest_of(tmp_path_factory, probe: Path, *options: str) -> Iterator[Guest]:
    reason = machine.missing()
    if reason or not shutil.which("socat"):
        pytest.skip(reason or "socat is not installed")
    recipe = machine.image("tiny", *options)
    with PortMachine(tmp_path_factory.mktemp("vdi"), recipe) as started:
        started.wait_ready()
        guest = Guest(started, probe)
        yield guest
        guest.shell.close()
        assert started.stop() == 0
        assert started.errors() == []


@pytest.fixture(scope="module")
def guest(tmp_path_factory, probe) -> Iterator[Guest]:
    yield from guest_of(tmp_path_factory, probe)


@pytest.fixture(scope="module")
def newer_guest(tmp_path_factory, probe) -> Iterator[Guest]:
    yield from guest_of(tmp_path_factory, probe, "--kernel", "6.12")


def assert_echoes(guest: Guest) -> None:
    """Let the host's end be socat with cat."""
    with guest.machine.socat("SOCKET", "EXEC:cat") as echo:
        text = guest.shell.run(
            f"exec 3<>{PORT}; echo ping >&3; head -n 1 <&3; exec 3<&-"
        )
        assert text == "ping\n"
        assert echo.wait() == 0  # the guest closed it: cat and socat end


class TestBytes:
    def test_an_echo_comes_back(self, guest):
        for _ in range(3):
            assert_echoes(guest)

    @pytest.mark.parametrize("block", ["777", "64k", "1M"])
    def test_what_the_guest_writes_arrives(self, guest, block, tmp_path):
        guest.shell.run("dd if=/dev/urandom of=/run/sent bs=1M count=8 2>/dev/null")
        sent = guest.shell.run("sha256sum /run/sent").split()[0]
        with guest.machine.socat("-u", "SOCKET", f"CREATE:{tmp_path}/got") as end:
            guest.shell.run(f"dd if=/run/sent of={PORT} bs={block} 2>/dev/null")
            assert end.wait() == 0
        got = (tmp_path / "got").read_bytes()
        assert len(got) == 8 << 20
        assert hashlib.sha256(got).hexdigest() == sent

    @pytest.mark.parametrize("block", ["777", "64k", "1M"])
    def test_what_the_host_writes_arrives(self, guest, block):
        data = hashlib.shake_256(block.encode()).digest(8 << 20)
        with guest.machine.socat("-u", "-", "SOCKET") as end:
            assert end.stdin
            read = f"dd if={PORT} bs={block} 2>/dev/null"
            guest.shell.run(
                f"({read} | head -c {len(data)} | sha256sum >/run/got) & true"
            )
            end.stdin.write(data)
            end.stdin.flush()
            eventually("all came", lambda: guest.shell.run("cat /run/got"))
            end.stdin.close()
        guest.shell.run("wait")
        told = guest.shell.run("cat /run/got").split()[0]
        assert told == hashlib.sha256(data).hexdigest()


class TestCalls:
    def test_reads_are_as_short_as_asked_for(self, guest):
        with guest.machine.connect() as end:
            guest.start_probe(
                "open", "wait:in", "read:3", "read:100", "poll:in", "say:done"
            )
            end.sendall(b"abcdefgh")
            assert guest.wait_told("done") == [
                *(
                    "open 0",
                    "wait:in IN",
                    "read:3 3 abc",
                    "read:100 5 defgh",
                    "poll:in",
                ),
                "done",
            ]

    def test_without_blocking(self, guest):
        with guest.machine.connect() as end:
            guest.start_probe(
                *("open-nonblock", "read:5", "poll:in", "poll:out", "say:open", "stop"),
                *("fill", "poll:out", "write:x", "say:full", "wait:out", "say:room"),
                *("wait:in", "read:9", "write:bye"),
            )
            assert guest.wait_told("open") == [
                *("open-nonblock 0", "read:5 EAGAIN", "poll:in", "poll:out OUT", "open")
            ]
            guest.machine.process.send_signal(signal.SIGSTOP)
            guest.shell.run("killall -CONT probe")
            assert guest.wait_told("full")[5:] == [
                *(f"fill {RING} EAGAIN", "poll:out", "write:x EAGAIN", "full")
            ]
            guest.machine.process.send_signal(signal.SIGCONT)
            assert guest.wait_told("room")[9:] == ["wait:out OUT", "room"]
            left = RING
            while left:
                left -= len(end.recv(left))
            end.sendall(b"go on")
            assert end.recv(100) == b"bye"
            assert end.recv(100) == b""
            told = guest.wait_told("write:bye 3")
            assert told[11:] == ["wait:in IN", "read:9 5 go on", "write:bye 3"]

    def test_a_blocked_write_goes_on(self, guest):
        size = 3 << 20
        with guest.machine.connect() as end:
            guest.shell.run(
                f"dd if=/dev/zero of={PORT} bs={size} count=1 2>/dev/null & true"
            )
            got = 0
            while data := end.recv(1 << 20):
                got += len(data)
            assert got == size

    def test_one_opener(self, guest):
        with guest.machine.connect():
            assert guest.probe("open", "open-twice", "close", "open", "open-twice") == [
                *("open 0", "open-twice EBUSY", "close 0", "open 0", "open-twice EBUSY")
            ]

    def test_what_was_not_read_is_lost_with_the_close(self, guest):
        with guest.machine.connect() as end:
            guest.start_probe("open", "wait:in", "close", "say:closed")
            end.sendall(b"old")
            guest.wait_told("closed")
            assert end.recv(1) == b""
        with guest.machine.connect() as end:
            guest.start_probe("open", "wait:in", "read:9", "say:done")
            end.sendall(b"new")
            assert guest.wait_told("done")[2:3] == ["read:9 3 new"]


class TestHostsEnd:
    def test_nobody_serves(self, guest):
        assert guest.probe(
            "open-nonblock", "poll:in", "poll:out", "read:1", "write:x"
        ) == [
            *("open-nonblock 0", "poll:in IN HUP", "poll:out HUP", "read:1 0"),
            "write:x EAGAIN",
        ]

    def test_who_opened_first_is_served_when_somebody_comes(self, guest):
        guest.start_probe(
            "open", "poll:out", "wait:out", "say:no", "write:first", "read:9"
        )
        eventually("it is open", lambda: len(guest.told()) >= 2)
        with guest.machine.connect() as end:
            assert end.recv(100) == b"first"
            end.sendall(b"second")
            assert end.recv(100) == b""
            eventually("it ended", lambda: "read:9 6 second" in guest.told())

    def test_the_host_leaves(self, guest):
        with guest.machine.connect() as end:
            guest.start_probe(
                *("open", "wait:in", "read:4", "stop", "read:9", "wait:in", "read:9"),
                *("write:x", "poll:out", "close", "open-nonblock", "poll:in"),
            )
            end.sendall(b"last words")
            guest.wait_told("read:4 4 last")
        guest.shell.run("killall -CONT probe")
        assert guest.wait_told("poll:in IN HUP")[3:] == [
            *("read:9 6  words", "wait:in IN HUP", "read:9 0", "write:x EPIPE"),
            *("poll:out OUT HUP", "close 0", "open-nonblock 0", "poll:in IN HUP"),
        ]


class TestLeaving:
    def test_the_module_stays_while_the_port_is_open(self, guest):
        with guest.machine.connect() as end:
            guest.start_probe("open", "read:1")
            guest.shell.run("! rmmod qxl_ivshmem 2>/dev/null")
            guest.shell.run("killall probe; true")
            assert end.recv(1) == b""

    def test_the_driver_is_unbound_while_the_port_is_open(self, guest):
        driver = "/sys/bus/pci/drivers/qxl_ivshmem"
        device = guest.shell.run(f"cd {driver}; ls -d 0000:*").strip()
        with guest.machine.connect() as end:
            guest.start_probe("open", "read:9", "poll:in", "write:x", "read:1", "close")
            guest.shell.run("killall qxld-pointer; usleep 100000")
            guest.shell.run(f"echo {device} >{driver}/unbind")
            assert guest.wait_told("close 0") == [
                *("open 0", "read:9 ENODEV", "poll:in IN HUP ERR", "write:x ENODEV"),
                *("read:1 ENODEV", "close 0"),
            ]
            assert end.recv(1) == b""
        guest.shell.run(
            f"! test -e {PORT}; echo {device} >{driver}/bind; test -e {PORT}"
        )
        assert_echoes(guest)

    def test_the_driver_comes_again(self, guest):
        guest.shell.run("driver reload")
        assert_echoes(guest)


class TestNewerKernelAndMachine:
    """On Linux 6.12, and what only a whole machine can do."""

    def test_an_echo_comes_back(self, newer_guest):
        assert newer_guest.shell.run("uname -r").startswith("6.12.")
        assert_echoes(newer_guest)

    def test_a_machine_reset_closes_the_port(self, newer_guest):
        monitor = newer_guest.machine.monitor()
        with newer_guest.machine.connect() as end:
            newer_guest.start_probe("open", "write:here", "read:1")
            assert end.recv(9) == b"here"
            log = newer_guest.machine.serial_log
            before = log.read_bytes().count(machine.READY)
            assert monitor.execute("system_reset") == {}
            assert end.recv(1) == b""
        eventually(
            "the guest is up again",
            lambda: log.read_bytes().count(machine.READY) > before,
            patience=PATIENCE,
        )
        monitor.close()
        assert_echoes(newer_guest)

    def test_the_device_is_unplugged_while_the_port_is_open(self, newer_guest):
        monitor = newer_guest.machine.monitor()
        newer_guest.shell.run(f"(cat {PORT}; echo $?) >/run/told 2>&1 & true")
        with newer_guest.machine.connect() as end:
            newer_guest.shell.run("killall qxld-pointer; true")
            assert monitor.execute("device_del", id="qxld0") == {}
            assert end.recv(1) == b""
        eventually(
            "it is gone", lambda: "No such device" in "".join(newer_guest.told())
        )
        newer_guest.shell.run(f"! test -e {PORT}")
        newer_guest.shell.run("rmmod qxl_ivshmem")
        monitor.close()
