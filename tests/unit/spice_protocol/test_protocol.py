"""The link stage's structures against a recorded link, and capability words."""

from __future__ import annotations

from pathlib import Path

import pytest

from spice_protocol import protocol
from spice_protocol.errors import LimitExceededError, TruncatedError
from spice_protocol.protocol import (
    MainCap,
    SpiceCommonCap,
    SpiceLinkHeader,
    SpiceLinkMess,
    SpiceLinkReply,
    capability_words,
    has_capability,
    pack_capabilities,
    unpack_capabilities,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "spice_protocol" / "link.txt"
RECORDED = {
    side: bytes.fromhex(text)
    for side, text in (line.split() for line in VECTORS.read_text().splitlines())
}


def test_recorded_link_message() -> None:
    data = RECORDED["client"]
    header = SpiceLinkHeader.unpack(data)
    assert header.magic == protocol.SPICE_MAGIC
    assert (header.major_version, header.minor_version) == (2, 2)
    assert header.size == len(data) - SpiceLinkHeader.SIZE
    mess = SpiceLinkMess.unpack_from(data, SpiceLinkHeader.SIZE)
    offset = SpiceLinkHeader.SIZE + mess.caps_offset
    common = unpack_capabilities(data, offset, mess.num_common_caps)
    channel = unpack_capabilities(data, offset + 4, mess.num_channel_caps)
    assert (common, channel) == ((0xD,), (0xF,))
    assert header.pack() + mess.pack() + pack_capabilities(common + channel) == data


def test_recorded_link_reply() -> None:
    data = RECORDED["server"]
    reply = SpiceLinkReply.unpack_from(data, SpiceLinkHeader.SIZE)
    assert reply.error == 0
    assert reply.pub_key[:4] == bytes.fromhex("30819f30")
    assert reply.caps_offset == SpiceLinkReply.SIZE == 178
    words = unpack_capabilities(data, SpiceLinkHeader.SIZE + reply.caps_offset, 2)
    assert words == (0xB, 0xF)


def test_capability_words() -> None:
    assert capability_words([]) == ()
    assert capability_words([MainCap.SEAMLESS_MIGRATE, 0]) == (0x9,)
    assert capability_words([0, 33, 64]) == (1, 2, 1)
    assert capability_words([40]) == (0, 0x100)


def test_has_capability() -> None:
    words = capability_words([SpiceCommonCap.MINI_HEADER, 33])
    assert has_capability(words, SpiceCommonCap.MINI_HEADER)
    assert has_capability(words, 33)
    assert not has_capability(words, 0)
    assert not has_capability(words, 64)
    assert not has_capability((), 0)


def test_unpack_capabilities_refuses() -> None:
    with pytest.raises(TruncatedError, match="2 capability words at 1"):
        unpack_capabilities(bytes(8), 1, 2)
    with pytest.raises(LimitExceededError):
        unpack_capabilities(b"", 0, 1025)
    assert unpack_capabilities(bytes(8), 8, 0) == ()
