from __future__ import annotations

import pytest

from spice_server.link.tickets import Moment, TicketStore
from vd_interfaces.control import ControlError

WALL = 1_800_000_000.0
NOW = 5000.0
AT = Moment(WALL, NOW)


def store(password="sekret", **options):
    tickets = TicketStore(**options)
    tickets.set_password(password, AT)
    return tickets


@pytest.mark.parametrize("ticket", [b"sekret", b"sekret\0", b"sekret\0garbage"])
def test_the_right_password(ticket):
    assert store().refusal(ticket, NOW, None) is None


@pytest.mark.parametrize(
    "ticket", [b"", b"\0", b"sekre", b"sekretx", b"SEKRET", b"\0sekret"]
)
def test_a_wrong_password(ticket):
    assert store().refusal(ticket, NOW, None) == "the password is wrong"


def test_without_a_password_nobody_gets_in():
    assert TicketStore().refusal(b"", NOW, None) == "no password is set"
    assert store("").refusal(b"\0", NOW, None) == "no password is set"


def test_without_ticketing_everybody_does():
    tickets = TicketStore(ticketing=False)
    assert tickets.refusal(b"anything", NOW, None) is None
    with pytest.raises(ControlError, match="disabled"):
        tickets.set_password("x", AT)


def test_expiry_is_a_moment():
    tickets = store()
    tickets.expire(WALL, AT)
    assert tickets.refusal(b"sekret", NOW - 0.001, None) is None
    assert tickets.refusal(b"sekret", NOW, None) == "the password has expired"


def test_expiry_outlives_a_new_password():
    tickets = store()
    tickets.expire(WALL, AT)
    tickets.set_password("other", AT)
    assert tickets.refusal(b"other", NOW, None) == "the password has expired"
    tickets.expire(None, AT)
    assert tickets.refusal(b"other", NOW, None) is None


def test_a_wrong_password_says_nothing_about_expiry_to_the_client():
    tickets = store()
    tickets.expire(WALL, AT)
    assert tickets.refusal(b"wrong", NOW, None) == "the password has expired"


def test_60_bytes_are_the_most():
    assert store("p" * 60).refusal(b"p" * 60, NOW, None) is None
    assert store("ä" * 30).refusal(("ä" * 30).encode(), NOW, None) is None
    for password in ("p" * 61, "ä" * 31):
        with pytest.raises(ControlError, match="at most 60 bytes"):
            store(password)


def test_a_refused_password_leaves_the_old_one():
    tickets = store()
    for bad in ("x" * 61, "a\0b"):
        with pytest.raises(ControlError):
            tickets.set_password(bad, AT)
    assert tickets.refusal(b"sekret", NOW, None) is None


def test_a_clock_that_is_set_changes_no_lifetime():
    tickets = store()
    tickets.expire(WALL + 60, AT)
    assert tickets.refusal(b"sekret", NOW + 59, None) is None
    assert tickets.refusal(b"sekret", NOW + 60, None) == "the password has expired"
    # It counts again when something is set, as QEMU does it.
    tickets.set_password("sekret", Moment(WALL - 1000, NOW + 60))
    assert tickets.refusal(b"sekret", NOW + 1119, None) is None
    assert tickets.refusal(b"sekret", NOW + 1120, None) == "the password has expired"


def living(*numbers):
    return set(numbers).__contains__


def test_a_one_time_password_opens_one_session_with_all_its_channels():
    tickets = store(one_time=True)
    tickets.expire(WALL + 60, AT)
    assert tickets.refusal(b"sekret", NOW, None) is None
    tickets.spend(7, living())
    assert tickets.refusal(b"sekret", NOW, None) == "no password is set"
    assert tickets.refusal(b"sekret\0", NOW, 7) is None
    assert tickets.refusal(b"sekret", NOW + 61, 7) is None, "it came in in time"
    assert tickets.refusal(b"other", NOW, 7) == "the password is wrong"
    assert tickets.refusal(b"", NOW, None) == "no password is set"


def test_the_next_one_time_password_is_the_next_session_s():
    tickets = store(one_time=True)
    tickets.spend(7, living())
    tickets.set_password("second", AT)
    tickets.spend(8, living(7))
    assert tickets.refusal(b"sekret", NOW, 7) is None
    assert tickets.refusal(b"second", NOW, 7) == "the password is wrong"
    assert tickets.refusal(b"second", NOW, 8) is None
    tickets.set_password("third", AT)
    tickets.spend(9, living(8))
    assert tickets.refusal(b"sekret", NOW, 7) == "no password is set"


def test_other_passwords_are_not_spent():
    tickets = store()
    tickets.spend(7, living())
    assert tickets.refusal(b"sekret", NOW, None) is None
