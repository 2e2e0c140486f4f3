"""spice-gtk finds its way to a channel that must be opened over TLS."""

from __future__ import annotations

import asyncio
import threading

import pytest

from spice_protocol.enums import ChannelType
from spice_server.config import ChannelSecurity, TlsConfig
from tests.fakes.pki import write_pki
from tests.fakes.spice_channels import SilentCursor, SilentDisplay, running_server
from tests.peers.gtk_client import GtkClient, missing
from vd_interfaces.control import ChannelEventKind

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.interop,
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
]


def open_all(options, linked):
    with GtkClient(**options) as client:
        for name in ("main", "display", "cursor", "inputs"):
            client.wait_seen("channel", channel=f"{name}:0", event="opened")
        # The client knows a little before the server has noted it.
        linked.wait()


@pytest.mark.parametrize(
    ("default", "security", "over_tls"),
    [
        ("any", {"INPUTS": "secure"}, {"INPUTS"}),
        ("any", {"MAIN": "secure", "DISPLAY": "secure"}, {"MAIN", "DISPLAY"}),
        ("secure", {"CURSOR": "any"}, {"MAIN", "DISPLAY", "INPUTS"}),
        ("secure", {}, {"MAIN", "DISPLAY", "INPUTS", "CURSOR"}),
    ],
)
async def test_channels_by_need(tmp_path, default, security, over_tls):
    pki = write_pki(tmp_path)
    async with running_server(
        SilentDisplay(),
        SilentCursor(),
        tls_port=0,
        tls=TlsConfig.from_directory(pki),
        default_security=ChannelSecurity(default),
        security={
            ChannelType[name]: ChannelSecurity(how) for name, how in security.items()
        },
    ) as server:
        control = server.control
        options = {
            "host": "127.0.0.1",
            "port": str(control.port),
            "tls-port": str(control.tls_port),
            "ca-file": str(pki / "ca-cert.pem"),
            "cert-subject": control.certificates.subject,
            "password": "sekret",
        }
        found, linked = {}, threading.Event()

        def note(event):
            if event.kind is ChannelEventKind.INITIALIZED:
                found[ChannelType(event.channel.channel_type).name] = event.channel.tls
                if len(found) == 4:
                    linked.set()

        control.on_channel_event(note)
        await asyncio.to_thread(open_all, options, linked)
    # Once main is over TLS spice-gtk may take TLS for the others at once.
    assert all(found[name] for name in over_tls), found
