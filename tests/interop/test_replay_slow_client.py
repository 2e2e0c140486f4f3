"""A client on a bad line beside one on a good one: it holds nobody up."""

from __future__ import annotations

import signal

import pytest

from tests.peers import recorded_streams
from tests.peers.qxld_replay import QxldReplay
from tests.peers.recorded_streams import cut
from tests.peers.replay_clients import Gtk, judged, missing, settle
from tests.peers.slow_link import SlowLink

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
]

RATE = 1e6
"""Bytes per second: 8 Mbit/s."""


# Uncompressed, what is drawn is many times what the line can take meanwhile.
@pytest.mark.parametrize("name", ["desk-ums", "console-kms"])
def test_both_see_the_end_and_the_guest_does_not_wait(name, tmp_path) -> None:
    if reason := recorded_streams.missing():
        pytest.skip(reason)
    stream = cut(name, tmp_path)
    expected = judged(stream, "off", tmp_path)
    faults: list[str] = []
    with QxldReplay(stream, "off", "--linger", 3600, clients=2) as server:
        server.wait_up()
        with (
            SlowLink(server.port, RATE) as line,
            Gtk(server.port, tmp_path) as fast,
            Gtk(line.port, tmp_path) as slow,
        ):
            faults += settle(fast, expected, "the fast client")
            faults += settle(slow, expected, "the slow client")
        server.process.send_signal(signal.SIGTERM)
        told = server.finish()
    assert not faults
    assert told["released"] == told["commands"]
    # Most of the time was spent on the line, when the guest had nothing left to do.
    assert told["wall_seconds"] < told["sent_seconds"] / 2
