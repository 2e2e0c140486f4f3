"""Agents and clients that say anything to each other; qxld serves the others.

QEMU, its port for the agent and the guest are played.  All the while a client watches,
and must come to show exactly what the guest draws.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from spice_protocol.messages.main import MainMsg
from tests.fakes.agent_port import agent_message, chunk
from tests.fakes.hostile_agent import LIES, bad_message
from tests.peers.blocking_client import reset
from tests.peers.hostile_vm import SCALE, HostileVm
from tests.peers.played_agent import AgentLink, PlayedAgentPort, meet

if TYPE_CHECKING:
    import random

pytestmark = [pytest.mark.system, pytest.mark.timeout(900 * max(1, SCALE))]

XFER_DATA, CLIPBOARD = 12, 4


class HostileTalk(HostileVm):
    """A VM with an agent's port, whose live client leaves the agent alone."""

    def __init__(self, folder) -> None:
        self.agent = PlayedAgentPort(folder)
        super().__init__(folder)
        # It would be right to fail on much of what it is told.
        for kind in (
            MainMsg.AGENT_CONNECTED_TOKENS, MainMsg.AGENT_DATA, MainMsg.AGENT_TOKEN,
        ):  # fmt: skip
            self.live.main._handlers[kind] = lambda _message: None
        self.meetings = 0
        self.agent.change(self.monitor, opened=True)
        self.listener = self.client()
        self.meet()

    def client(self) -> AgentLink:
        return AgentLink(self.qxld.port, self.password)

    def meet(self) -> None:
        """See that an agent and a client that mean well are served."""
        self.meetings += 1
        meet(self.listener, self.agent, self.monitor, self.meetings)

    def after(self, kind: str) -> None:
        """Count a case, and look after everybody at times."""
        self.cases[kind] += 1
        if self.cases[kind] % 20 == 0:
            self.good_picture()

    def close(self) -> None:
        super().close()
        self.listener.close()
        self.agent.close()


@pytest.fixture(scope="module")
def vm(tmp_path_factory):
    with HostileTalk(tmp_path_factory.mktemp("agent")) as vm:
        for _ in range(20):
            vm.meet()
            vm.good_picture()
        large = agent_message(CLIPBOARD, bytes(1 << 20))
        vm.agent.say(chunk(large))
        vm.meet()
        vm.warmed_up()
        yield vm
        vm.meet()
        vm.agent.change(vm.monitor, opened=False)
        vm.listener.close()
        vm.verdict(max_growth_mib=8)


def guest_talk(source: random.Random) -> bytes:
    """Make what a hostile agent writes: chunks of messages, spoilt, or noise."""
    match source.randrange(10):
        case 0:
            return source.randbytes(source.randrange(1, 5000))
        case 1:
            return struct.pack("<II", source.randrange(5), source.choice(LIES)) + bytes(
                100
            )
    parts = []
    for _ in range(source.randint(1, 12)):
        data = chunk(bad_message(source), source.choice([1, 1, 1, 1, 1, 2, 3]))
        if source.randrange(10) == 0:
            at = source.randrange(len(data))
            data = data[:at] + source.randbytes(1) + data[at + 1 :]
        parts.append(data)
    return b"".join(parts)


def test_agents(vm):
    """Anything at all from the guest, and an agent that means well after it."""
    for _ in range(int(600 * SCALE)):
        vm.agent.say(guest_talk(vm.random))
        vm.meet()
        assert not vm.listener.ended
        vm.after("a hostile agent")


def test_clients(vm):
    """Anything at all from clients, who hang up at any place."""
    for number in range(int(600 * SCALE)):
        client = vm.client()
        client.start(vm.random.choice([0, 1, 0xFFFFFFFF]))
        for _ in range(vm.random.randint(1, 4)):
            data = bad_message(vm.random)
            size = vm.random.choice([2048, 2048, 2048, 1000, 2049])
            pieces = [data[i : i + size] for i in range(0, len(data), size)]
            for piece in pieces[: vm.random.choice([3, 8, 40])]:
                client.data(piece)
                vm.agent.pump()
        reset(client.sock) if vm.random.randrange(2) else client.close()
        if number % 4 == 0:
            # The agent that listened all the time was told whole messages only.
            vm.meet()
        assert not vm.listener.ended
        vm.after("a hostile client")


def test_a_client_that_sends_without_end(vm):
    """Gigabytes are announced, the guest reads nothing, and nothing is held."""
    for number in range(max(2, int(3 * SCALE))):
        client = vm.client()
        client.start()
        head = struct.pack("<IIQIIQ", 1, XFER_DATA, 0, 0xFFFFFFFF, 1, 1 << 40)
        client.data(head + bytes(2048 - len(head)))
        before = vm.qxld.status("RssAnon")
        while client.tokens > 0:
            client.data(bytes(2048))
            client.pump()
        # 256 KiB wait in the port, 20 KiB in the client's tokens.
        assert vm.qxld.status("RssAnon") - before < 4096
        vm.good_picture()
        if number % 2:
            client.data(bytes(2048))  # one more than it has tokens for
            while not client.ended:
                client.pump()
        client.close()
        vm.meet()
        vm.after("a transfer without end")


def test_an_agent_that_sends_without_end(vm):
    """Gigabytes are announced, the client reads nothing, and nothing is held."""
    for _ in range(max(2, int(3 * SCALE))):
        client = vm.client()
        client.start()
        before = vm.qxld.status("RssAnon")
        size = 0xFFFFFF00
        data = struct.pack("<II", 1, size + 20)
        vm.agent.say(data + agent_message(CLIPBOARD)[:16] + struct.pack("<I", size))
        for _ in range(200):  # until nobody takes any more
            vm.agent.say(bytes(1 << 17), wait=False)
            vm.listener.pump()
        assert vm.qxld.status("RssAnon") - before < 8192
        vm.good_picture()
        client.close()
        vm.meet()
        vm.after("a clipboard without end")


def test_an_agent_that_comes_and_goes(vm):
    """The port is opened and closed as fast as the monitor tells."""
    for _ in range(max(1, int(5 * SCALE))):
        for number in range(200):
            vm.agent.change(vm.monitor, opened=bool(number & 1))
            vm.cases["opened or closed"] += 1
        vm.meet()
        vm.good_picture()
