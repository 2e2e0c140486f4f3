from __future__ import annotations

import asyncio
import errno
import os
import socket
import stat
from types import SimpleNamespace

import pytest

from spice_server.errors import ListenError
from spice_server.listener import (
    Listener,
    endpoint,
    listen_tcp,
    listen_unix,
)
from vd_interfaces.control import SpiceEndpoint


def close(*sockets):
    for sock in sockets:
        sock.close()


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


# -- TCP -----------------------------------------------------------------------


def test_one_address():
    (sock,) = listen_tcp("127.0.0.1", 0)
    assert sock.getsockname()[0] == "127.0.0.1"
    close(sock)


def test_every_address_has_the_same_port():
    sockets = listen_tcp("", 0)
    assert len({sock.getsockname()[1] for sock in sockets}) == 1
    families = {sock.family for sock in sockets}
    assert socket.AF_INET in families
    assert (socket.AF_INET6 in families) == has_ipv6()
    close(*sockets)


@pytest.mark.skipif(not has_ipv6(), reason="the kernel has no IPv6")
def test_ipv6_leaves_ipv4_alone():
    (six,) = listen_tcp("::1", 0)
    (four,) = listen_tcp("127.0.0.1", six.getsockname()[1])
    close(six, four)


def test_a_port_in_use_is_one_clear_line():
    (sock,) = listen_tcp("127.0.0.1", 0)
    port = sock.getsockname()[1]
    with pytest.raises(ListenError) as raised:
        listen_tcp("127.0.0.1", port)
    text = f"cannot listen on 127.0.0.1 port {port}: Address already in use"
    assert str(raised.value) == text
    close(sock)


@pytest.mark.parametrize("addr", ["no.such.host.invalid", "a" * 300, "192.0.2.1"])
def test_an_address_that_is_not_ours_is_one_clear_line(addr):
    with pytest.raises(ListenError, match=r"^cannot listen on ") as raised:
        listen_tcp(addr, 0)
    assert "\n" not in str(raised.value)


# -- unix ----------------------------------------------------------------------


def test_a_unix_socket_has_its_mode(tmp_path):
    path = tmp_path / "spice"
    sock = listen_unix(path, 0o660)
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    close(sock)


def test_a_stale_unix_socket_is_replaced(tmp_path):
    path = tmp_path / "spice"
    close(listen_unix(path, 0o600))
    assert path.exists()
    close(listen_unix(path, 0o600))


def test_a_unix_socket_in_use_is_left_alone(tmp_path):
    path = tmp_path / "spice"
    sock = listen_unix(path, 0o600)
    with pytest.raises(ListenError, match="another server does"):
        listen_unix(path, 0o600)
    assert path.exists()
    close(sock)


def test_what_is_no_socket_is_left_alone(tmp_path):
    path = tmp_path / "precious"
    path.write_text("data")
    with pytest.raises(ListenError, match="is no socket"):
        listen_unix(path, 0o600)
    assert path.read_text() == "data"


@pytest.mark.parametrize("name", ["missing/spice", "x" * 200])
def test_a_path_that_cannot_be_is_one_clear_line(tmp_path, name):
    with pytest.raises(ListenError, match=r"^cannot listen on "):
        listen_unix(tmp_path / name, 0o600)


# -- endpoints -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "address", "expected"),
    [
        (socket.AF_INET, ("10.0.0.1", 5900), ("10.0.0.1", "5900", "ipv4")),
        (socket.AF_INET6, ("::1", 5900, 0, 0), ("::1", "5900", "ipv6")),
        (socket.AF_UNIX, "/run/spice", ("localhost", "/run/spice", "unix")),
        (socket.AF_UNIX, "", ("localhost", "", "unix")),
        (socket.AF_INET, None, ("", "", "unknown")),
    ],
)
def test_endpoints_are_qapis(family, address, expected):
    sock = SimpleNamespace(family=family)
    assert endpoint(sock, address) == SpiceEndpoint(*expected)


# -- accepting -----------------------------------------------------------------


class Accepted(list):
    def __init__(self):
        self.came = asyncio.Event()

    def __call__(self, connection):
        self.append(connection)
        self.came.set()


@pytest.mark.asyncio
async def test_accepted_sockets_are_ready_for_small_messages():
    (sock,) = listen_tcp("127.0.0.1", 0)
    accepted = Accepted()
    listener = Listener(sock, accepted)
    listener.start()
    client = socket.create_connection(("127.0.0.1", listener.port))
    await accepted.came.wait()
    (connection,) = accepted
    ours = connection._sock
    assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert not ours.getblocking()
    assert connection.peer.port == str(client.getsockname()[1])
    assert connection.local.port == str(listener.port)
    connection.abort()
    listener.stop()
    client.close()


@pytest.mark.asyncio
async def test_without_descriptors_it_pauses_and_goes_on(monkeypatch, caplog):
    (sock,) = listen_tcp("127.0.0.1", 0)
    accepted = Accepted()
    listener = Listener(sock, accepted)
    monkeypatch.setattr("spice_server.listener.PAUSE", 0.0)

    class Exhausted:
        """The socket as it is while the process has no descriptor left."""

        family = sock.family
        fileno = sock.fileno
        close = sock.close
        attempts = 0

        def accept(self):
            self.attempts += 1
            if self.attempts < 3:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            return sock.accept()

    listener._sock = exhausted = Exhausted()
    listener.start()
    client = socket.create_connection(sock.getsockname())
    await accepted.came.wait()
    assert exhausted.attempts >= 3
    assert "no connection is accepted for now: Too many open files" in caplog.text
    accepted[0].abort()
    listener.stop()
    client.close()
