from __future__ import annotations

import logging
import struct

import pytest

from spice_protocol.messages.main import MainMsg
from spice_server.agent.agent import Agent
from spice_server.agent.client import AgentClient
from spice_server.agent.policy import AgentPolicy
from spice_server.agent.to_guest import MAX_PADDING
from spice_server.errors import ClientError, SlowClientError
from spice_server.limited_log import LimitedLog
from tests.fakes.agent_port import AgentPort, agent_message, chunk

CLIENT, SERVER = 1, 2
MOUSE, MONITORS, REPLY, CLIPBOARD, CAPS, XFER_DATA, GONE, DEVICES = (
    1, 2, 3, 4, 6, 12, 13, 16,
)  # fmt: skip
ALL = 0xFFFFFFFF


class Viewer:
    """A client and what it was sent."""

    def __init__(self, agent, *, renewed=True, start=True):
        self.log = LimitedLog(logging.getLogger("test"))
        self.sent = []
        self.congested = False
        self.error = None
        self.agent = agent
        self.link = AgentClient(agent, self, renewed=renewed)
        agent.join(self.link)
        if start:
            self.start()

    def start(self, tokens=ALL):
        self.link.handle_start(tokens)

    def send(self, kind, *body):
        self.sent.append((kind, b"".join(body)))

    def fail(self, error):
        self.error = error

    def leave(self):
        self.agent.leave(self.link)

    def say(self, data):
        """Send pieces as spice-gtk cuts them."""
        for start in range(0, len(data), 2048):
            self.link.handle_data(memoryview(data[start : start + 2048]))

    def tell(self, kind, body=b""):
        self.say(agent_message(kind, body))

    def heard(self):
        """Take what the agent said: whole messages."""
        data = b"".join(b for k, b in self.sent if k == MainMsg.AGENT_DATA)
        self.sent.clear()
        found = []
        while data:
            kind, size = struct.unpack_from("<4xI8xI", data)
            assert len(data) >= 20 + size
            found.append((kind, data[20 : 20 + size]))
            data = data[20 + size :]
        return found

    def kinds(self):
        kinds = [kind for kind, _ in self.sent]
        self.sent.clear()
        return kinds


class Guest:
    """A server with one port and clients."""

    def __init__(self, policy=None, *, opened=True):
        self.agent = Agent(policy or AgentPolicy())
        self.port = AgentPort()
        self.agent.attach(self.port)
        if opened:
            self.port.open()

    def viewer(self, **options):
        return Viewer(self.agent, **options)


@pytest.fixture
def guest():
    return Guest()


# -- both ways


def test_messages_pass_in_both_directions(guest):
    viewer = guest.viewer()
    viewer.tell(99, b"to the guest")
    assert guest.port.messages() == [(CLIENT, 99, b"to the guest")]
    guest.port.tell(98, b"to the client")
    assert viewer.heard() == [(98, b"to the client")]


def test_large_messages_are_cut_not_gathered(guest):
    viewer = guest.viewer()
    large = bytes(range(256)) * 400
    guest.port.tell(CLIPBOARD, large)
    pieces = [body for kind, body in viewer.sent if kind == MainMsg.AGENT_DATA]
    assert {len(p) for p in pieces[:-1]} == {2048}
    assert viewer.heard() == [(CLIPBOARD, large)]
    header = agent_message(CLIPBOARD, bytes(100_000))[:20]
    viewer.say(header + bytes(2028))
    assert guest.port.chunks() == [(CLIENT, header + bytes(2028))]


def test_nobody_hears_the_agent_who_did_not_start(guest):
    viewer = guest.viewer(start=False)
    guest.port.tell(98)
    viewer.tell(99)
    assert viewer.sent == []
    assert guest.port.chunks() == []
    assert not guest.port.paused


def test_a_client_hears_from_the_next_message_on(guest):
    whole = chunk(agent_message(98, bytes(5000)))
    guest.port.say(whole[:3000])
    viewer = guest.viewer()
    guest.port.say(whole[3000:])
    guest.port.tell(97)
    assert viewer.heard() == [(97, b"")]


# -- tokens and flow control


def test_tokens_come_back_when_the_port_took_the_pieces(guest):
    viewer = guest.viewer()
    guest.port.room = False
    for _ in range(10):
        viewer.tell(99)
    assert len(guest.port.chunks()) == 1
    assert viewer.kinds() == []
    with pytest.raises(ClientError, match="more messages than tokens"):
        viewer.tell(99)
    guest.port.read_on()
    assert len(guest.port.messages()) == 9
    assert viewer.kinds() == [MainMsg.AGENT_TOKEN] * 2


def test_what_is_discarded_brings_its_token_back():
    guest = Guest(AgentPolicy(copy_paste=False))
    viewer = guest.viewer()
    for _ in range(20):
        viewer.tell(CLIPBOARD)
    assert guest.port.chunks() == []
    assert viewer.kinds() == [MainMsg.AGENT_TOKEN] * 4


def test_a_client_without_tokens_stops_the_guest(guest):
    viewer = guest.viewer(start=False)
    viewer.start(2)
    guest.port.tell(98, bytes(9000))
    assert viewer.kinds() == [MainMsg.AGENT_DATA] * 2
    assert guest.port.paused
    viewer.link.handle_token(2)
    assert guest.port.paused
    viewer.link.handle_token(5)
    assert not guest.port.paused
    assert viewer.kinds() == [MainMsg.AGENT_DATA] * 3


def test_a_client_that_does_not_read_stops_the_guest(guest):
    viewer = guest.viewer()
    viewer.congested = True
    guest.port.tell(98)
    assert guest.port.paused
    viewer.congested = False
    guest.agent.client_reads(viewer.link)
    assert not guest.port.paused
    assert viewer.heard() == [(98, b"")]


def test_a_port_that_does_not_stop_is_not_believed_for_ever(guest):
    viewer = guest.viewer(start=False)
    viewer.start(0)
    for _ in range(600):
        guest.port.tell(98, bytes(2000))
    assert isinstance(viewer.error, SlowClientError)


@pytest.mark.asyncio
async def test_one_that_does_not_read_is_ended_where_others_could_go_on(guest):
    one, two = guest.viewer(), guest.viewer()
    one.congested = True
    guest.port.tell(98)
    assert guest.port.paused
    assert two.heard() == [(98, b"")]
    guest.agent._lose_patience("read")
    assert isinstance(one.error, SlowClientError)
    assert two.error is None
    one.leave()
    assert not guest.port.paused


# -- whole messages


@pytest.mark.asyncio
async def test_messages_of_several_clients_do_not_mix(guest):
    one, two = guest.viewer(), guest.viewer()
    first, second = agent_message(98, bytes(3000)), agent_message(99, bytes(3000))
    one.say(first[:2048])
    two.say(second[:2048])
    one.say(first[2048:])
    two.say(second[2048:])
    assert guest.port.messages() == [
        (CLIENT, 98, bytes(3000)), (CLIENT, 99, bytes(3000)),
    ]  # fmt: skip


@pytest.mark.asyncio
async def test_one_that_stops_in_the_middle_does_not_stop_others_for_ever(guest):
    one, two = guest.viewer(), guest.viewer()
    one.say(agent_message(98, bytes(3000))[:2048])
    two.tell(99)
    guest.agent._lose_patience("turn")
    assert isinstance(one.error, SlowClientError)
    one.leave()
    assert [m[:2] for m in guest.port.messages()] == [(CLIENT, 98), (CLIENT, 99)]


def test_what_a_client_leaves_unfinished_is_filled_up(guest):
    viewer = guest.viewer()
    viewer.say(agent_message(CLIPBOARD, b"x" * 10_000)[:4096])
    viewer.leave()
    kinds = guest.port.messages()
    assert kinds == [
        (CLIENT, CLIPBOARD, b"x" * 4076 + bytes(5924)), (SERVER, GONE, b""),
    ]  # fmt: skip
    guest.viewer().tell(99)
    assert guest.port.messages() == [(CLIENT, 99, b"")]


def test_what_a_client_still_sent_is_used(guest):
    viewer = guest.viewer()
    body = bytes(range(250)) * 20
    guest.port.room = False
    viewer.tell(98, body)
    viewer.tell(99)
    viewer.leave()
    guest.port.read_on()
    # The second message had not begun.
    assert guest.port.messages() == [(CLIENT, 98, body), (SERVER, GONE, b"")]


def test_padding_waits_for_the_guest(guest):
    viewer = guest.viewer()
    viewer.say(agent_message(98, bytes(100_000))[:2048])
    guest.port.room = False
    viewer.leave()
    assert len(guest.port.chunks()) == 2
    for _ in range(46):
        guest.port.handler.port_writable()
    assert len(guest.port.chunks()) == 46
    guest.port.read_on()


def test_nobody_is_believed_to_have_sent_gigabytes(guest):
    viewer = guest.viewer()
    viewer.say(struct.pack("<IIQI", 1, 98, 0, MAX_PADDING + 10_000) + bytes(2028))
    viewer.leave()
    assert [port for port, _ in guest.port.chunks()] == [CLIENT, SERVER]


def test_the_last_client_that_goes_is_told_of(guest):
    one, two = guest.viewer(), guest.viewer()
    one.leave()
    assert guest.port.chunks() == []
    two.leave()
    assert guest.port.messages() == [(SERVER, GONE, b"")]


# -- agents come and go


def test_clients_are_told_of_agents():
    guest = Guest(opened=False)
    new, old = guest.viewer(start=False), guest.viewer(start=False, renewed=False)
    assert not guest.agent.connected
    guest.port.open()
    assert guest.agent.connected
    assert new.sent == [(MainMsg.AGENT_CONNECTED_TOKENS, struct.pack("<I", 10))]
    assert old.kinds() == [MainMsg.AGENT_CONNECTED]
    guest.port.close()
    assert old.sent == [(MainMsg.AGENT_DISCONNECTED, bytes(4))]
    assert not guest.agent.connected


def test_the_rest_of_a_message_to_an_agent_that_ended_is_lost(guest):
    viewer = guest.viewer()
    old = agent_message(CLIPBOARD, bytes(5000))
    viewer.say(old[:2048])
    guest.port.close()
    guest.port.open()
    viewer.start()  # spice-gtk goes on with its queue after that
    viewer.say(old[2048:])
    viewer.tell(CAPS, bytes(8))
    assert guest.port.messages() == [(CLIENT, CAPS, bytes(8))]


def test_the_rest_of_a_message_from_an_agent_that_ended_is_lost(guest):
    viewer = guest.viewer()
    guest.port.say(chunk(agent_message(98, bytes(5000))[:4000]))
    guest.port.close()
    guest.port.open()
    viewer.sent.clear()
    viewer.start()
    guest.port.tell(97)
    assert viewer.heard() == [(97, b"")]


def test_nothing_waits_for_a_client_from_an_agent_that_ended(guest):
    viewer = guest.viewer()
    viewer.congested = True
    guest.port.tell(98, bytes(9000))
    guest.port.close()
    viewer.congested = False
    guest.agent.client_reads(viewer.link)
    assert viewer.kinds() == [MainMsg.AGENT_DISCONNECTED]


def test_the_agent_that_came_last_is_used(guest):
    viewer, other = guest.viewer(), AgentPort("other")
    guest.agent.attach(other)
    assert viewer.sent == []
    other.open()
    assert viewer.kinds() == [
        MainMsg.AGENT_DISCONNECTED, MainMsg.AGENT_CONNECTED_TOKENS,
    ]  # fmt: skip
    viewer.start()
    viewer.tell(99)
    guest.port.tell(98)
    assert viewer.sent == []
    assert guest.port.messages() == [(SERVER, GONE, b"")]
    assert len(other.chunks()) == 1
    other.close()
    viewer.sent.clear()
    viewer.start()
    viewer.tell(99)
    guest.port.tell(98)
    assert viewer.heard() == [(98, b"")]
    assert len(guest.port.messages()) == 1


def test_ports_can_be_taken_away(guest):
    viewer = guest.viewer()
    guest.agent.detach(guest.port)
    assert guest.port.handler is None
    assert viewer.kinds() == [MainMsg.AGENT_DISCONNECTED]
    guest.agent.attach(guest.port)
    assert viewer.kinds() == [MainMsg.AGENT_CONNECTED_TOKENS]
    guest.agent.attach(None)
    assert guest.port.handler is None


@pytest.mark.parametrize(
    "bad",
    [
        chunk(agent_message(98), port=0),
        chunk(agent_message(98), port=3),
        chunk(agent_message(98, protocol=2)),
        chunk(agent_message(98) + b"x"),
        chunk(agent_message(CAPS, b"abc")),
        chunk(agent_message(CAPS, bytes(300))),
    ],
)
def test_an_agent_that_makes_no_sense_is_dropped_until_it_reopens(guest, bad):
    viewer = guest.viewer()
    guest.port.say(bad)
    assert viewer.kinds() == [MainMsg.AGENT_DISCONNECTED]
    assert not guest.agent.takes_pointer
    guest.port.tell(98)
    assert viewer.sent == []
    guest.port.close()
    guest.port.open()
    viewer.start()
    viewer.sent.clear()
    guest.port.tell(98)
    assert viewer.heard() == [(98, b"")]


# -- policy


@pytest.mark.parametrize("kind", [4, 7, 8, 9])
def test_copy_and_paste_can_be_forbidden(kind):
    guest = Guest(AgentPolicy(copy_paste=False))
    viewer = guest.viewer()
    viewer.tell(kind, bytes(5000))
    viewer.tell(10)
    guest.port.tell(kind, bytes(5000))
    guest.port.tell(11)
    assert guest.port.messages() == [(CLIENT, 10, b"")]
    assert viewer.heard() == [(11, b"")]


@pytest.mark.parametrize("kind", [10, 11, 12])
def test_file_transfer_can_be_forbidden(kind):
    guest = Guest(AgentPolicy(file_transfer=False))
    viewer = guest.viewer()
    viewer.tell(kind, bytes(5000))
    viewer.tell(4)
    guest.port.tell(kind, bytes(5000))
    guest.port.tell(4)
    assert guest.port.messages() == [(CLIENT, 4, b"")]
    assert viewer.heard() == [(4, b"")]


@pytest.mark.parametrize(
    ("policy", "caps"),
    [
        (AgentPolicy(), 0x0001DFFF),
        (AgentPolicy(copy_paste=False), 0x0001DFFF & ~0b1101000),
        (AgentPolicy(file_transfer=False), 0x0001FFFF),
        (AgentPolicy(copy_paste=False, file_transfer=False), 0x0001FFFF & ~0b1101000),
    ],
)
def test_clients_see_what_the_policy_leaves(policy, caps):
    guest = Guest(policy)
    viewer = guest.viewer()
    guest.port.tell(CAPS, struct.pack("<III", 1, 0x0001DFFF, 7))
    assert viewer.heard() == [(CAPS, struct.pack("<III", 1, caps, 7))]


def test_capabilities_without_a_word_get_one():
    guest = Guest(AgentPolicy(file_transfer=False))
    viewer = guest.viewer()
    guest.port.tell(CAPS, struct.pack("<I", 0))
    assert viewer.heard() == [(CAPS, struct.pack("<II", 0, 1 << 13))]


# -- monitors


LAYOUT = struct.pack("<IIIIIii", 1, 0, 600, 800, 32, 0, 0)


def test_layouts_go_to_the_agent_if_the_displays_take_none(guest):
    guest.viewer().tell(MONITORS, LAYOUT)
    assert guest.port.messages() == [(CLIENT, MONITORS, LAYOUT)]


def test_layouts_are_taken_out_for_the_displays(guest):
    layouts = []
    viewer = guest.viewer()
    guest.agent.set_display_agent(layouts.append)
    viewer.tell(MONITORS, LAYOUT)
    viewer.tell(MONITORS, b"nonsense")
    viewer.tell(99)
    assert [h.width for h in layouts[0].heads] == [800]
    assert len(layouts) == 1
    assert guest.port.messages() == [(CLIENT, 99, b"")]
    # The guest's agent might be in the middle of a message: no answer of ours.
    assert viewer.sent == []


def test_without_a_guest_agent_the_displays_have_one():
    guest = Guest(opened=False)
    layouts = []
    viewer = guest.viewer(start=False)
    guest.agent.set_display_agent(layouts.append)
    assert viewer.kinds() == [MainMsg.AGENT_CONNECTED_TOKENS]
    viewer.start()
    viewer.tell(CAPS, struct.pack("<II", 1, 0xFFFF))
    viewer.tell(CLIPBOARD, bytes(100_000))
    viewer.tell(MONITORS, bytes(100_000))
    viewer.tell(MONITORS, LAYOUT)
    assert [kind for kind, _ in viewer.heard()] == [CAPS, REPLY]
    assert len(layouts) == 1
    guest.port.open()
    assert viewer.kinds() == [
        MainMsg.AGENT_DISCONNECTED, MainMsg.AGENT_CONNECTED_TOKENS,
    ]  # fmt: skip
    guest.port.close()
    guest.agent.set_display_agent(None)
    assert viewer.kinds() == [
        MainMsg.AGENT_DISCONNECTED, MainMsg.AGENT_CONNECTED_TOKENS,
        MainMsg.AGENT_DISCONNECTED,
    ]  # fmt: skip


# -- the server's own messages


def test_the_pointer_goes_to_the_agent(guest):
    guest.agent.position(10, 20, 0b1, 1)
    guest.agent.buttons(0b101)
    guest.agent.release_all()
    guest.agent.release_all()
    assert guest.port.messages() == [
        (SERVER, MOUSE, struct.pack("<IIIB", 10, 20, 0b10, 1)),
        (SERVER, MOUSE, struct.pack("<IIIB", 10, 20, 0b1010, 1)),
        (SERVER, MOUSE, struct.pack("<IIIB", 10, 20, 0, 1)),
    ]


def test_the_pointer_stands_between_the_pieces_of_a_message(guest):
    viewer = guest.viewer()
    whole = agent_message(CLIPBOARD, bytes(5000))
    viewer.say(whole[:2048])
    guest.agent.position(1, 2, 0, 0)
    viewer.say(whole[2048:])
    assert [m[:2] for m in guest.port.messages()] == [
        (SERVER, MOUSE), (CLIENT, CLIPBOARD),
    ]  # fmt: skip


def test_a_guest_that_does_not_read_misses_positions_but_no_click(guest):
    guest.agent.position(0, 0, 0, 0)
    guest.port.room = False
    guest.agent.position(1, 1, 0, 0)
    for x in range(2, 100):
        guest.agent.position(x, x, 0, 0)
    guest.agent.buttons(1)
    guest.agent.buttons(0)
    for x in range(100, 200):
        guest.agent.position(x, x, 0, 0)
    guest.port.chunks()
    guest.port.read_on()
    states = [struct.unpack("<IIIB", m[2]) for m in guest.port.messages()]
    assert states == [(99, 99, 0, 0), (99, 99, 2, 0), (99, 99, 0, 0), (199, 199, 0, 0)]


def test_agents_that_want_to_know_are_told_which_device_shows_what(guest):
    guest.agent.set_graphics_devices(b"info")
    guest.port.tell(CAPS, struct.pack("<II", 1, 0))
    assert guest.port.messages() == []
    guest.port.tell(CAPS, struct.pack("<II", 1, 1 << 15))
    assert guest.port.messages() == [(SERVER, DEVICES, b"info")]
    guest.port.tell(98)
    assert guest.port.messages() == []
    guest.agent.set_graphics_devices(b"other")
    assert guest.port.messages() == [(SERVER, DEVICES, b"other")]


def test_a_guest_that_opens_and_closes_the_port_all_the_time_fills_no_pipe(guest):
    viewer = guest.viewer()
    viewer.congested = True
    for _ in range(10_000):
        guest.port.close()
        guest.port.open()
    assert viewer.sent == []
    viewer.congested = False
    guest.agent.client_reads(viewer.link)
    assert viewer.kinds() == [
        MainMsg.AGENT_DISCONNECTED, MainMsg.AGENT_CONNECTED_TOKENS,
    ]  # fmt: skip
    viewer.start()
    viewer.tell(99)
    assert guest.port.messages() == [(CLIENT, 99, b"")]


def test_what_the_server_says_does_not_pile_up(guest):
    guest.agent.set_graphics_devices(bytes(1000))
    guest.port.room = False
    for _ in range(1000):
        guest.viewer().leave()
        guest.port.tell(CAPS, struct.pack("<II", 1, 1 << 15))
    guest.port.chunks()
    guest.port.read_on()
    assert sorted(m[1] for m in guest.port.messages()) == [GONE, DEVICES]
