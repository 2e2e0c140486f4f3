from __future__ import annotations

from spice_server.channel.ack import DEFAULT_WINDOW, AckWindow


def started():
    ack = AckWindow()
    ack.sync(ack.start(DEFAULT_WINDOW))
    return ack


def test_nothing_is_held_back_without_a_window():
    ack = AckWindow()
    ack.sent(10_000_000)
    assert ack.available > 1_000_000


def test_two_windows_may_be_unacknowledged():
    ack = started()
    ack.sent(39)
    assert ack.available == 1
    ack.sent(1)
    assert ack.available == 0
    ack.ack()
    assert ack.available == 20


def test_acks_count_only_after_their_generation_is_synced():
    ack = AckWindow()
    first = ack.start(20)
    ack.sent(40)
    ack.ack()
    assert ack.available == 0
    ack.sync(first)
    ack.ack()
    assert ack.available == 20


def test_acks_of_an_older_generation_change_nothing():
    ack = started()
    ack.start(30)
    ack.sent(60)
    ack.ack()
    assert ack.available == 0
    ack.sync(ack.generation)
    ack.ack()
    assert ack.available == 30


def test_too_many_acks_give_no_credit():
    ack = started()
    for _ in range(1000):
        ack.ack()
    assert ack.available == 40


def test_an_overrun_by_a_large_item_is_paid_back():
    ack = started()
    ack.sent(100)
    assert ack.available == 0
    for _ in range(4):
        ack.ack()
    assert ack.available == 20
