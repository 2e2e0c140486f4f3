"""Agents and clients that say anything: see ``tests/fakes/hostile_agent.py``."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, strategies as st

from spice_server.agent.from_guest import GuestStream
from spice_server.agent.policy import AgentPolicy
from spice_server.errors import AgentError
from tests.fakes.agent_port import agent_message, chunk
from tests.fakes.hostile_agent import AgentRig, make_script

POLICIES = st.builds(AgentPolicy, copy_paste=st.booleans(), file_transfer=st.booleans())


@given(st.integers(0, 1 << 32), POLICIES)
def test_scripts_that_get_somewhere(seed, policy):
    AgentRig(policy).play(make_script(random.Random(seed)))


@given(st.binary(max_size=3000), POLICIES)
def test_any_script(script, policy):
    AgentRig(policy).play(script)


MESSAGES = st.lists(st.tuples(st.integers(0, 20), st.binary(max_size=5000)), max_size=5)


def cut(data, places):
    """Cut *data* at *places*, as far as there are such."""
    ends = [*sorted({p for p in places if p < len(data)}), len(data)]
    start = 0
    for end in ends:
        yield data[start:end]
        start = end


@given(
    MESSAGES,
    st.lists(st.integers(0, 6000), max_size=5),
    st.lists(st.integers(0, 30_000), max_size=10),
)
def test_any_fragmentation_of_what_an_agent_says_gives_the_same(
    messages, chunks, reads
):
    whole = [agent_message(k, bytes(8) if k == 6 else body) for k, body in messages]
    wire = b"".join(chunk(part) for m in whole for part in cut(m, chunks))
    stream, told = GuestStream(AgentPolicy()), []
    for part in cut(wire, reads):
        for piece in stream.feed(part):
            assert len(piece.data) <= 2048
            if piece.first:
                told.append(b"")
            told[-1] += piece.data
            assert piece.last == (told[-1] == whole[len(told) - 1])
        assert len(stream._waiting) <= 2048
    assert told == whole


@given(st.lists(st.binary(max_size=5000), max_size=5))
def test_noise_is_the_agents_fault(parts):
    stream = GuestStream(AgentPolicy())
    try:
        for part in parts:
            for piece in stream.feed(part):
                assert len(piece.data) <= 2048
    except AgentError:
        pass


def test_a_large_clipboard_is_not_gathered():
    """A hundred megabytes in one chunk, as vdagentd sends them."""
    stream, size = GuestStream(AgentPolicy()), 100_000_000
    head = agent_message(4)[:16] + size.to_bytes(4, "little")
    list(stream.feed(b"\1\0\0\0" + (size + 20).to_bytes(4, "little") + head))
    seen = 0
    for _ in range(size // 100_000):
        for piece in stream.feed(bytes(100_000)):
            seen += len(piece.data)
        assert len(stream._waiting) <= 2048
    assert seen == size + 20
    with pytest.raises(AgentError, match="port 0"):
        list(stream.feed(bytes(8)))
