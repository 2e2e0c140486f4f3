"""The real spice-vdagentd and spice-vdagent take what clients say, whole, and answer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct

import pytest

from spice_protocol.enums import SpiceMouseMode
from tests.fakes.agent_port import agent_message
from tests.fakes.input_sink import RecordingSink
from tests.fakes.spice_channels import running_server
from tests.peers.played_agent import AgentLink
from tests.peers.programs import eventually, missing, x_server
from tests.peers.vdagent import PROGRAMS, SocketPort, Vdagent

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(missing(*PROGRAMS) is not None, reason=str(missing(*PROGRAMS))),
]

CAPS, START, STATUS, DATA = 6, 10, 11, 12
CAN_SEND, SUCCESS = 0, 3
PIECE = 64 * 1024


class Client(AgentLink):
    """A client that keeps to its tokens."""

    def tell(self, kind: int, body: bytes, *, cut: int | None = None) -> None:
        """Send a message, or the beginning of one."""
        data = agent_message(kind, body)[:cut]
        for start in range(0, len(data), 2048):
            while self.tokens <= 0:
                assert not self.ended
                self.pump()
            self.data(data[start : start + 2048])

    def greet(self) -> int:
        """Exchange capabilities with the agent; its first word."""
        self.start()
        self.tell(CAPS, struct.pack("<II", 1, 0xFFFFFFFF & ~(1 << 17)))
        return struct.unpack_from("<I", self.wait(CAPS), 24)[0]

    def wait(self, kind: int) -> bytes:
        """Return the first piece of the next message of that type."""
        found = []

        def look() -> bool:
            self.pump()
            while self.heard and not found:
                told, data = self.heard.pop(0)
                if told == kind:
                    found.append(data)
            return bool(found)

        eventually(f"message {kind} comes", look)
        return found[0]

    def begin_file(self, number: int, name: str, size: int) -> None:
        keys = f"[vdagent-file-xfer]\nname={name}\nsize={size}\n"
        self.tell(START, struct.pack("<I", number) + keys.encode() + b"\0")
        assert self.status() == (number, CAN_SEND)

    def send_file(self, number: int, content: bytes) -> None:
        for start in range(0, len(content), PIECE):
            piece = content[start : start + PIECE]
            self.tell(DATA, struct.pack("<IQ", number, len(piece)) + piece)

    def status(self) -> tuple[int, int]:
        return struct.unpack_from("<II", self.wait(STATUS), 20)


def use(port, server, agent):
    """Be clients, in a thread beside the server's loop."""
    client = Client(port, "sekret")
    eventually("an agent comes", lambda: client.pump() or client.there)
    assert client.greet() & 1 << 6  # VD_AGENT_CAP_CLIPBOARD_SELECTION

    content = os.urandom(3_000_000)
    client.begin_file(1, "whole", len(content))
    client.send_file(1, content)
    assert client.status() == (1, SUCCESS)
    assert (agent.downloads / "whole").read_bytes() == content

    # The name is the agent's business, which keeps it in its folder or refuses it.
    client.tell(
        START, struct.pack("<I", 2) + b"[vdagent-file-xfer]\nname=../../x\nsize=1\n\0"
    )
    assert client.status()[0] == 2
    assert not (agent.downloads.parent.parent / "x").exists()

    # It goes in the middle of a message; the next one's are whole.
    client.begin_file(3, "cut", 1_000_000)
    client.tell(DATA, struct.pack("<IQ", 3, PIECE) + bytes(PIECE), cut=30_000)
    client.close()
    client = Client(port, "sekret")
    client.greet()
    client.begin_file(4, "next", len(content))
    client.send_file(4, content)
    assert client.status() == (4, SUCCESS)
    assert (agent.downloads / "next").read_bytes() == content

    agent.stop()
    eventually("the agent goes", lambda: client.pump() or not client.there)
    agent.start()
    eventually("an agent comes", lambda: client.pump() or client.there)
    client.greet()
    client.close()
    assert "lost sync" not in agent.log
    assert "too large" not in agent.log


@pytest.mark.asyncio
async def test_files_cut_messages_pointer_and_restarts(tmp_path):
    path = tmp_path / "port"
    port = SocketPort(path, asyncio.get_running_loop())
    sink = RecordingSink(has_tablet=False)
    with (
        contextlib.closing(port),
        x_server(800, 600) as environment,
        Vdagent(path, environment) as agent,
    ):
        async with running_server(sink=sink) as server:
            server.agent.attach(port)
            await asyncio.to_thread(use, server.control.port, server, agent)
            assert server.mouse_mode.current is SpiceMouseMode.CLIENT
            server.agent.position(100, 50, 1, 0)
            server.agent.buttons(0)
            await asyncio.to_thread(
                eventually, "a click", lambda: "mouse: btn-left up" in agent.log
            )
            assert "mouse-event: mon 0 100x50" in agent.log
            agent.stop()
            await asyncio.to_thread(
                eventually,
                "the mode changes",
                lambda: server.mouse_mode.current is SpiceMouseMode.SERVER,
            )
