"""Clients that go at any moment or never read; qxld serves the others, and the guest.

QXLD_HOSTILE_SCALE multiplies the cases; QXLD_HOSTILE_SEED chooses others.
"""

from __future__ import annotations

import contextlib
import struct

import pytest

from spice_protocol.qxl_dev import QXLRect
from tests.fakes.fake_guest import RingFullError
from tests.peers.blocking_client import BlockingClient, dial, reset
from tests.peers.hostile_vm import HEIGHT, SCALE, WIDTH, HostileVm

pytestmark = [pytest.mark.system, pytest.mark.timeout(600 * max(1, SCALE))]

DEAF_LIMIT_KIB = 64 * 1024
"""What one client that does not read may cost: its pipe (8 MiB), the first picture, and
as much again for Python's own checks of memory."""


@pytest.fixture(scope="module")
def vm(tmp_path_factory):
    with HostileVm(tmp_path_factory.mktemp("leavers"), ticketing=True) as vm:
        for _ in range(10):
            vm.painted_client().close()
            vm.good_picture()
        # Buffers that grow once, with the largest screen and the slowest client, and are
        # kept: only what grows from then on is lost.
        never_read(vm, 5)
        vm.warmed_up()
        yield vm
        vm.verdict(max_growth_mib=8)


# ---- going at any moment


class CutError(Exception):
    """The bytes a client lives for are used up."""


class MortalSocket:
    """A socket that ends in the middle of things."""

    budget = 0

    def __init__(self, port: int) -> None:
        self._sock = dial(port)

    def sendall(self, data: bytes) -> None:
        self._sock.sendall(data[: MortalSocket.budget])
        self._spend(len(data))

    def recv(self, size: int) -> bytes:
        data = self._sock.recv(min(size, MortalSocket.budget))
        self._spend(len(data))
        return data

    def _spend(self, count: int) -> None:
        MortalSocket.budget -= count
        if MortalSocket.budget <= 0:
            raise CutError

    def fileno(self) -> int:
        return self._sock.fileno()

    def close(self) -> None:
        reset(self._sock) if MortalSocket.budget % 2 else self._sock.close()


def test_clients_that_go(vm):
    """Hundreds of sessions that end at any byte, while the guest draws."""
    # What a session with all channels costs: link stages, INIT, a picture.
    whole = 2 * (4 * 600 + 262144 + 4 * WIDTH * HEIGHT)
    for number in range(int(600 * SCALE)):
        low = number % 3  # most of the interesting places are early
        MortalSocket.budget = vm.random.randrange(1, (800, 4000, whole)[low])
        with contextlib.suppress(CutError):
            client = BlockingClient(vm.qxld.port, vm.password, connect=MortalSocket)
            client.close()
        vm.cases["a client that goes"] += 1
        if number % 4 == 0:
            vm.good_picture()


def draw_much(vm, megabytes: int) -> None:
    """Draw pictures of 64 KiB each, as fast as the device takes them."""
    side = 128
    for number in range(megabytes * 16):
        pixels = struct.pack("<I", number * 0x9E3779B1 & 0xFFFFFF) * (side * side)
        x, y = number * 37 % (1024 - side), number * 53 % (768 - side)
        while True:
            try:
                vm.guest.draw_copy(pixels, QXLRect(y, x, y + side, x + side))
                break
            except (RingFullError, MemoryError):
                vm.flush()
                vm.guest.collect()
    vm.flush()
    vm.guest.collect()


def never_read(vm, count: int) -> int:
    """Draw beside *count* clients that never read; return the KiB they cost at the end."""
    vm.guest.setup(1024, 768)
    vm.live.wait_size(1024, 768)
    before = vm.qxld.status("RssAnon")
    deaf = [vm.painted_client() for _ in range(count)]
    draw_much(vm, 32)
    grown = vm.qxld.status("RssAnon") - before
    vm.live.wait_picture(vm.guest.surface0(1024, 768))
    for client in deaf:
        client.close()
    vm.reset()
    vm.good_picture()
    return grown


def test_a_client_that_never_reads(vm):
    """It costs a bounded amount of memory, and holds up nobody."""
    vm.guest.setup(1024, 768)
    vm.live.wait_size(1024, 768)
    before = vm.qxld.status("RssAnon")
    with vm.painted_client() as deaf:
        peak = 0
        for _ in range(max(1, int(4 * SCALE))):
            draw_much(vm, 32)
            peak = max(peak, vm.qxld.status("RssAnon") - before)
            vm.live.wait_picture(vm.guest.surface0(1024, 768))
            vm.cases["32 MiB drawn beside a client that never reads"] += 1
        assert peak < DEAF_LIMIT_KIB, f"{peak} KiB for a client that does not read"
        # When it reads again it comes to see the same.
        deaf.wait_picture(vm.guest.surface0(1024, 768))
    print(f"\na client that never reads cost {peak} KiB")
    vm.reset()
    vm.good_picture()


def test_many_clients_that_never_read(vm):
    """Each has a bound of its own; none of them reads a byte after its link."""
    assert never_read(vm, 5) < 5 * DEAF_LIMIT_KIB
    vm.cases["clients that never read, at once"] += 5
