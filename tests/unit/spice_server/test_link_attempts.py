from __future__ import annotations

import pytest

from spice_server.link import attempts as module
from spice_server.link.attempts import Attempts, peer_key
from vd_interfaces.control import SpiceEndpoint

NOW = 1000.0


def failing(attempts, peer, times=1, now=NOW):
    for _ in range(times):
        assert attempts.allows(peer, now)
        attempts.failed(peer, now)


def test_ten_in_a_row_then_one_every_six_seconds():
    attempts = Attempts()
    failing(attempts, "a", 10)
    assert not attempts.allows("a", NOW)
    assert not attempts.allows("a", NOW + 5.9)
    failing(attempts, "a", now=NOW + 6)
    assert not attempts.allows("a", NOW + 6)
    failing(attempts, "a", 10, now=NOW + 100)


def test_being_refused_costs_nothing_more():
    attempts = Attempts()
    failing(attempts, "a", 10)
    for second in range(60):
        if attempts.allows("a", NOW + second):
            attempts.failed("a", NOW + second)
    assert attempts.allows("a", NOW + 66)


def test_others_are_not_concerned():
    attempts = Attempts()
    failing(attempts, "a", 10)
    failing(attempts, "b", 10)
    assert attempts.allows("c", NOW)


def test_many_peers_together_get_one_try_each():
    attempts = Attempts()
    for number in range(20):
        failing(attempts, f"peer {number}", 5)
    assert not attempts.allows("peer 3", NOW)
    failing(attempts, "new")
    assert not attempts.allows("new", NOW)
    assert not attempts.allows("new", NOW + 0.4)
    assert attempts.allows("new", NOW + 2), "half a second forgives one"


def test_whoever_never_failed_always_gets_a_try():
    attempts = Attempts()
    for number in range(5000):
        failing(attempts, f"peer {number}")
    assert attempts.allows("the owner", NOW)


def test_the_table_is_bounded_and_keeps_the_latest(monkeypatch):
    monkeypatch.setattr(module, "MAX_PEERS", 3)
    attempts = Attempts()
    failing(attempts, "first", 10)
    failing(attempts, "second", 9)
    for peer in ("third", "second", "fourth"):
        failing(attempts, peer)
    assert len(attempts) == 3
    assert attempts.allows("first", NOW)
    assert not attempts.allows("second", NOW)


@pytest.mark.parametrize(
    ("family", "host", "key"),
    [
        ("ipv4", "192.0.2.1", "192.0.2.1"),
        ("ipv6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("ipv6", "fe80::1%eth0", "fe80::/64"),
        ("ipv6", "::ffff:192.0.2.1", "192.0.2.1"),
        ("ipv6", "what", "what"),
        ("unix", "localhost", "unix"),
        ("unknown", "", "unknown"),
    ],
)
def test_who_a_peer_is(family, host, key):
    assert peer_key(SpiceEndpoint(host, "1", family)) == key
