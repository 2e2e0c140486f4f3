from __future__ import annotations

import struct

import pytest

from spice_protocol.errors import InvalidValueError, LimitExceededError
from spice_server.channel.framing import MessageReader, MessageWriter


def read(reader, data):
    return [(kind, bytes(body)) for kind, body in reader.feed(data)]


def test_mini_messages_come_out_whole():
    reader = MessageReader(mini=True, max_size=100)
    data = bytes.fromhex("0100 04000000 01020304  0200 00000000  0300 01000000 ff")
    assert read(reader, data) == [(1, b"\1\2\3\4"), (2, b""), (3, b"\xff")]


def test_full_messages_come_out_whole():
    reader = MessageReader(mini=False, max_size=100)
    data = struct.pack("<QHII", 7, 105, 2, 0) + b"\1\0"
    assert read(reader, data + data) == [(105, b"\1\0")] * 2


@pytest.mark.parametrize("mini", [True, False])
def test_bytes_may_come_one_at_a_time(mini):
    writer = MessageWriter(mini=mini)
    data = writer.header(5, 3) + b"abc" + writer.header(6, 0)
    reader = MessageReader(mini=mini, max_size=3)
    got = [m for byte in data for m in read(reader, bytes([byte]))]
    assert got == [(5, b"abc"), (6, b"")]


def test_a_size_above_the_bound_is_refused_at_once():
    reader = MessageReader(mini=True, max_size=10)
    assert read(reader, struct.pack("<HI", 1, 10) + bytes(10)) == [(1, bytes(10))]
    with pytest.raises(LimitExceededError, match="message 107 announces 2147483647"):
        read(reader, struct.pack("<HI", 107, 0x7FFFFFFF))


def test_messages_before_the_bad_one_are_handled():
    reader = MessageReader(mini=True, max_size=10)
    messages = reader.feed(struct.pack("<HIHI", 1, 0, 2, 99))
    assert next(messages)[0] == 1
    with pytest.raises(LimitExceededError):
        next(messages)


def test_sub_messages_of_a_client_are_refused():
    reader = MessageReader(mini=False, max_size=100)
    with pytest.raises(InvalidValueError, match="sub_list"):
        read(reader, struct.pack("<QHII", 1, 2, 8, 4) + bytes(8))


def test_bodies_stay_valid_after_more_was_fed():
    reader = MessageReader(mini=True, max_size=100)
    data = bytearray(struct.pack("<HI", 1, 2))
    assert not read(reader, bytes(data))
    ((_, body),) = reader.feed(b"xy")
    read(reader, struct.pack("<HI", 1, 2) + b"zz")
    assert body == b"xy"
    assert body.readonly


def test_full_headers_count_messages():
    writer = MessageWriter(mini=False)
    assert writer.header(3, 8) == struct.pack("<QHII", 1, 3, 8, 0)
    writer.count(4)
    assert writer.header(3, 8) == struct.pack("<QHII", 6, 3, 8, 0)
