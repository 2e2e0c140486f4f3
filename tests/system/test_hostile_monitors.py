"""Monitor clients that send anything and go at any moment; qxld serves the others.

The monitor's owner is trusted, programs make mistakes all the same.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import socket

import pytest

from tests.peers.hostile_vm import SCALE, HostileVm
from tests.peers.machine import Monitor

pytestmark = [pytest.mark.system, pytest.mark.timeout(600 * max(1, SCALE))]

COMMANDS = (
    {"execute": "qmp_capabilities"},
    {"execute": "query-spice", "id": 7},
    {"execute": "query-status"},
    {"execute": "set_password", "arguments": {"protocol": "spice", "password": "x"}},
    {"execute": "expire_password", "arguments": {"protocol": "spice", "time": "now"}},
    {"execute": "expire_password", "arguments": {"protocol": "vnc", "time": "+5"}},
    {"execute": "add_client", "arguments": {"protocol": "spice", "fdname": "no"}},
    {"exec-oob": "query-status", "id": {"a": [1, 2, {"b": None}]}},
    {"execute": "client_migrate_info", "arguments": {"protocol": "spice"}},
)
PATIENCE = 60.0


@pytest.fixture(scope="module")
def vm(tmp_path_factory):
    with HostileVm(tmp_path_factory.mktemp("monitors")) as vm:
        for _ in range(5):
            good_monitor(vm)
        vm.warmed_up()
        yield vm
        vm.verdict(max_growth_mib=40)  # a line of 64 MiB is among it


def dial(vm) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(PATIENCE)
    try:
        sock.connect(str(vm.qxld.monitor_path))
    except OSError:
        sock.close()
        raise
    return sock


def good_monitor(vm) -> None:
    """See that a well-behaved client is served, and SPICE too."""
    monitor = Monitor(vm.qxld.monitor_path)
    assert monitor.execute("query-spice")["enabled"]
    assert monitor.execute("query-status") == {}
    monitor.close()
    vm.good_picture()


def send(sock: socket.socket, data: bytes) -> None:
    """Send what is taken before the other end closes."""
    with contextlib.suppress(ConnectionError):
        sock.sendall(data)


def end_of(sock: socket.socket) -> None:
    """Say nothing more and wait until qxld has closed."""
    with contextlib.suppress(ConnectionError):
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(1 << 20):
            pass
    sock.close()


def spoilt(vm) -> bytes:
    """A command that is almost one."""
    data = bytearray(json.dumps(vm.random.choice(COMMANDS)).encode() + b"\r\n")
    for _ in range(vm.random.randrange(4)):
        at = vm.random.randrange(len(data) or 1)
        match vm.random.randrange(4):
            case 0:
                data[at : at + 1] = vm.random.randbytes(1)
            case 1:
                del data[at : at + 1]
            case 2:
                data[at:at] = vm.random.choice([b"{", b"}", b'"', b"\\", b"[", b"\xff"])
            case _:
                data = data[:at]
                data += b"\n"
    return bytes(data)


def test_garbage(vm):
    """Bytes of any kind, before and after the negotiation."""
    for number in range(int(400 * SCALE)):
        sock = dial(vm)
        if vm.random.randrange(2):
            sock.sendall(b'{"execute":"qmp_capabilities"}')
        for _ in range(vm.random.randrange(1, 6)):
            match vm.random.randrange(4):
                case 0:
                    send(sock, vm.random.randbytes(vm.random.randrange(1, 4000)))
                case _:
                    send(sock, spoilt(vm))
        end_of(sock) if vm.random.randrange(2) else sock.close()
        vm.cases["garbage at the monitor"] += 1
        if number % 20 == 0:
            good_monitor(vm)


def test_extremes(vm):
    """Nesting without end, numbers and strings of any length, lines without end."""
    deep = b"[" * 100_000
    extremes = {
        "nesting": deep + b"]" * 100_000,
        "open nesting": deep,
        "a number": b"9" * 500_000,
        "an exponent": b'{"execute": 1e999999999}',
        "a string": b'{"execute":"' + b"x" * (2 << 20) + b'"}\n',
        "no end": b'{"execute":"' + b"x" * (80 << 20),
        "surrogates": b'{"execute":"\\ud800\\udfff\\ud800"}\n',
        "NULs": bytes(1 << 20),
        "many keys": b"{" + b",".join(b'"%d":0' % n for n in range(100_000)) + b"}",
        "blanks": b" " * (4 << 20),
        "commands": b'{"execute":"query-status"}\n' * 20_000,
        "own commands": b'{"execute":"query-spice"}\n' * 5_000,
    }
    for name, data in extremes.items():
        sock = dial(vm)
        sock.sendall(b'{"execute":"qmp_capabilities"}')
        sock.settimeout(1.0)  # who asks without end is not read without end
        with contextlib.suppress(ConnectionError, TimeoutError):
            sock.sendall(data)
        sock.close()
        vm.cases["something extreme at the monitor"] += 1
        good_monitor(vm)
        assert vm.qxld.process.poll() is None, name


def test_disconnects(vm):
    """Many at once that leave with questions open, or never read an answer."""
    for _ in range(int(30 * SCALE)):
        socks = []
        for _ in range(vm.random.randint(1, 25)):
            sock = dial(vm)
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                sock.sendall(b'{"execute":"qmp_capabilities"}')
                for _ in range(vm.random.randrange(200)):
                    sock.sendall(json.dumps(vm.random.choice(COMMANDS)).encode())
            socks.append(sock)
            vm.cases["a monitor client that leaves"] += 1
        vm.random.shuffle(socks)
        for sock in socks:
            sock.close()
        good_monitor(vm)


def test_descriptors(vm):
    """Descriptors that come with anything and are wanted by nobody."""
    for number in range(int(150 * SCALE)):
        sock = dial(vm)
        fds = [os.open(os.devnull, os.O_RDONLY) for _ in range(vm.random.randint(1, 9))]
        rights = array.array("i", fds)
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)]
        with contextlib.suppress(ConnectionError):
            sock.sendall(b'{"execute":"qmp_capabilities"}')
            for _ in range(vm.random.randint(1, 5)):
                sock.sendmsg([spoilt(vm)], ancillary)
        for fd in fds:
            os.close(fd)
        end_of(sock) if vm.random.randrange(2) else sock.close()
        vm.cases["descriptors at the monitor"] += 1
        if number % 20 == 0:
            good_monitor(vm)


def test_qemus_monitor_goes(vm):
    """QEMU's monitor hangs up with clients in the midst of questions."""
    for _ in range(int(15 * SCALE)):
        sock = dial(vm)
        questions = b'{"execute":"query-status"}\n' * 100
        sock.sendall(b'{"execute":"qmp_capabilities"}' + questions)
        vm.monitor.hang_up()
        end_of(sock)
        vm.good_picture()
        vm.qxld.until("qxld's monitor is back", lambda: serves(vm))
        vm.cases["QEMU's monitor hangs up"] += 1
        good_monitor(vm)


def serves(vm) -> bool:
    """Whether the monitor greets."""
    try:
        with contextlib.closing(dial(vm)) as sock:
            return bool(sock.recv(1))
    except (OSError, TimeoutError):
        return False
