"""The main channel and the agent behind it."""

from __future__ import annotations

import pytest

from spice_client.agent import AgentMessage
from spice_client.main import MainChannel
from spice_protocol.enums import ChannelType, SpiceMouseMode
from spice_protocol.errors import LimitExceededError, TruncatedError
from spice_protocol.messages.base import SpiceMsgData
from spice_protocol.messages.main import (
    MainMsg,
    MainMsgc,
    SpiceChannelId,
    SpiceMsgMainAgentDisconnected,
    SpiceMsgMainAgentToken,
    SpiceMsgMainChannelsList,
    SpiceMsgMainInit,
    SpiceMsgMainMouseMode,
    SpiceMsgMainMultiMediaTime,
    SpiceMsgMainName,
    SpiceMsgMainUuid,
)
from spice_protocol.vd_agent import (
    VDAgentAnnounceCapabilities,
    VDAgentMessage,
    VDAgentMessageType,
)
from tests.fakes.spice_peer import MINI, framed, unframed

INIT = SpiceMsgMainInit(99, 1, 3, SpiceMouseMode.SERVER, 0, 10, 5000, 0)


@pytest.fixture
def main() -> MainChannel:
    main = MainChannel(MINI)
    main.receive_data(framed(MainMsg.INIT, INIT))
    assert unframed(main.data_to_send()) == [(MainMsgc.ATTACH_CHANNELS, b"")]
    return main


def test_session(main: MainChannel) -> None:
    assert main.init == INIT
    assert main.mouse_mode == SpiceMouseMode.SERVER
    assert main.channels is None
    channels = [SpiceChannelId(ChannelType.DISPLAY, 0)]
    message = SpiceMsgMainChannelsList(channels)
    main.receive_data(framed(MainMsg.CHANNELS_LIST, message))
    assert main.channels == channels
    main.receive_data(framed(MainMsg.NAME, SpiceMsgMainName(b"guest\0")))
    main.receive_data(framed(MainMsg.UUID, SpiceMsgMainUuid(bytes(range(16)))))
    main.receive_data(framed(MainMsg.MULTI_MEDIA_TIME, SpiceMsgMainMultiMediaTime(7)))
    assert (main.name, main.uuid, main.multi_media_time) == (
        "guest",
        bytes(range(16)),
        7,
    )


def test_mouse_mode(main: MainChannel) -> None:
    main.request_mouse_mode(SpiceMouseMode.CLIENT)
    assert unframed(main.data_to_send()) == [(MainMsgc.MOUSE_MODE_REQUEST, b"\x02\0")]
    main.receive_data(framed(MainMsg.MOUSE_MODE, SpiceMsgMainMouseMode(3, 2)))
    assert (main.supported_mouse_modes, main.mouse_mode) == (3, 2)


def connect_agent(main: MainChannel, tokens: int) -> list[tuple[int, bytes]]:
    message = SpiceMsgMainAgentToken(tokens)
    main.receive_data(framed(MainMsg.AGENT_CONNECTED_TOKENS, message))
    return unframed(main.data_to_send())


def agent_data(message_type: int, data: bytes, *, size: int | None = None) -> bytes:
    header = VDAgentMessage(1, message_type, 0, len(data) if size is None else size)
    return header.pack() + data


def test_agent_there_from_the_start() -> None:
    main = MainChannel(MINI)
    init = SpiceMsgMainInit.unpack(INIT.pack())
    init.agent_connected = 1
    main.receive_data(framed(MainMsg.INIT, init))
    sent = [message_id for message_id, _ in unframed(main.data_to_send())]
    assert sent == [MainMsgc.AGENT_START, MainMsgc.AGENT_DATA, MainMsgc.ATTACH_CHANNELS]


def test_agent_comes_without_the_capability(main: MainChannel) -> None:
    main.receive_data(framed(MainMsg.AGENT_CONNECTED))
    assert main.agent is not None


def test_agent_capabilities(main: MainChannel) -> None:
    [start, (message_id, ours)] = connect_agent(main, 10)
    assert start == (MainMsgc.AGENT_START, b"\xff" * 4)
    assert message_id == MainMsgc.AGENT_DATA
    header = VDAgentMessage.unpack(ours)
    assert header.type == VDAgentMessageType.ANNOUNCE_CAPABILITIES
    announced = VDAgentAnnounceCapabilities(1).pack() + b"\x05\0\0\0"
    theirs = agent_data(VDAgentMessageType.ANNOUNCE_CAPABILITIES, announced)
    # Chunks end anywhere.
    for chunk in (theirs[:7], theirs[7:21], theirs[21:]):
        main.receive_data(framed(MainMsg.AGENT_DATA, SpiceMsgData(chunk)))
    assert main.agent is not None
    assert main.agent.capabilities == (5,)
    assert len(unframed(main.data_to_send())) == 1  # they asked for ours
    message = SpiceMsgMainAgentDisconnected(0)
    main.receive_data(framed(MainMsg.AGENT_DISCONNECTED, message))
    assert main.agent is None


def test_agent_data_of_nobody(main: MainChannel) -> None:
    main.receive_data(framed(MainMsg.AGENT_DATA, SpiceMsgData(b"late")))
    main.receive_data(framed(MainMsg.AGENT_TOKEN, SpiceMsgMainAgentToken(1)))
    assert main.data_to_send() == b""


def test_monitors(main: MainChannel) -> None:
    connect_agent(main, 10)
    assert main.agent is not None
    main.agent.configure_monitors([(800, 600), (640, 480)])
    [(_, data)] = unframed(main.data_to_send())
    assert VDAgentMessage.unpack(data).type == VDAgentMessageType.MONITORS_CONFIG
    assert data[20:28] == bytes.fromhex("02000000 00000000")
    second = data[48:]
    assert second == b"".join(n.to_bytes(4, "little") for n in (480, 640, 32, 800, 0))


def test_tokens(main: MainChannel) -> None:
    connect_agent(main, 2)  # one of them goes with our capabilities
    assert main.agent is not None
    main.agent.send(VDAgentMessageType.CLIPBOARD, bytes(5000))
    assert [len(body) for _, body in unframed(main.data_to_send())] == [2048]
    main.receive_data(framed(MainMsg.AGENT_TOKEN, SpiceMsgMainAgentToken(5)))
    assert [len(body) for _, body in unframed(main.data_to_send())] == [2048, 924]


def test_other_messages_are_kept(main: MainChannel) -> None:
    connect_agent(main, 10)
    data = agent_data(VDAgentMessageType.REPLY, b"12345678") * 2
    main.receive_data(framed(MainMsg.AGENT_DATA, SpiceMsgData(data)))
    assert main.agent is not None
    reply = AgentMessage(VDAgentMessageType.REPLY, b"12345678")
    assert list(main.agent.received) == [reply, reply]


def test_bad_agent_messages(main: MainChannel) -> None:
    connect_agent(main, 10)
    data = agent_data(VDAgentMessageType.CLIPBOARD, b"", size=0xFFFFFFFF)
    with pytest.raises(LimitExceededError):
        main.receive_data(framed(MainMsg.AGENT_DATA, SpiceMsgData(data)))
    connect_agent(main, 10)
    data = agent_data(VDAgentMessageType.ANNOUNCE_CAPABILITIES, b"123")
    with pytest.raises(TruncatedError):
        main.receive_data(framed(MainMsg.AGENT_DATA, SpiceMsgData(data)))
