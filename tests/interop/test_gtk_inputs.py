"""spice-gtk opens main and inputs, types and points; the sink sees just that."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from spice_server.config import TlsConfig
from tests.fakes.input_sink import RecordingSink
from tests.fakes.pki import write_pki
from tests.fakes.spice_channels import SilentCursor, SilentDisplay, running_server
from tests.peers.gtk_client import GtkClient, missing

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
]

CLIENT_MODE, SERVER_MODE = 2, 1


def use(options, light_caps_lock):
    """Drive the client; runs in a thread of its own, beside the server's loop."""
    with GtkClient(**options) as client:
        for name in ("main", "display", "cursor", "inputs"):
            client.wait_seen("channel", channel=f"{name}:0", event="opened")
        client.wait_seen("mouse-mode", mode=CLIENT_MODE)
        client.send("type", "aB")
        client.send("position", 10, 20)
        client.send("click", 1)
        client.send("mouse_mode", SERVER_MODE)
        client.wait("mouse-mode", mode=SERVER_MODE)
        client.send("motion", 3, -4)
        light_caps_lock()
        client.wait("modifiers", leds=4)
        client.send("disconnect")


def check(sink):
    assert sink.scancodes == bytes.fromhex("1e9e 2a 30b0 aa")
    assert [c for c in sink.calls if c[0] in {"position", "buttons", "motion"}] == [
        ("position", 10, 20, 0, 0),
        ("buttons", 1),
        ("buttons", 0),
        ("motion", 3, -4, 0, 0),
    ]


@pytest.mark.asyncio
@pytest.mark.parametrize("way", ["tcp", "tls", "unix"])
async def test_keys_and_pointer_reach_the_guest(way, tmp_path):
    sink = RecordingSink()
    pki = write_pki(tmp_path / "pki")
    listen = {
        "tcp": {},
        "tls": {"port": None, "tls_port": 0, "tls": TlsConfig.from_directory(pki)},
        "unix": {"port": None, "unix_path": tmp_path / "spice"},
    }[way]
    async with running_server(
        SilentDisplay(), SilentCursor(), sink=sink, **listen
    ) as server:
        control = server.control
        options = {
            "tcp": {"host": "127.0.0.1", "port": str(control.port)},
            "tls": {
                "host": "127.0.0.1",
                "tls-port": str(control.tls_port),
                "ca-file": str(pki / "ca-cert.pem"),
                "cert-subject": "O=Test,CN=spice-test",
            },
            "unix": {"unix-path": str(tmp_path / "spice")},
        }[way]
        loop = asyncio.get_running_loop()
        light = partial(loop.call_soon_threadsafe, partial(sink.change, leds=4))
        await asyncio.to_thread(use, {**options, "password": "sekret"}, light)
    check(sink)
    assert sink.calls[-1] == ("release_all",)


@pytest.mark.asyncio
async def test_a_wrong_password_is_an_authentication_error():
    def refused(port):
        with GtkClient(host="127.0.0.1", port=str(port), password="wrong") as client:
            client.wait("channel", channel="main:0", event="error-auth")

    async with running_server() as server:
        await asyncio.to_thread(refused, server.control.port)
        assert server.stats.refused["PERMISSION_DENIED"]
