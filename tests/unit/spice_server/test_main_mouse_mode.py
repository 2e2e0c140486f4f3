from __future__ import annotations

from spice_protocol.enums import SpiceMouseMode
from spice_server.main.mouse_mode import MouseMode
from tests.fakes.input_sink import RecordingSink

SERVER, CLIENT = SpiceMouseMode.SERVER, SpiceMouseMode.CLIENT


def test_a_tablet_means_client_mode():
    mode = MouseMode(RecordingSink(has_tablet=True))
    assert (mode.supported, mode.current) == (SERVER | CLIENT, CLIENT)


def test_without_a_tablet_there_is_only_server_mode():
    mode = MouseMode(RecordingSink(has_tablet=False))
    assert (mode.supported, mode.current) == (SERVER, SERVER)
    assert not mode.request(CLIENT)
    assert mode.request(SERVER)


def test_clients_may_ask_for_the_other():
    mode = MouseMode(RecordingSink())
    changes = []
    mode.on_change(lambda: changes.append(mode.current))
    assert mode.request(SERVER)
    assert mode.request(SERVER)
    assert mode.request(CLIENT)
    assert changes == [SERVER, CLIENT]


def test_nonsense_is_refused():
    mode = MouseMode(RecordingSink())
    for nonsense in (0, 3, 4, 0xFFFF):
        assert not mode.request(nonsense)
    assert mode.is_client


def test_the_mode_follows_the_tablet():
    sink = RecordingSink(has_tablet=False)
    mode = MouseMode(sink)
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
