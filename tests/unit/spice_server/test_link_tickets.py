from __future__ import annotations

import pytest

from spice_server.link.tickets import TicketStore
from vd_interfaces.control import ControlError

NOW = 1_800_000_000.0


def store(password="sekret"):
    tickets = TicketStore()
    tickets.set_password(password)
    return tickets


@pytest.mark.parametrize("ticket", [b"sekret", b"sekret\0", b"sekret\0garbage"])
def test_the_right_password(ticket):
    assert store().refusal(ticket, NOW) is None


@pytest.mark.parametrize(
    "ticket", [b"", b"\0", b"sekre", b"sekretx", b"SEKRET", b"\0sekret"]
)
def test_a_wrong_password(ticket):
    assert store().refusal(ticket, NOW) == "the password is wrong"


def test_without_a_password_nobody_gets_in():
    assert TicketStore().refusal(b"", NOW) == "no password is set"
    assert store("").refusal(b"\0", NOW) == "no password is set"


def test_without_ticketing_everybody_does():
    tickets = TicketStore(ticketing=False)
    assert tickets.refusal(b"anything", NOW) is None
    with pytest.raises(ControlError, match="disabled"):
        tickets.set_password("x")


def test_expiry_is_a_moment():
    tickets = store()
    tickets.expire(NOW)
    assert tickets.refusal(b"sekret", NOW - 0.001) is None
    assert tickets.refusal(b"sekret", NOW) == "the password has expired"


def test_expiry_outlives_a_new_password():
    tickets = store()
    tickets.expire(NOW)
    tickets.set_password("other")
    assert tickets.refusal(b"other", NOW) == "the password has expired"
    tickets.expire(None)
    assert tickets.refusal(b"other", NOW) is None


def test_a_wrong_password_says_nothing_about_expiry_to_the_client():
    tickets = store()
    tickets.expire(NOW)
    assert tickets.refusal(b"wrong", NOW) == "the password has expired"


def test_60_bytes_are_the_most():
    assert store("p" * 60).refusal(b"p" * 60, NOW) is None
    assert store("ä" * 30).refusal(("ä" * 30).encode(), NOW) is None
    for password in ("p" * 61, "ä" * 31):
        with pytest.raises(ControlError, match="at most 60 bytes"):
            store(password)


def test_a_refused_password_leaves_the_old_one():
    tickets = store()
    for bad in ("x" * 61, "a\0b"):
        with pytest.raises(ControlError):
            tickets.set_password(bad)
    assert tickets.refusal(b"sekret", NOW) is None
