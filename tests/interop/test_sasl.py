"""spice-gtk logs in by SASL: it has its own copy of the other half of the library."""

from __future__ import annotations

import asyncio

import pytest

from spice_server.config import TlsConfig
from tests.fakes import sasl_users
from tests.fakes.input_sink import RecordingSink
from tests.fakes.pki import write_pki
from tests.fakes.sasl_users import PASSWORD, USER, use_sasl_users
from tests.fakes.spice_channels import SilentCursor, SilentDisplay, running_server
from tests.peers.gtk_client import GtkClient, missing

REASON = missing() or sasl_users.missing()
pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.interop,
    pytest.mark.skipif(REASON is not None, reason=str(REASON)),
]


@pytest.fixture(autouse=True)
def users():
    use_sasl_users()


def listening(way, folder):
    """The server's settings and what the client must know, by kind of connection."""
    if way == "plain":
        return {"port": 0}, lambda control: {
            "host": "127.0.0.1",
            "port": str(control.port),
        }
    if way == "unix":
        path = folder / "spice"
        return {"port": None, "unix_path": path}, lambda _: {"unix-path": str(path)}
    pki = write_pki(folder)
    tls = {"port": None, "tls_port": 0, "tls": TlsConfig.from_directory(pki)}
    return tls, lambda control: {
        "host": "127.0.0.1",
        "tls-port": str(control.tls_port),
        "ca-file": str(pki / "ca-cert.pem"),
    }


def type_something(options):
    with GtkClient(**options) as client:
        for name in ("main", "display", "cursor", "inputs"):
            client.wait_seen("channel", channel=f"{name}:0", event="opened")
        client.send("type", "aB")
        client.send("disconnect")


@pytest.mark.parametrize("way", ["plain", "tls", "unix"])
async def test_a_user_gets_in(way, tmp_path, caplog):
    caplog.set_level("INFO")
    sink = RecordingSink()
    config, options = listening(way, tmp_path)
    async with running_server(
        SilentDisplay(), SilentCursor(), sink=sink, sasl=True, **config
    ) as server:
        assert server.control.query_spice().auth == "sasl"
        who = {"username": USER, "password": PASSWORD}
        await asyncio.to_thread(type_something, {**options(server.control), **who})
        assert server.stats.linked == 4
    assert sink.scancodes == bytes.fromhex("1e9e 2a 30b0 aa")
    assert caplog.text.count(f"user '{USER}") == 4


def refused(options):
    with GtkClient(**options) as client:
        client.wait("channel", channel="main:0", event="error-auth")


@pytest.mark.parametrize("way", ["plain", "tls"])
@pytest.mark.parametrize(
    "who",
    [
        {"username": USER, "password": "wrong"},
        {"username": "stranger", "password": PASSWORD},
        {"username": USER},
    ],
)
async def test_strangers_do_not(way, who, tmp_path):
    config, options = listening(way, tmp_path)
    async with running_server(sasl=True, **config) as server:
        await asyncio.to_thread(refused, {**options(server.control), **who})
        assert not server.stats.linked
