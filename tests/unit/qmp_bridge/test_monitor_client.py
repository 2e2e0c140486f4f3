"""What a monitor client leaves behind, and one that cannot be served yet."""

from __future__ import annotations

import asyncio
import logging
import os
import socket

import pytest

from qmp_bridge import proxy
from qmp_bridge.capabilities import parse_greeting
from qmp_bridge.monitor_client import MonitorClient
from qmp_bridge.named_fds import NamedFds
from qmp_bridge.proxy import Bridge
from tests.fakes.no_descriptors import no_descriptors
from tests.fakes.qmp_client import QmpClient
from tests.fakes.qmp_server import GREETING, FakeQmpServer
from tests.fakes.spice_control import FakeSpiceControl

pytestmark = pytest.mark.asyncio


class Link:
    """Takes what is meant for QEMU, and its own session."""

    def __init__(self) -> None:
        self.session = self
        self.sent: list[tuple[bytes, list[int]]] = []

    def submit(self, lane, message, on_reply, fds=()) -> None:
        del lane, on_reply
        self.sent.append((message, list(fds)))


async def test_what_a_client_asked_for_is_done_though_it_read_nothing_and_left():
    link = Link()
    served, client = socket.socketpair()
    descriptor = os.dup(0)
    gone = []
    monitor = MonitorClient(
        served, link, parse_greeting(GREETING), {}, NamedFds(), gone.append
    )
    monitor.received(b'{"execute":"qmp_capabilities"}', [])
    monitor.send(bytes(4 << 20))
    assert monitor.congested
    getfd = b'{"execute":"getfd","arguments":{"fdname":"a"}}'
    monitor.received(getfd, [descriptor])
    assert link.sent == []
    client.close()
    monitor.failed(ConnectionResetError())
    assert gone
    # Else the descriptor would be open for as long as we live.
    assert link.sent == [(getfd, [descriptor])]
    os.close(descriptor)


async def test_without_descriptors_clients_wait_and_nothing_turns(
    tmp_path, caplog, monkeypatch
):
    monkeypatch.setattr(proxy, "_PAUSE_S", 0.01)
    qemu = FakeQmpServer()
    qemu.serve(asyncio.get_running_loop())
    bridge = Bridge(qemu.client, tmp_path / "monitor", FakeSpiceControl())
    await bridge.start()
    sock = socket.socket(socket.AF_UNIX)
    with caplog.at_level(logging.WARNING), no_descriptors():
        sock.connect(str(tmp_path / "monitor"))
        for _ in range(300):
            await asyncio.sleep(0)
    assert 1 <= len(caplog.records) < 150
    client = QmpClient(sock)
    assert await client.line() == GREETING
    client.close()
    bridge.stop()
    qemu.close()
