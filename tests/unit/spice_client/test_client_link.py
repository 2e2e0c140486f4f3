"""The link stage with every answer a server may give."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from spice_client.errors import AuthenticationError, LinkError
from spice_client.link import Link, LinkRequest
from spice_protocol.enums import ChannelType, SpiceLinkErr
from spice_protocol.errors import (
    InvalidValueError,
    LimitExceededError,
    ProtocolError,
    TruncatedError,
)
from spice_protocol.protocol import (
    SPICE_MAGIC,
    DisplayCap,
    SpiceCommonCap,
    SpiceLinkHeader,
    SpiceLinkMess,
)
from tests.fakes.spice_peer import decrypt_ticket, link_reply, link_result

REQUEST = LinkRequest(ChannelType.DISPLAY, 1, 77, (DisplayCap.MONITORS_CONFIG,))


def test_link_message() -> None:
    data = Link(REQUEST).data_to_send()
    header = SpiceLinkHeader.unpack(data)
    assert header == SpiceLinkHeader(SPICE_MAGIC, 2, 2, len(data) - 16)
    mess = SpiceLinkMess.unpack_from(data, 16)
    assert mess == SpiceLinkMess(77, ChannelType.DISPLAY, 1, 1, 1, 18)
    assert data[34:] == bytes.fromhex("0b000000 02000000")


def test_success() -> None:
    link = Link(LinkRequest(ChannelType.MAIN, password="sekret"))
    assert link.data_to_send()
    assert link.data_to_send() == b""
    assert link.receive_data(link_reply(channel=(5, 6))) == b""
    answer = link.data_to_send()
    assert answer[:4] == bytes([SpiceCommonCap.AUTH_SPICE, 0, 0, 0])
    assert decrypt_ticket(answer[4:]) == b"sekret\0"
    assert link.result is None
    assert link.receive_data(link_result() + b"first message") == b"first message"
    assert link.result is not None
    assert link.result.mini_header
    assert link.result.channel_capabilities == (5, 6)


def test_every_byte_alone() -> None:
    link = Link(LinkRequest(ChannelType.MAIN))
    for byte in link_reply() + link_result():
        assert link.receive_data(bytes([byte])) == b""
    assert link.result is not None


@pytest.mark.parametrize(
    ("ours", "theirs", "mini", "size"),
    [
        ((), 0xB, False, 128),
        ((SpiceCommonCap.MINI_HEADER,), 0xB, True, 128),
        ((SpiceCommonCap.PROTOCOL_AUTH_SELECTION,), 0xB, False, 132),
        ((SpiceCommonCap.PROTOCOL_AUTH_SELECTION,), 0x0, False, 128),
        ((SpiceCommonCap.MINI_HEADER,), 0x1, False, 128),
    ],
)
def test_only_what_both_can(
    ours: tuple[int, ...], theirs: int, mini: bool, size: int
) -> None:
    link = Link(LinkRequest(ChannelType.MAIN, common_capabilities=ours))
    link.data_to_send()
    link.receive_data(link_reply(common=(theirs,)))
    assert len(link.data_to_send()) == size
    link.receive_data(link_result())
    assert link.result is not None
    assert link.result.mini_header is mini


@pytest.mark.parametrize("error", [e for e in SpiceLinkErr if e != SpiceLinkErr.OK])
@pytest.mark.parametrize("late", [False, True])
def test_refused(error: SpiceLinkErr, late: bool) -> None:
    link = Link(REQUEST)
    denied = error == SpiceLinkErr.PERMISSION_DENIED
    data = link_reply() + link_result(error) if late else link_reply(error=error)
    with pytest.raises(AuthenticationError if denied else LinkError) as caught:
        link.receive_data(data)
    assert caught.value.code == error
    assert "DISPLAY:1" in str(caught.value)
    assert denied or error.name in str(caught.value)


def test_unknown_refusal() -> None:
    with pytest.raises(LinkError, match=r"unknown\(99\)"):
        Link(REQUEST).receive_data(link_reply(error=99))


def test_not_spice() -> None:
    with pytest.raises(InvalidValueError, match="no SPICE server: it says b'SSH-'"):
        Link(REQUEST).receive_data(b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n")


def test_another_major_version() -> None:
    with pytest.raises(LinkError, match="VERSION_MISMATCH"):
        Link(REQUEST).receive_data(SpiceLinkHeader(SPICE_MAGIC, 3, 0, 0).pack())


def test_reply_too_long() -> None:
    with pytest.raises(LimitExceededError):
        Link(REQUEST).receive_data(SpiceLinkHeader(SPICE_MAGIC, 2, 2, 4097).pack())


def test_reply_too_short() -> None:
    data = SpiceLinkHeader(SPICE_MAGIC, 2, 2, 20).pack() + bytes(20)
    with pytest.raises(TruncatedError):
        Link(REQUEST).receive_data(data)


def test_capability_words_beyond_the_reply() -> None:
    data = bytearray(link_reply())
    data[16 + 174 : 16 + 178] = (400).to_bytes(4, "little")
    with pytest.raises(ProtocolError):
        Link(REQUEST).receive_data(bytes(data))


def spki(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@pytest.mark.parametrize(
    "key",
    [b"", b"\x30\x81", spki(ec.generate_private_key(ec.SECP256R1()))],
    ids=["none", "half", "no RSA"],
)
def test_bad_key(key: bytes) -> None:
    with pytest.raises(InvalidValueError, match="public key"):
        Link(REQUEST).receive_data(link_reply(key=key))


@pytest.mark.parametrize("password", ["x" * 60, "ä" * 30, ""])
def test_longest_password(password: str) -> None:
    link = Link(LinkRequest(ChannelType.MAIN, password=password))
    link.data_to_send()
    link.receive_data(link_reply())
    assert decrypt_ticket(link.data_to_send()[4:]) == password.encode() + b"\0"


@pytest.mark.parametrize("password", ["x" * 61, "ä" * 31])
def test_password_no_ticket_can_hold(password: str) -> None:
    with pytest.raises(AuthenticationError):
        Link(LinkRequest(ChannelType.MAIN, password=password))
