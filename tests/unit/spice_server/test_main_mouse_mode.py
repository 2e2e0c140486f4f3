from __future__ import annotations

from spice_protocol.enums import SpiceMouseMode
from spice_server.agent.agent import Agent
from spice_server.agent.policy import AgentPolicy
from spice_server.main.mouse_mode import MouseMode
from tests.fakes.agent_port import AgentPort
from tests.fakes.input_sink import RecordingSink

SERVER, CLIENT = SpiceMouseMode.SERVER, SpiceMouseMode.CLIENT


def mouse_mode(sink, agent=None):
    return MouseMode(sink, agent or Agent(AgentPolicy()))


def test_a_tablet_means_client_mode():
    mode = mouse_mode(RecordingSink(has_tablet=True))
    assert (mode.supported, mode.current) == (SERVER | CLIENT, CLIENT)


def test_without_a_tablet_there_is_only_server_mode():
    mode = mouse_mode(RecordingSink(has_tablet=False))
    assert (mode.supported, mode.current) == (SERVER, SERVER)
    assert not mode.request(CLIENT)
    assert mode.request(SERVER)


def test_clients_may_ask_for_the_other():
    mode = mouse_mode(RecordingSink())
    changes = []
    mode.on_change(lambda: changes.append(mode.current))
    assert mode.request(SERVER)
    assert mode.request(SERVER)
    assert mode.request(CLIENT)
    assert changes == [SERVER, CLIENT]


def test_nonsense_is_refused():
    mode = mouse_mode(RecordingSink())
    for nonsense in (0, 3, 4, 0xFFFF):
        assert not mode.request(nonsense)
    assert mode.is_client


def test_the_mode_follows_the_tablet():
    sink = RecordingSink(has_tablet=False)
    mode = mouse_mode(sink)
    changes = []
    mode.on_change(lambda: changes.append((mode.supported, mode.current)))
    sink.change(has_tablet=True)
    sink.change(has_tablet=True)
    mode.request(SERVER)
    sink.change(has_tablet=False)
    assert changes == [
        (SERVER | CLIENT, CLIENT),
        (SERVER | CLIENT, SERVER),
        (SERVER, SERVER),
    ]


def test_the_mode_follows_the_agent():
    agent, port = Agent(AgentPolicy()), AgentPort()
    mode = mouse_mode(RecordingSink(has_tablet=False), agent)
    changes = []
    mode.on_change(lambda: changes.append((mode.supported, mode.current)))
    agent.attach(port)
    assert changes == []
    port.open()
    port.close()
    assert changes == [(SERVER | CLIENT, CLIENT), (SERVER, SERVER)]


def test_an_agent_and_a_tablet_change_nothing_together():
    sink, agent, port = RecordingSink(), Agent(AgentPolicy()), AgentPort()
    mode = mouse_mode(sink, agent)
    agent.attach(port)
    changes = []
    mode.on_change(lambda: changes.append(mode.current))
    mode.request(SERVER)
    port.open()
    sink.change(has_tablet=False)
    assert mode.supported == SERVER | CLIENT
    port.close()
    assert changes == [SERVER, SERVER]


def test_the_operator_wants_no_agent_mouse():
    agent, port = Agent(AgentPolicy(pointer=False)), AgentPort()
    mode = mouse_mode(RecordingSink(has_tablet=False), agent)
    agent.attach(port)
    port.open()
    assert mode.supported == SERVER
