from __future__ import annotations

import struct

import pytest

from spice_server.channel.framing import MessageWriter
from spice_server.channel.pipe import ITEM_COST, Message, MessageRun, Pipe

MANY = 1000
BIG = 1 << 20


def run_of(*bodies: bytes) -> tuple[bytes, list[int]]:
    data, offsets = b"", []
    for number, body in enumerate(bodies):
        offsets.append(len(data))
        data += struct.pack("<HI", 300 + number, len(body)) + body
    return data, offsets


def take(pipe, messages=MANY, size=BIG, *, mini=True):
    buffers, count = pipe.take(MessageWriter(mini=mini), messages, size)
    return b"".join(buffers), count


def test_a_message_may_have_several_buffers():
    pipe = Pipe()
    pipe.push(Message(4, b"ab", memoryview(b"cde")))
    assert pipe.size == 5
    assert take(pipe) == (struct.pack("<HI", 4, 5) + b"abcde", 1)
    assert (len(pipe), pipe.size) == (0, 0)


def test_a_run_goes_out_as_it_is():
    data, offsets = run_of(b"a" * 10, b"", b"b" * 20)
    pipe = Pipe()
    pipe.push(MessageRun(data, offsets))
    buffers, count = pipe.take(MessageWriter(mini=True), MANY, BIG)
    assert (b"".join(buffers), count, len(buffers)) == (data, 3, 1)
    assert buffers[0].obj is data, "it was copied"


def test_over_tls_each_message_is_a_buffer_of_its_own():
    """Some clients leave the second message of a record until there is a third."""
    data, offsets = run_of(b"a" * 10, b"", b"b" * 20)
    pipe = Pipe()
    pipe.push(MessageRun(data, offsets))
    buffers, count = pipe.take(MessageWriter(mini=True, apart=True), MANY, BIG)
    assert (b"".join(buffers), count) == (data, 3)
    assert [len(buffer) for buffer in buffers] == [16, 6, 26]


@pytest.mark.parametrize("mini", [True, False])
def test_a_run_may_be_taken_in_parts(mini):
    bodies = [bytes([i]) * i for i in range(10)]
    data, offsets = run_of(*bodies)
    whole = Pipe()
    whole.push(MessageRun(data, offsets))
    parts = Pipe()
    parts.push(MessageRun(data, offsets))
    writer = MessageWriter(mini=mini)
    got = b""
    while len(parts):
        buffers, count = parts.take(writer, 3, BIG)
        assert 1 <= count <= 3
        got += b"".join(buffers)
    assert got == take(whole, mini=mini)[0]
    assert parts.size == 0


def test_full_headers_replace_mini_ones():
    data, offsets = run_of(b"xy", b"z")
    pipe = Pipe()
    pipe.push(MessageRun(data, offsets))
    expected = struct.pack("<QHII2s", 1, 300, 2, 0, b"xy")
    expected += struct.pack("<QHII1s", 2, 301, 1, 0, b"z")
    assert take(pipe, mini=False) == (expected, 2)


def test_offsets_may_be_an_array_of_c():
    data, offsets = run_of(b"xy", b"z", b"")
    packed = memoryview(struct.pack("<3I", *offsets)).cast("I")
    pipe = Pipe()
    pipe.push(MessageRun(data, packed))
    assert take(pipe, 2) == (data[: offsets[2]], 2)
    assert take(pipe) == (data[offsets[2] :], 1)


def test_bytes_are_bounded_but_for_the_first_message():
    data, offsets = run_of(bytes(1000), bytes(10), bytes(10), bytes(1000))
    pipe = Pipe()
    pipe.push(MessageRun(data, offsets))
    assert take(pipe, MANY, 100)[1] == 1
    assert take(pipe, MANY, 100)[1] == 2
    assert take(pipe, MANY, 100)[1] == 1
    assert take(pipe, MANY, 100) == (b"", 0)


def test_both_bounds_span_items():
    pipe = Pipe()
    for _ in range(10):
        pipe.push(Message(1, bytes(10)))
    assert take(pipe, 4)[1] == 4
    assert take(pipe, MANY, 25)[1] == 3
    assert pipe.size == 30


def test_nothing_is_taken_without_allowance():
    pipe = Pipe()
    pipe.push(Message(1))
    assert take(pipe, 0) == (b"", 0)
    assert len(pipe) == 1


def test_unwanted_items_are_dropped_even_half_taken():
    data, offsets = run_of(bytes(100), bytes(100))
    pipe = Pipe()
    pipe.push(MessageRun(data, offsets))
    pipe.push(Message(1, b"keep"))
    take(pipe, 1)
    assert pipe.discard(lambda item: isinstance(item, MessageRun)) == 106
    assert take(pipe) == (struct.pack("<HI", 1, 4) + b"keep", 1)


def test_empty_messages_cost_something():
    pipe = Pipe()
    for _ in range(100):
        pipe.push(Message(1))
    assert pipe.cost == 100 * ITEM_COST
    pipe.clear()
    assert (pipe.cost, list(pipe)) == (0, [])
