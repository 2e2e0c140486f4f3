"""The main channel: the session, its channels, mouse modes, the agent (sans-I/O)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from spice_client.agent import AgentConnection
from spice_client.channel import Channel
from spice_protocol.enums import ChannelType
from spice_protocol.messages.base import SpiceMsgData
from spice_protocol.messages.main import (
    MainMsg,
    MainMsgc,
    SpiceChannelId,
    SpiceMsgcMainAgentStart,
    SpiceMsgcMainMouseModeRequest,
    SpiceMsgMainAgentToken,
    SpiceMsgMainChannelsList,
    SpiceMsgMainInit,
    SpiceMsgMainMouseMode,
    SpiceMsgMainMultiMediaTime,
    SpiceMsgMainName,
    SpiceMsgMainUuid,
)
from spice_protocol.protocol import MainCap

if TYPE_CHECKING:
    from spice_client.link import LinkResult
    from spice_client.session import Session
    from spice_protocol.wire import WireStruct

__all__ = ["MainChannel"]

_ALL_TOKENS = 0xFFFFFFFF
"""What spice-gtk gives the agent: this client reads whatever comes."""


class MainChannel(Channel):
    """The channel every session begins with."""

    TYPE = ChannelType.MAIN
    CAPABILITIES: ClassVar[tuple[int, ...]] = (
        MainCap.NAME_AND_UUID,
        MainCap.AGENT_CONNECTED_TOKENS,
    )
    HANDLERS: ClassVar[dict[int, str]] = {
        MainMsg.INIT: "handle_init",
        MainMsg.CHANNELS_LIST: "handle_channels_list",
        MainMsg.MOUSE_MODE: "handle_mouse_mode",
        MainMsg.MULTI_MEDIA_TIME: "handle_multi_media_time",
        MainMsg.AGENT_CONNECTED: "handle_agent_connected",
        MainMsg.AGENT_CONNECTED_TOKENS: "handle_agent_connected_tokens",
        MainMsg.AGENT_DISCONNECTED: "handle_agent_disconnected",
        MainMsg.AGENT_DATA: "handle_agent_data",
        MainMsg.AGENT_TOKEN: "handle_agent_token",
        MainMsg.NAME: "handle_name",
        MainMsg.UUID: "handle_uuid",
    }

    def __init__(
        self, link: LinkResult, channel_id: int = 0, session: Session | None = None
    ) -> None:
        super().__init__(link, channel_id, session)
        self.init: SpiceMsgMainInit | None = None
        """INIT, once it came."""
        self.channels: list[SpiceChannelId] | None = None
        """Once CHANNELS_LIST came."""
        self.supported_mouse_modes = 0
        self.mouse_mode = 0
        """``SPICE_MOUSE_MODE_*``, as the server last said."""
        self.multi_media_time = 0
        self.name = ""
        """Name of the VM."""
        self.uuid = b""
        self.agent: AgentConnection | None = None
        """While the guest's agent is connected."""

    def request_mouse_mode(self, mode: int) -> None:
        """Ask for ``SPICE_MOUSE_MODE_*``."""
        self.send(MainMsgc.MOUSE_MODE_REQUEST, SpiceMsgcMainMouseModeRequest(mode))

    def handle_init(self, message: SpiceMsgMainInit) -> None:
        """Note the session; ask for its channels."""
        self.init = message
        self.supported_mouse_modes = message.supported_mouse_modes
        self.mouse_mode = message.current_mouse_mode
        self.multi_media_time = message.multi_media_time
        if message.agent_connected:
            self._start_agent(message.agent_tokens)
        self.send(MainMsgc.ATTACH_CHANNELS)

    def handle_channels_list(self, message: SpiceMsgMainChannelsList) -> None:
        """Note what can be opened."""
        self.channels = message.channels

    def handle_mouse_mode(self, message: SpiceMsgMainMouseMode) -> None:
        """Note who draws the pointer."""
        self.supported_mouse_modes = message.supported_modes
        self.mouse_mode = message.current_mode

    def handle_multi_media_time(self, message: SpiceMsgMainMultiMediaTime) -> None:
        """Note the server's clock."""
        self.multi_media_time = message.time

    def handle_name(self, message: SpiceMsgMainName) -> None:
        """Note the VM's name."""
        self.name = message.name.rstrip(b"\0").decode(errors="replace")

    def handle_uuid(self, message: SpiceMsgMainUuid) -> None:
        """Note the VM's UUID."""
        self.uuid = message.uuid

    def handle_agent_connected(self, _message: WireStruct) -> None:
        """Greet an agent that came; without the capability 10 tokens are usual."""
        self._start_agent(self.init.agent_tokens if self.init else 0)

    def handle_agent_connected_tokens(self, message: SpiceMsgMainAgentToken) -> None:
        """Greet an agent that came."""
        self._start_agent(message.num_tokens)

    def _start_agent(self, tokens: int) -> None:
        self.send(MainMsgc.AGENT_START, SpiceMsgcMainAgentStart(_ALL_TOKENS))
        self.agent = AgentConnection(self._send_agent_data, tokens)
        self.agent.announce_capabilities(request=True)

    def _send_agent_data(self, chunk: bytes) -> None:
        self.send(MainMsgc.AGENT_DATA, SpiceMsgData(chunk))

    def handle_agent_disconnected(self, _message: WireStruct) -> None:
        """Forget the agent."""
        self.agent = None

    def handle_agent_data(self, message: SpiceMsgData) -> None:
        """Hand a chunk to the agent's reader."""
        if self.agent is not None:
            self.agent.receive_chunk(message.data)

    def handle_agent_token(self, message: SpiceMsgMainAgentToken) -> None:
        """Send what waited for tokens."""
        if self.agent is not None:
            self.agent.add_tokens(message.num_tokens)
