from __future__ import annotations

import pytest

from spice_server.inputs.lock_keys import LockKeys

SCROLL, NUM, CAPS = 1, 2, 4


def type_codes(locks, codes):
    for byte in codes:
        locks.pressed(byte)


@pytest.mark.parametrize(
    ("state", "wanted", "codes"),
    [
        (0, 0, ""),
        (0, NUM, "45c5"),
        (NUM, 0, "45c5"),
        (CAPS, NUM, "45c5 3aba"),
        (0, SCROLL | NUM | CAPS, "46c6 45c5 3aba"),
        (0, 0xFFF8, ""),
    ],
)
def test_locks_are_toggled_to_what_is_wanted(state, wanted, codes):
    locks = LockKeys(state)
    got = locks.to_reach(wanted)
    assert got == bytes.fromhex(codes)
    type_codes(locks, got)
    assert locks.to_reach(wanted) == b""


def test_lock_keys_that_are_typed_are_followed():
    locks = LockKeys(0)
    type_codes(locks, bytes.fromhex("3aba"))
    assert locks.state == CAPS
    type_codes(locks, bytes.fromhex("3aba 45c5"))
    assert locks.state == NUM


def test_autorepeat_toggles_once():
    locks = LockKeys(0)
    type_codes(locks, bytes.fromhex("3a3a3aba"))
    assert locks.state == CAPS


def test_pause_and_break_are_no_lock_keys():
    locks = LockKeys(0)
    type_codes(locks, bytes.fromhex("e11d45 e19dc5 e046e0c6"))
    assert locks.state == 0
    type_codes(locks, bytes.fromhex("45c5"))
    assert locks.state == NUM


def test_the_guests_leds_win_when_they_change():
    locks = LockKeys(0)
    type_codes(locks, bytes.fromhex("45c5"))
    assert not locks.leds_changed(NUM), "it is what was believed"
    assert not locks.leds_changed(NUM)
    assert locks.leds_changed(NUM | CAPS)
    assert locks.state == NUM | CAPS


def test_a_guest_that_shows_nothing_is_not_toggled_for_ever():
    locks = LockKeys(0)
    for _ in range(3):
        assert not locks.leds_changed(0)
        type_codes(locks, locks.to_reach(NUM))
        assert locks.state == NUM
