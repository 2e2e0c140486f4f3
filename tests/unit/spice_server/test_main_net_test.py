from __future__ import annotations

import math

import pytest

from spice_server.main.net_test import BALLAST, NetTest


def started():
    test = NetTest()
    for ping_id in (1, 2, 3):
        test.sent(ping_id)
    return test


def test_three_pings_give_latency_and_bitrate():
    test = started()
    assert not test.pong(1, 0.5)
    assert not test.pong(2, 0.010)
    assert test.pong(3, 0.110)
    assert test.latency == 0.010
    assert test.bitrate == pytest.approx(len(BALLAST) * 8 / 0.1)
    assert not test.low_bandwidth


def test_a_slow_link_is_known():
    test = started()
    test.pong(2, 0.010)
    test.pong(3, 1.010)
    assert test.low_bandwidth


def test_a_local_client_may_answer_the_large_ping_first():
    test = started()
    test.pong(2, 0.010)
    assert test.pong(3, 0.009)
    assert test.bitrate == math.inf


def test_other_pongs_and_later_ones_say_nothing():
    test = started()
    assert not test.pong(77, 1.0)
    assert not test.pong(3, 1.0), "there is no latency to subtract"
    test.pong(2, 0.01)
    test.pong(3, 0.02)
    assert not test.pong(3, 5.0)
    assert test.latency == 0.01
