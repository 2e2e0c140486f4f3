from __future__ import annotations

import pytest

from spice_protocol.enums import ChannelType, SpiceLinkErr
from spice_server.config import ChannelSecurity, ServerConfig
from spice_server.errors import LinkRefusedError
from spice_server.link.admission import Admission
from spice_server.link.link_message import LinkRequest
from spice_server.link.tickets import Moment, TicketStore
from vd_interfaces.control import SpiceEndpoint

MAIN, INPUTS, CURSOR = ChannelType.MAIN, ChannelType.INPUTS, ChannelType.CURSOR
SESSION = 0x1234
PEER, OTHER = (SpiceEndpoint(f"192.0.2.{n}", "1", "ipv4") for n in (1, 2))


def refusal(check):
    """What *check* refuses, if it does."""
    try:
        check()
    except LinkRefusedError as error:
        return error
    return None


class Rig:
    def __init__(self, *, ticketing=True, one_time=False, **config):
        self.now = 0.0
        self.living = {SESSION}
        self.tickets = TicketStore(ticketing=ticketing, one_time=one_time)
        if ticketing:
            self.tickets.set_password("right", Moment(0.0, 0.0))
        self.admission = Admission(
            ServerConfig(**config),
            self.tickets,
            lambda number: number in self.living,
            lambda: self.now,
        )

    def ticket(self, password, kind=MAIN, session=0, peer=PEER):
        """Why a ticket is refused; nothing if it is good."""
        request = LinkRequest(session, kind, 0, (), ())
        refused = refusal(lambda: self.admission.check_ticket(password, request, peer))
        assert refused is None or refused.error is SpiceLinkErr.PERMISSION_DENIED
        return str(refused) if refused else None


def test_the_right_ticket():
    rig = Rig()
    assert rig.ticket(b"right") is None
    assert rig.ticket(b"wrong") == "the password is wrong"
    assert rig.ticket(None) == "the ticket does not decrypt"


def test_without_ticketing_a_ticket_need_only_be_one():
    rig = Rig(ticketing=False)
    for _ in range(20):
        assert rig.ticket(b"whatever") is None
        assert rig.ticket(None) == "the ticket does not decrypt"


@pytest.mark.parametrize("guess", [b"wrong", None])
def test_a_guesser_is_not_listened_to(guess):
    rig = Rig()
    for _ in range(10):
        rig.ticket(guess)
    assert rig.ticket(b"right") == "too many wrong passwords came from there"
    assert rig.ticket(b"right", peer=OTHER) is None
    rig.now = 6.0
    assert rig.ticket(b"right") is None


def test_clients_that_are_in_are_beside_a_guesser_on_their_host():
    rig = Rig()
    for _ in range(10):
        rig.ticket(b"wrong")
    assert rig.ticket(b"right", INPUTS, SESSION) is None
    too_many = "too many wrong passwords came from there"
    assert rig.ticket(b"right", INPUTS, SESSION + 1) == too_many
    assert rig.ticket(b"right", MAIN, SESSION) == too_many


def test_a_one_time_ticket():
    rig = Rig(one_time=True)
    assert rig.ticket(b"right") is None
    rig.living.add(1)
    rig.admission.joined(1)
    assert rig.ticket(b"right") == "no password is set"
    assert rig.ticket(b"right", INPUTS, 1) is None
    rig.living.remove(1)
    assert rig.ticket(b"right", INPUTS, 1) == "no password is set"


@pytest.mark.parametrize(
    ("default", "named", "tls", "plain"),
    [
        ("any", None, None, None),
        ("secure", None, None, SpiceLinkErr.NEED_SECURED),
        ("insecure", None, SpiceLinkErr.NEED_UNSECURED, None),
        ("secure", "any", None, None),
        ("secure", "insecure", SpiceLinkErr.NEED_UNSECURED, None),
        ("insecure", "secure", None, SpiceLinkErr.NEED_SECURED),
    ],
)
def test_security_by_channel_or_by_default(default, named, tls, plain):
    security = {CURSOR: ChannelSecurity.SECURE}
    if named:
        security[INPUTS] = ChannelSecurity(named)
    rig = Rig(security=security, default_security=ChannelSecurity(default))
    request = LinkRequest(0, INPUTS, 0, (), ())
    for over_tls, answer in ((True, tls), (False, plain)):
        refused = refusal(
            lambda over=over_tls: rig.admission.check_security(request, tls=over)
        )
        assert (refused.error if refused else None) is answer
