from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from spice_protocol.vd_agent import VD_AGENT_MAX_DATA_SIZE
from spice_server.agent.tokens import AGENT_TOKENS, MAX_UNSURE, AgentTokens
from spice_server.errors import ClientError


def started(*, renewed=True):
    tokens = AgentTokens(connected=True, renewed=renewed)
    tokens.handle_start(0xFFFFFFFF)
    return tokens


def test_a_client_has_as_many_messages_as_tokens():
    tokens = started()
    for _ in range(AGENT_TOKENS):
        tokens.handle_data(VD_AGENT_MAX_DATA_SIZE)
    with pytest.raises(ClientError, match="more messages than tokens"):
        tokens.handle_data(1)


def test_a_message_has_2048_bytes():
    with pytest.raises(ClientError, match="2049 bytes, at most 2048"):
        started().handle_data(2049)


def test_tokens_come_back_in_bunches():
    tokens = started()
    given_back = []
    for _ in range(AGENT_TOKENS):
        tokens.handle_data(1)
        given_back.append(tokens.give_back())
    assert given_back == [0, 0, 0, 0, 5, 0, 0, 0, 0, 5]
    assert tokens.tokens == AGENT_TOKENS


def test_the_agent_sends_as_much_as_the_client_takes():
    tokens = AgentTokens(connected=True, renewed=True)
    assert not tokens.may_send()
    tokens.handle_start(2)
    assert [tokens.may_send() for _ in range(3)] == [True, True, False]
    tokens.handle_token(1)
    assert tokens.may_send()
    tokens.handle_token(0xFFFFFFFF)
    tokens.handle_token(0xFFFFFFFF)
    assert tokens.client_tokens == 0xFFFFFFFF


def test_tokens_come_after_the_start():
    with pytest.raises(ClientError, match="without AGENT_START"):
        AgentTokens(connected=True, renewed=True).handle_token(1)


def test_an_agent_that_comes_and_goes_costs_no_client_its_session():
    tokens = AgentTokens(connected=False, renewed=True)
    for _ in range(100):
        tokens.connected()
        tokens.disconnected()
    tokens.connected()
    # The client reads all of that late, and greets every agent.
    for _ in range(101):
        tokens.handle_start(7)
        tokens.handle_data(20)
        tokens.give_back()
    assert tokens.started
    assert tokens.tokens == AGENT_TOKENS + 100 - 1


def test_a_client_that_did_not_answer_once_is_served_all_the_same():
    tokens = AgentTokens(connected=True, renewed=True)
    tokens.disconnected()
    tokens.connected()
    tokens.handle_start(7)
    assert tokens.started
    for _ in range(100):
        tokens.handle_data(20)
        tokens.give_back()
    for _ in range(MAX_UNSURE):
        tokens.handle_data(20)
    with pytest.raises(ClientError, match="far more messages than tokens"):
        tokens.handle_data(20)


def test_tokens_for_an_agent_that_is_gone_are_lost():
    tokens = started()
    tokens.disconnected()
    tokens.handle_token(5)
    assert not tokens.may_send()
    tokens.connected()
    tokens.handle_token(5)
    assert not tokens.may_send()
    assert not tokens.started


def test_a_start_without_an_agent_starts_nothing():
    tokens = AgentTokens(connected=False, renewed=True)
    tokens.handle_start(10)
    assert not tokens.started
    tokens.connected()
    assert not tokens.started


def test_a_second_start_sets_what_the_client_takes():
    tokens = started()
    tokens.handle_data(1)
    tokens.handle_start(1)
    assert tokens.client_tokens == 1
    assert tokens.tokens == AGENT_TOKENS - 1


class Talk:
    """A client that counts as spice-gtk does, and a server; both handle things late."""

    def __init__(self, *, renewed):
        self.server = AgentTokens(connected=False, renewed=renewed)
        self.renewed = renewed
        self.client_tokens = AGENT_TOKENS
        self.to_client, self.to_server = [], []
        self.held = 0
        self.there = False

    def agent(self):
        self.there = not self.there
        if self.there:
            self.server.connected()
            self.to_client.append("connected")
        else:
            self.server.disconnected()
            self.back(self.held)
            self.held = 0

    def back(self, pieces):
        self.to_client.append(self.server.give_back(pieces))

    def read(self):
        if not self.to_client:
            return
        news = self.to_client.pop(0)
        if news != "connected":
            self.client_tokens += news
            return
        if self.renewed:
            self.client_tokens = AGENT_TOKENS
        self.to_server.append("start")

    def send(self):
        if self.client_tokens:
            self.client_tokens -= 1
            self.to_server.append("data")

    def handle(self):
        news = self.to_server.pop(0) if self.to_server else None
        if news == "start":
            self.server.handle_start(1)
        elif news == "data":
            self.server.handle_data(1)
            if self.server.started and self.held < AGENT_TOKENS:
                self.held += 1
            else:
                self.back(1)

    def deal(self):
        if self.held:
            self.held -= 1
            self.back(1)


STEPS = ["agent", "read", "send", "handle", "deal"]


@given(st.booleans(), st.lists(st.sampled_from(STEPS), max_size=200))
def test_no_interleaving_makes_an_honest_client_a_liar(renewed, steps):
    talk = Talk(renewed=renewed)
    for step in steps:
        getattr(talk, step)()
        assert talk.held <= AGENT_TOKENS


def test_tokens_given_in_doubt_are_not_taken_as_room_without_end():
    tokens = AgentTokens(connected=True, renewed=True)
    tokens.disconnected()
    tokens.connected()
    tokens.handle_start(7)  # which one it answers is open
    for _ in range(500):
        tokens.handle_data(20)
        tokens.give_back()
    tokens.handle_start(7)
    for _ in range(MAX_UNSURE):
        tokens.handle_data(20)
    with pytest.raises(ClientError, match="far more messages than tokens"):
        tokens.handle_data(20)
