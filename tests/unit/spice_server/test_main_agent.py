from __future__ import annotations

import pytest

from spice_server.errors import ClientError
from spice_server.main.agent import AGENT_TOKENS, MAX_AGENT_DATA, AgentLink


def test_messages_cost_tokens():
    agent = AgentLink()
    for _ in range(AGENT_TOKENS):
        agent.handle_data(memoryview(bytes(MAX_AGENT_DATA)))
    with pytest.raises(ClientError, match="more messages than tokens"):
        agent.handle_data(memoryview(b""))


def test_messages_are_bounded():
    with pytest.raises(ClientError, match="2049 bytes, at most 2048"):
        AgentLink().handle_data(memoryview(bytes(MAX_AGENT_DATA + 1)))


def test_the_clients_own_tokens_add_up_within_32_bits():
    agent = AgentLink()
    with pytest.raises(ClientError, match="without AGENT_START"):
        agent.handle_token(1)
    agent.handle_start(0xFFFFFFFF)
    agent.handle_token(5)
    assert agent.client_tokens == 0xFFFFFFFF


def test_tokens_come_back_in_bunches():
    agent = AgentLink()
    given_back = []
    for _ in range(3 * AGENT_TOKENS):
        agent.handle_data(memoryview(b"x"))
        given_back.append(agent.give_back())
    assert sum(given_back) == 3 * AGENT_TOKENS
    assert set(given_back) == {0, 5}
    assert agent.tokens == AGENT_TOKENS


def test_the_agent_sends_as_much_as_the_client_takes():
    agent = AgentLink()
    assert not agent.may_send()
    agent.handle_start(2)
    assert [agent.may_send() for _ in range(3)] == [True, True, False]
    agent.handle_token(1)
    assert agent.may_send()


def test_an_agent_that_comes_and_goes_costs_no_client_its_session():
    agent = AgentLink()
    for _ in range(AGENT_TOKENS + 1):
        agent.restart()
    # The client reads all of that late, and greets every agent.
    for _ in range(AGENT_TOKENS + 1):
        agent.handle_data(memoryview(b"hello"))


def test_tokens_for_an_agent_that_is_gone_are_lost():
    agent = AgentLink()
    agent.handle_start(1)
    agent.restart()
    agent.handle_token(5)
    assert not agent.may_send()
