"""Framing, acks and pipes against simple models of what they mean."""

from __future__ import annotations

import struct

from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from spice_server.channel.ack import AckWindow
from spice_server.channel.framing import MessageReader, MessageWriter
from spice_server.channel.pipe import Message, MessageRun, Pipe

bodies = st.binary(max_size=300)
messages = st.lists(st.tuples(st.integers(0, 0xFFFF), bodies), max_size=30)


@settings(deadline=None)
@given(messages, st.booleans(), st.data())
def test_any_fragmentation_gives_the_same_messages(expected, mini, data):
    writer = MessageWriter(mini=mini)
    stream = b"".join(writer.header(k, len(b)) + b for k, b in expected)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=30).map(sorted))
    reader = MessageReader(mini=mini, max_size=300)
    got = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += [(k, bytes(b)) for k, b in reader.feed(stream[start:end])]
    assert got == expected


def run_item(run):
    data, offsets = b"", []
    for kind, body in run:
        offsets.append(len(data))
        data += struct.pack("<HI", kind, len(body)) + body
    return MessageRun(data, offsets)


items = st.lists(
    st.tuples(st.integers(0, 0xFFFF), bodies)
    | st.lists(st.tuples(st.integers(0, 0xFFFF), bodies), min_size=1, max_size=8),
    max_size=10,
)
limits = st.tuples(st.integers(0, 10), st.integers(1, 500))


@settings(deadline=None)
@given(items, st.booleans(), st.lists(limits, max_size=40))
def test_whatever_is_taken_is_the_stream_in_order(queued, mini, takes):
    pipe, expected = Pipe(), []
    for item in queued:
        if isinstance(item, tuple):
            pipe.push(Message(item[0], item[1]))
            expected.append(item)
        else:
            pipe.push(run_item(item))
            expected += item
    writer, stream, count = MessageWriter(mini=mini), b"", 0
    for most, size in [*takes, (1000, 1 << 30), (1000, 1 << 30)]:
        while len(pipe) and most == 1000:
            buffers, taken = pipe.take(writer, most, size)
            stream += b"".join(buffers)
            count += taken
        buffers, taken = pipe.take(writer, most, size)
        assert taken <= most
        data = b"".join(buffers)
        header = 6 if mini else 18
        assert len(data) - header * taken <= size + 300
        stream += data
        count += taken
    reader = MessageReader(mini=mini, max_size=300)
    assert [(k, bytes(b)) for k, b in reader.feed(stream)] == expected
    assert count == len(expected)
    assert pipe.size == 0


class AckModel(RuleBasedStateMachine):
    """A server and a client of any manners: what is in flight stays bounded."""

    def __init__(self):
        super().__init__()
        self.ack = AckWindow()
        self.honest = 0
        self.unacked = 0

    @rule(window=st.integers(1, 50))
    def start(self, window):
        self.ack.sync(self.ack.start(window))
        self.unacked = 0

    @rule(count=st.integers(0, 100))
    def send(self, count):
        allowed = min(count, self.ack.available)
        self.ack.sent(allowed)
        self.unacked += allowed

    @rule()
    def acknowledge(self):
        self.ack.ack()
        if self.ack.window:
            self.unacked = max(0, self.unacked - self.ack.window)

    @rule(generation=st.integers(0, 0xFFFFFFFF))
    def acknowledge_nonsense(self, generation):
        if generation != self.ack.generation:
            before = self.ack.available
            self.ack.sync(generation)
            self.ack.ack()
            assert self.ack.available == before
            self.ack.sync(self.ack.generation)

    @invariant()
    def two_windows_at_most(self):
        if self.ack.window:
            assert self.unacked <= 2 * self.ack.window
            assert self.ack.available == 2 * self.ack.window - self.unacked


TestAckModel = AckModel.TestCase
