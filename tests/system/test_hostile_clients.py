"""Clients that send anything, before the ticket and after it; qxld serves the others.

All the while a client watches, and must come to show exactly what the guest draws.
QXLD_HOSTILE_SCALE multiplies the cases; QXLD_HOSTILE_SEED chooses others.
"""

from __future__ import annotations

import contextlib
import socket
import struct

import pytest

from spice_client.errors import SpiceClientError
from spice_client.link import LinkRequest
from spice_protocol.enums import ChannelType
from spice_protocol.messages.tables import Direction, message_class
from spice_protocol.protocol import SpiceLinkHeader, SpiceLinkMess
from spice_protocol.wire import WireStruct
from tests.fakes.guest_scene import Spot, fields_of
from tests.peers.blocking_client import dial, link, reset
from tests.peers.hostile_vm import SCALE, HostileVm, some, worst

pytestmark = [pytest.mark.system, pytest.mark.timeout(600 * max(1, SCALE))]

CHANNELS = (
    ChannelType.MAIN, ChannelType.DISPLAY, ChannelType.INPUTS, ChannelType.CURSOR,
)  # fmt: skip


@pytest.fixture(scope="module")
def vm(tmp_path_factory):
    with HostileVm(tmp_path_factory.mktemp("clients"), ticketing=True) as vm:
        for _ in range(10):
            vm.painted_client().close()
            vm.good_picture()
        vm.warmed_up()
        yield vm
        vm.verdict(max_growth_mib=8)


def end_of(sock: socket.socket) -> None:
    """Say nothing more, and wait until the server has closed."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(1 << 20):
            pass
    sock.close()


def send(sock: socket.socket, data: bytes) -> None:
    """Send what the server takes before it closes."""
    with contextlib.suppress(ConnectionError):
        sock.sendall(data)


# ---- before authentication


def stranger(vm) -> socket.socket:
    """Connect from anywhere: one who guesses too often would not be listened to."""
    return dial(vm.qxld.port, f"127.0.{vm.random.randrange(1, 250)}.2")


def test_noise(vm):
    """Any bytes at all."""
    for number in range(int(600 * SCALE)):
        sock = stranger(vm)
        data = vm.random.randbytes(vm.random.choice([1, 3, 15, 16, 17, 100, 5000]))
        if vm.random.randrange(2):
            data = b"REDQ" + data
        send(sock, data)
        reset(sock) if vm.random.randrange(4) == 0 else end_of(sock)
        vm.cases["noise before the link"] += 1
        if number % 20 == 0:
            vm.good_picture()


def test_link_messages(vm):
    """Every number of a link message at its worst, and every length of it."""
    good = LinkRequest(ChannelType.MAIN, password=vm.password).pack()
    spots = [
        *fields_of(SpiceLinkHeader, 0),
        *fields_of(SpiceLinkMess, SpiceLinkHeader.SIZE),
        Spot("capabilities", len(good) - 4, 4),
    ]
    messages = [good[:size] for size in range(len(good))]
    for spot in spots:
        value = int.from_bytes(good[spot.offset : spot.offset + spot.size], "little")
        for bad in some(worst(spot.size, value), 0.3 * SCALE, vm.random):
            message = bytearray(good)
            at = slice(spot.offset, spot.offset + spot.size)
            message[at] = bad.to_bytes(spot.size, "little")
            messages.append(bytes(message) + vm.random.randbytes(200))
    for number, message in enumerate(messages):
        sock = stranger(vm)
        send(sock, message)
        end_of(sock)
        vm.cases["a bad link message"] += 1
        if number % 20 == 0:
            vm.good_picture()


def test_tickets(vm):
    """Tickets that are none, in any length."""
    request = LinkRequest(ChannelType.MAIN, password="").pack()
    for _ in range(int(60 * SCALE)):
        sock = stranger(vm)
        sock.sendall(request)
        sock.recv(4096)
        mechanism = vm.random.choice([1, 1, 1, 0, 2, 0xFFFFFFFF]).to_bytes(4, "little")
        size = vm.random.choice([0, 1, 127, 128, 129, 4096])
        send(sock, mechanism + vm.random.randbytes(size))
        end_of(sock)
        vm.cases["a bad ticket"] += 1
    for password in ("", "tickeT", "ticket2", "x" * 60):
        with (
            contextlib.closing(stranger(vm)) as sock,
            pytest.raises(SpiceClientError),
        ):
            link(sock, LinkRequest(ChannelType.MAIN, password=password))
        vm.cases["a bad ticket"] += 1
    vm.good_picture()


def test_half_open_connections(vm):
    """Hundreds that begin and never end, a byte at a time."""
    request = LinkRequest(ChannelType.MAIN, password="").pack()
    for _ in range(max(1, int(SCALE))):
        socks = [stranger(vm) for _ in range(400)]
        for at in range(0, len(request), 4):
            for sock in socks[:: vm.random.randint(1, 5)]:
                send(sock, request[at : at + 1])
            vm.good_picture()
        # They keep nobody out.
        with vm.painted_client() as client:
            vm.good_picture(client)
        for sock in socks:
            reset(sock) if vm.random.randrange(2) else sock.close()
        vm.cases["half-open connections"] += len(socks)
        vm.good_picture()


# ---- after authentication


class Victim:
    """The main channel of a session whose other channels misbehave."""

    def __init__(self, vm) -> None:
        self.sock = dial(vm.qxld.port)
        result, rest = link(
            self.sock, LinkRequest(ChannelType.MAIN, password=vm.password)
        )
        assert result.mini_header
        while len(rest) < 10:
            rest += self.sock.recv(4096)
        self.session = int.from_bytes(rest[6:10], "little")

    def channel(self, vm, channel: ChannelType, *, mini: bool) -> socket.socket:
        """Link a channel of the session, or a session of its own for a main one."""
        common = (0, 1, 3) if mini else (0, 1)
        session = 0 if channel is ChannelType.MAIN else self.session
        sock = dial(vm.qxld.port)
        link(sock, LinkRequest(channel, 0, session, (0, 1, 2, 3), common, vm.password))
        return sock


def framed(kind: int, body: bytes, *, mini: bool, size: int | None = None) -> bytes:
    size = len(body) if size is None else size
    if mini:
        return struct.pack("<HI", kind & 0xFFFF, size) + body
    return struct.pack("<QHII", 1, kind & 0xFFFF, size, 0) + body


def bad_body(vm, channel: ChannelType, kind: int) -> bytes:
    """Something like a body of that message."""
    cls = message_class(channel, Direction.MSGC, kind)
    size = getattr(cls, "SIZE", 0) or vm.random.randrange(40)
    match vm.random.randrange(5):
        case 0:
            return b""
        case 1:
            return b"\xff" * size
        case 2:
            return vm.random.randbytes(max(0, size + vm.random.randint(-3, 40)))
        case 3 if isinstance(cls, type) and issubclass(cls, WireStruct) and cls.SIZE:
            body = bytearray(cls.SIZE)
            for spot in fields_of(cls, 0):
                value = vm.random.choice(worst(spot.size, 0))
                at = slice(spot.offset, spot.offset + spot.size)
                body[at] = value.to_bytes(spot.size, "little")
            return bytes(body)
        case _:
            return vm.random.randbytes(size)


def garbage(vm, channel: ChannelType, *, mini: bool) -> bytes:
    """A few messages, good ones and bad ones, or no messages at all."""
    match vm.random.randrange(6):
        case 0:
            return vm.random.randbytes(vm.random.randrange(1, 3000))
        case 1:
            size = vm.random.choice([0x7FFFFFFF, 0xFFFFFFFF, 1 << 20, 4097])
            kind = vm.random.randrange(120)
            return framed(kind, bytes(5000), mini=mini, size=size)
    data = b""
    for _ in range(vm.random.randint(1, 20)):
        kind = vm.random.choice([*range(1, 8), *range(101, 118)])
        if vm.random.randrange(30) == 0:
            kind = vm.random.getrandbits(16)
        data += framed(kind, bad_body(vm, channel, kind), mini=mini)
    return data


def test_messages(vm):
    """Anything at all on every channel, with both kinds of headers."""
    for _ in range(int(250 * SCALE)):
        victim = Victim(vm)
        for channel in CHANNELS:
            mini = bool(vm.random.randrange(2))
            sock = victim.channel(vm, channel, mini=mini)
            data = garbage(vm, channel, mini=mini)
            send(sock, data[: vm.random.randrange(1, len(data) + 1)])
            reset(sock) if vm.random.randrange(3) == 0 else end_of(sock)
            vm.cases[f"garbage on {channel.name.lower()}"] += 1
        victim.sock.close()
        vm.good_picture()


def test_one_message_of_each_type(vm):
    """One bad message of every type on every channel, which then is used on."""
    victim = Victim(vm)
    for channel in CHANNELS:
        sock = victim.channel(vm, channel, mini=True)
        for kind in [*range(9), *range(100, 120), 0x7FFF, 0xFFFF]:
            for _ in range(max(1, int(3 * SCALE))):
                try:
                    sock.sendall(framed(kind, bad_body(vm, channel, kind), mini=True))
                    # An answer to this is only there when all before was digested.
                    sock.sendall(framed(3, bytes(12), mini=True))
                except ConnectionError:
                    sock.close()
                    sock = victim.channel(vm, channel, mini=True)
                vm.cases[f"a bad message on {channel.name.lower()}"] += 1
        end_of(sock)
        vm.good_picture()
    victim.sock.close()
