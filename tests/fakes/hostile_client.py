"""A client that sends any bytes at all, without sockets: for properties and fuzzing.

The first byte of an input chooses where the rest goes: the link stage, or a channel of
an authenticated client.  What must hold is checked on the way; any exception that comes
out of :func:`play` is a mistake of ours.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from spice_protocol.enums import SpiceLinkErr
from spice_server.agent.agent import Agent
from spice_server.agent.policy import AgentPolicy
from spice_server.channel.channel_client import SEND_SIZE
from spice_server.channel.connection import LOW_WATER
from spice_server.channel.link_info import LinkInfo
from spice_server.config import ServerConfig
from spice_server.errors import LinkRefusedError
from spice_server.inputs.channel import InputsChannel
from spice_server.link.handshake import (
    MAX_AHEAD,
    EncryptedTicket,
    Handshake,
    LinkState,
)
from spice_server.link.link_message import LinkRequest
from spice_server.main.channel import MainChannel
from spice_server.main.mouse_mode import MouseMode
from tests.fakes.input_sink import RecordingSink
from tests.fakes.spice_channels import SilentDisplay
from vd_interfaces.control import SpiceEndpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spice_server.channel.channel import Channel
    from spice_server.channel.channel_client import ChannelClient

HERE = SpiceEndpoint("127.0.0.1", "5900", "ipv4")
PUB_KEY = bytes(162)


def fragments(data: bytes) -> Iterator[bytes]:
    """Cut *data* as its own bytes say."""
    position = 0
    while position < len(data):
        size = 1 + data[position] % 97
        yield data[position : position + size]
        position += size


# -- the link stage ------------------------------------------------------------


def play_link(data: bytes) -> Handshake:
    """Run a link stage in which we say yes to everything."""
    handshake = Handshake()
    try:
        for piece in fragments(data):
            handshake.receive(piece)
            _answer(handshake)
            assert len(handshake._buffer) <= MAX_AHEAD
    except LinkRefusedError as error:
        assert handshake.state is LinkState.CLOSED
        answer = handshake.data_to_send()
        _check_refusal(error, answer)
        assert handshake.next_event() is None
    return handshake


def _answer(handshake: Handshake) -> None:
    while event := handshake.next_event():
        match event:
            case LinkRequest():
                assert len(event.common_caps) <= 1024
                assert len(event.channel_caps) <= 1024
                handshake.offer(PUB_KEY, (11,), ())
                assert len(handshake.data_to_send()) == 16 + 178 + 4
            case EncryptedTicket():
                assert len(event.data) == 128
                handshake.accept()
                assert handshake.data_to_send() == bytes(4)


def _check_refusal(error: LinkRefusedError, answer: bytes) -> None:
    """Refusals before the verdict are all zero but for the error, or nothing."""
    if error.error is None:
        assert answer == b""
        return
    assert isinstance(error.error, SpiceLinkErr)
    assert len(answer) == 16 + 178
    assert int.from_bytes(answer[16:20], "little") == error.error
    assert not any(answer[20:])


# -- channels ------------------------------------------------------------------


class Loop:
    """As much of an event loop as a channel's client needs."""

    def __init__(self) -> None:
        self._ready: list[Handle] = []

    def time(self) -> float:
        return time.monotonic()

    def call_soon(self, function: Callable[..., None], *args: Any) -> Handle:
        self._ready.append(Handle(function, args))
        return self._ready[-1]

    def run(self) -> None:
        """Call what is due."""
        while self._ready:
            self._ready.pop(0)()


class Handle:
    """A call that may be cancelled."""

    def __init__(self, function: Callable[..., None], args: tuple[Any, ...]) -> None:
        self._function: Callable[..., None] | None = function
        self._args = args

    def __call__(self) -> None:
        if self._function is not None:
            self._function(*self._args)

    def cancel(self) -> None:
        self._function = None


class DeafConnection:
    """A connection whose peer reads nothing."""

    tls = False
    local = peer = HERE

    def __init__(self) -> None:
        self.pending = 0
        self.aborted = False

    def attach(self, loop: Loop, receiver: ChannelClient) -> None:
        self._loop, self._receiver = loop, receiver

    def write(self, buffers: list[bytes]) -> None:
        self.pending += sum(map(len, buffers))
        assert self.pending <= LOW_WATER + SEND_SIZE + 300_000

    def abort(self) -> None:
        if not self.aborted:
            self.aborted = True
            self._loop.call_soon(self._receiver.connection_lost, None)


def _channels(sink: RecordingSink) -> tuple[Channel, ...]:
    agent = Agent(AgentPolicy())
    mode = MouseMode(sink, agent)
    main = MainChannel(ServerConfig(name="vm"), mode, agent, lambda: [inputs, display])
    inputs = InputsChannel(sink, mode, agent)
    display = SilentDisplay()
    return main, inputs, display


def _our_mistake(*_: object) -> None:
    """Let out what a client's code contains and logs."""
    raise  # noqa: PLE0704 - called while the exception is handled


def play_channel(data: bytes, number: int, *, mini: bool) -> ChannelClient:
    """Let an authenticated client send *data* on one of three channels."""
    sink = RecordingSink()
    channel = _channels(sink)[number % 3]
    link = LinkInfo(1, channel.type, 0, (9,), (0xFFFF,), mini, tls=False)
    connection, loop = DeafConnection(), Loop()
    client: Any = channel.create_client(connection, link)  # type: ignore[arg-type]
    client.log.exception = _our_mistake
    closed: list[ChannelClient] = []
    client.start(loop, closed.append)
    loop.run()
    for piece in fragments(data):
        if client.closed:
            break
        client.data_received(piece)
        loop.run()
        assert client.pipe.cost <= client.pipe_limit
        assert len(client._reader._partial) <= client.max_message_size + 18
    client.close()
    loop.run()
    assert closed == [client]
    assert client.pipe.cost == 0
    return client


def play(data: bytes) -> None:
    """Run one input: its first byte chooses the stage."""
    choice, rest = (data[0], data[1:]) if data else (0, b"")
    match choice % 4:
        case 0:
            play_link(rest)
        case number:
            play_channel(rest, number, mini=choice & 4 == 0)
