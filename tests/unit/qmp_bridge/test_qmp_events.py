"""Events as QEMU prints them (lines from corpus/qmp/spice-active.txt and -unix.txt)."""

from __future__ import annotations

import pytest

from qmp_bridge.events import event_message
from qmp_bridge.message import line_of
from vd_interfaces.control import (
    ChannelEvent,
    ChannelEventKind,
    SpiceChannel,
    SpiceEndpoint,
)

SERVER = SpiceEndpoint("127.0.0.1", "42039", "ipv4")
CLIENT = SpiceEndpoint("127.0.0.1", "43966", "ipv4")
CHANNEL = SpiceChannel(CLIENT, 2**32 - 351686673, 1, 0, tls=False)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            ChannelEvent(ChannelEventKind.CONNECTED, SERVER, CLIENT, "spice", None),
            '{"timestamp": {"seconds": 1795333273, "microseconds": 261271}, "event": '
            '"SPICE_CONNECTED", "data": {"server": {"port": "42039", "family": "ipv4", '
            '"host": "127.0.0.1"}, "client": {"port": "43966", "family": "ipv4", '
            '"host": "127.0.0.1"}}}\r\n',
        ),
        (
            ChannelEvent(
                ChannelEventKind.INITIALIZED, SERVER, CLIENT, "spice", CHANNEL
            ),
            '{"timestamp": {"seconds": 1795333273, "microseconds": 261271}, "event": '
            '"SPICE_INITIALIZED", "data": {"server": {"auth": "spice", "port": "42039", '
            '"family": "ipv4", "host": "127.0.0.1"}, "client": {"port": "43966", '
            '"family": "ipv4", "channel-type": 1, "connection-id": -351686673, "host": '
            '"127.0.0.1", "channel-id": 0, "tls": false}}}\r\n',
        ),
        (
            ChannelEvent(
                ChannelEventKind.DISCONNECTED,
                SpiceEndpoint("localhost", "/run/x/qs.sock", "unix"),
                SpiceEndpoint("localhost", "", "unix"),
                "none",
                None,
            ),
            '{"timestamp": {"seconds": 1795333273, "microseconds": 261271}, "event": '
            '"SPICE_DISCONNECTED", "data": {"server": {"port": "/run/x/qs.sock", '
            '"family": "unix", "host": "localhost"}, "client": {"port": "", "family": '
            '"unix", "host": "localhost"}}}\r\n',
        ),
    ],
)
def test_events(event, line):
    assert line_of(event_message(event, 1795333273.2612715)).decode() == line
