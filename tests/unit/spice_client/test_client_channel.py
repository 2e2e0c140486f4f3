"""Framing, acks, pings and refusals of any channel."""

from __future__ import annotations

import pytest

from spice_client.channel import Channel, Received
from spice_client.cursor import CursorChannel
from spice_protocol.errors import InvalidValueError, LimitExceededError, TruncatedError
from spice_protocol.messages.base import (
    BaseMsg,
    BaseMsgc,
    SpiceMsgDisconnecting,
    SpiceMsgEmpty,
    SpiceMsgNotify,
    SpiceMsgPing,
    SpiceMsgSetAck,
)
from spice_protocol.messages.cursor import CursorMsg
from spice_protocol.protocol import SpiceDataHeader, SpiceMiniDataHeader
from tests.fakes.spice_peer import FULL, MINI, framed, unframed

HIDE = framed(CursorMsg.HIDE)


@pytest.fixture
def channel() -> Channel:
    return CursorChannel(MINI)


def test_ping(channel: Channel) -> None:
    ping = SpiceMsgPing(7, 123456789, b"filling")
    assert channel.receive_data(framed(BaseMsg.PING, ping)) == [
        Received(BaseMsg.PING, ping)
    ]
    [(message_id, body)] = unframed(channel.data_to_send())
    assert message_id == BaseMsgc.PONG
    assert body == ping.pack()[:12]


def test_full_headers() -> None:
    channel = CursorChannel(FULL)
    ping = SpiceMsgPing(1, 2)
    for serial in (1, 2):
        channel.receive_data(framed(BaseMsg.PING, ping, mini=False))
        data = channel.data_to_send()
        header = SpiceDataHeader.unpack(data)
        assert header == SpiceDataHeader(serial, BaseMsgc.PONG, 12, 0)
        assert len(data) == SpiceDataHeader.SIZE + 12


def test_ack_window(channel: Channel) -> None:
    channel.receive_data(HIDE * 5 + framed(BaseMsg.SET_ACK, SpiceMsgSetAck(9, 3)))
    assert unframed(channel.data_to_send()) == [(BaseMsgc.ACK_SYNC, b"\x09\0\0\0")]
    channel.receive_data(HIDE * 2)
    assert channel.data_to_send() == b""
    channel.receive_data(HIDE)
    assert unframed(channel.data_to_send()) == [(BaseMsgc.ACK, b"")]
    channel.receive_data(HIDE * 7)
    assert unframed(channel.data_to_send()) == [(BaseMsgc.ACK, b"")] * 2


def test_notify(channel: Channel) -> None:
    message = SpiceMsgNotify(0, 1, 2, 0, b"keyboard channel is insecure")
    channel.receive_data(framed(BaseMsg.NOTIFY, message.pack() + b"\0"))
    assert channel.notices == ["keyboard channel is insecure"]


def test_only_so_many_notices_are_kept(channel: Channel) -> None:
    for number in range(300):
        message = SpiceMsgNotify(0, 1, 2, 0, b"%d" % number)
        channel.receive_data(framed(BaseMsg.NOTIFY, message))
    assert (len(channel.notices), channel.notices[-1]) == (256, "299")


def test_disconnecting(channel: Channel) -> None:
    message = SpiceMsgDisconnecting(0, 0)
    channel.receive_data(framed(BaseMsg.DISCONNECTING, message))
    assert channel.disconnecting


def test_incomplete_messages_wait(channel: Channel) -> None:
    data = framed(BaseMsg.PING, SpiceMsgPing(1, 2))
    for byte in data[:-1]:
        assert channel.receive_data(bytes([byte])) == []
    assert len(channel.receive_data(data[-1:] + HIDE)) == 2


def test_unknown_message(channel: Channel) -> None:
    with pytest.raises(InvalidValueError, match=r"sent CURSOR\.unknown\(999\)"):
        channel.receive_data(framed(999))


def test_truncated_body(channel: Channel) -> None:
    with pytest.raises(TruncatedError, match="SpiceMsgSetAck"):
        channel.receive_data(framed(BaseMsg.SET_ACK, b"\0" * 7))


def test_too_long(channel: Channel) -> None:
    header = SpiceMiniDataHeader(CursorMsg.SET, CursorChannel.MAX_MESSAGE_SIZE + 1)
    with pytest.raises(LimitExceededError, match=r"CURSOR\.SET\(103\)"):
        channel.receive_data(header.pack())


def test_send_without_fields(channel: Channel) -> None:
    channel.send(BaseMsgc.ACK)
    channel.send(BaseMsgc.ACK, SpiceMsgEmpty())
    assert unframed(channel.data_to_send()) == [(BaseMsgc.ACK, b"")] * 2
    assert channel.data_to_send() == b""
