"""The main channel: what a session consists of (spice.proto, MainChannel)."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, ClassVar, Final

from spice_protocol.enums import (
    ChannelType,
    SpiceNotifySeverity,
    SpiceNotifyVisibility,
    SpiceWarnCode,
)
from spice_protocol.messages.base import BaseMsg, BaseMsgc, SpiceMsgNotify
from spice_protocol.messages.main import (
    MainMsg,
    MainMsgc,
    SpiceChannelId,
    SpiceMsgcMainAgentStart,
    SpiceMsgcMainClientInfo,
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
from spice_server.agent.client import AgentClient
from spice_server.agent.tokens import AGENT_TOKENS
from spice_server.channel.channel import Channel
from spice_server.channel.channel_client import ChannelClient
from spice_server.errors import ClientError
from spice_server.main.net_test import BALLAST, NetTest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spice_server.agent.agent import Agent
    from spice_server.channel.connection import Connection
    from spice_server.channel.link_info import LinkInfo
    from spice_server.config import ServerConfig
    from spice_server.main.mouse_mode import MouseMode

__all__ = ["MainChannel", "MainClient", "mm_time"]

CONGESTED: Final = 64 * 1024
"""Bytes waiting for a client's socket above which the agent waits, too."""

_MIGRATION = (
    BaseMsgc.MIGRATE_FLUSH_MARK,
    BaseMsgc.MIGRATE_DATA,
    MainMsgc.MIGRATE_CONNECTED,
    MainMsgc.MIGRATE_CONNECT_ERROR,
    MainMsgc.MIGRATE_END,
    MainMsgc.MIGRATE_DST_DO_SEAMLESS,
    MainMsgc.MIGRATE_CONNECTED_SEAMLESS,
)
"""Answers to what this server never says."""


def mm_time() -> int:
    """Return the multimedia clock: milliseconds, 32 bits, never 0.

    To spice-gtk 0 means that there is no clock.
    """
    return (time.monotonic_ns() // 1_000_000) % 0xFFFFFFFF + 1


class MainClient(ChannelClient):
    """A client's main channel; its end is the end of the session."""

    max_message_size: ClassVar[int] = 4096
    logger: ClassVar[logging.Logger] = logging.getLogger(__name__)

    def __init__(
        self, channel: MainChannel, connection: Connection, link: LinkInfo
    ) -> None:
        super().__init__(connection, link)
        self._channel = channel
        renewed = link.has_capability(MainCap.AGENT_CONNECTED_TOKENS)
        self.agent = AgentClient(channel.agent, self, renewed=renewed)
        self.net_test = NetTest()
        self._mode_untold = False
        self.cache_size: int | None = None
        """Bytes of the client's pixmap cache, if it told."""

    def handlers(self) -> dict[int, Callable[[memoryview], None]]:
        """Return the handlers of the base and the main messages."""
        return (
            super().handlers()
            | dict.fromkeys(_MIGRATION, self.handle_migration)
            | {
                MainMsgc.CLIENT_INFO: self.handle_client_info,
                MainMsgc.ATTACH_CHANNELS: self.handle_attach_channels,
                MainMsgc.MOUSE_MODE_REQUEST: self.handle_mouse_mode_request,
                MainMsgc.AGENT_START: self.handle_agent_start,
                MainMsgc.AGENT_DATA: self.handle_agent_data,
                MainMsgc.AGENT_TOKEN: self.handle_agent_token,
                MainMsgc.QUALITY_INDICATOR: self.handle_quality_indicator,
            }
        )

    def cleanup(self) -> None:
        """Let the agent go on without this client."""
        self._channel.agent.leave(self.agent)

    def pump(self) -> None:
        """Move what the socket allows; the agent may wait for room."""
        super().pump()
        if not self.congested:
            self._channel.agent.client_reads(self.agent)
            if self._mode_untold:
                self.send_mouse_mode()

    @property
    def congested(self) -> bool:
        """Whether so much waits for the socket that the agent should wait, too."""
        return self.closed or self.pipe.size >= CONGESTED

    # -- messages to the client ------------------------------------------------

    def greet(self) -> None:
        """Send INIT, name and UUID, and begin the net test."""
        self.send(MainMsg.INIT, self._channel.init_message(self.link).pack())
        self._channel.agent.join(self.agent)
        config = self._channel.config
        if self.link.has_capability(MainCap.NAME_AND_UUID):
            if config.name:
                name = SpiceMsgMainName(name=config.name.encode() + b"\0")
                self.send(MainMsg.NAME, name.pack())
            if config.uuid is not None:
                self.send(MainMsg.UUID, SpiceMsgMainUuid(config.uuid.bytes).pack())
        if self.connection.peer.family != "unix":
            for ballast in (b"", b"", BALLAST):
                self.net_test.sent(self.ping(ballast))

    def pong(self, ping_id: int, round_trip: float) -> None:
        """Take the net test's result."""
        test = self.net_test
        if test.pong(ping_id, round_trip) and test.latency and test.bitrate:
            self.log.info(
                "latency %.1f ms, %.1f Mbit/s", test.latency * 1e3, test.bitrate / 1e6
            )

    def send_mouse_mode(self) -> None:
        """Say which mouse mode is in force and which may be asked for.

        A client that does not read misses modes that were in force meanwhile.
        """
        self._mode_untold = self.congested
        if self._mode_untold:
            return
        mode = self._channel.mouse_mode
        message = SpiceMsgMainMouseMode(mode.supported, mode.current)
        self.send(MainMsg.MOUSE_MODE, message.pack())

    def send_multi_media_time(self) -> None:
        """Set the client's multimedia clock."""
        message = SpiceMsgMainMultiMediaTime(mm_time())
        self.send(MainMsg.MULTI_MEDIA_TIME, message.pack())

    def notify(self, text: str) -> None:
        """Show the client's user a warning."""
        message = SpiceMsgNotify(
            time_stamp=time.monotonic_ns(),
            severity=SpiceNotifySeverity.WARN,
            visibilty=SpiceNotifyVisibility.HIGH,
            what=SpiceWarnCode.GENERAL,
            message=text.encode(),
        )
        # The NUL is sent but not counted: clients print message_len bytes.
        self.send(BaseMsg.NOTIFY, message.pack() + b"\0")

    # -- messages from the client ----------------------------------------------

    def handle_client_info(self, body: memoryview) -> None:
        """CLIENT_INFO: how large the client's cache is."""
        self.cache_size = SpiceMsgcMainClientInfo.unpack(body).cache_size

    def handle_attach_channels(self, body: memoryview) -> None:  # noqa: ARG002 - a handler's
        """ATTACH_CHANNELS: the client wants to know the other channels."""
        channels = [SpiceChannelId(c.type, c.id) for c in self._channel.others()]
        message = SpiceMsgMainChannelsList(channels=channels)
        self.send(MainMsg.CHANNELS_LIST, message.pack())

    def handle_mouse_mode_request(self, body: memoryview) -> None:
        """MOUSE_MODE_REQUEST: honoured if possible; all clients learn of it."""
        mode = SpiceMsgcMainMouseModeRequest.unpack(body).mode
        if not self._channel.mouse_mode.request(mode):
            self.log.info("mouse mode %d is not possible", mode)

    def handle_agent_start(self, body: memoryview) -> None:
        """AGENT_START: see :class:`AgentClient`."""
        self.agent.handle_start(SpiceMsgcMainAgentStart.unpack(body).num_tokens)

    def handle_agent_data(self, body: memoryview) -> None:
        """AGENT_DATA: see :class:`AgentClient`."""
        self.agent.handle_data(body)

    def handle_agent_token(self, body: memoryview) -> None:
        """AGENT_TOKEN: see :class:`AgentClient`."""
        self.agent.handle_token(SpiceMsgMainAgentToken.unpack(body).num_tokens)

    def handle_quality_indicator(self, body: memoryview) -> None:
        """QUALITY_INDICATOR: a hint nothing here depends on."""

    def handle_migration(self, body: memoryview) -> None:  # noqa: ARG002 - a handler's
        """MIGRATE_*: refused."""
        raise ClientError("no migration is under way")


class MainChannel(Channel):
    """The main channel of all sessions."""

    type: ClassVar[ChannelType] = ChannelType.MAIN
    capabilities: ClassVar[tuple[int, ...]] = (
        MainCap.NAME_AND_UUID,
        MainCap.AGENT_CONNECTED_TOKENS,
    )
    clients: dict[int, MainClient]  # type: ignore[assignment]  # create_client's type

    def __init__(
        self,
        config: ServerConfig,
        mouse_mode: MouseMode,
        agent: Agent,
        others: Callable[[], Sequence[Channel]],
    ) -> None:
        super().__init__()
        self.config = config
        self.mouse_mode = mouse_mode
        self.agent = agent
        self.others = others
        """Tells the channels besides this one."""
        mouse_mode.on_change(self._mouse_mode_changed)

    def create_client(self, connection: Connection, link: LinkInfo) -> MainClient:
        """Make the client of a new session."""
        return MainClient(self, connection, link)

    def init_message(self, link: LinkInfo) -> SpiceMsgMainInit:
        """Return what a session begins with."""
        displays = sum(c.type is ChannelType.DISPLAY for c in self.others())
        return SpiceMsgMainInit(
            session_id=link.session_id,
            display_channels_hint=max(displays, 1),
            supported_mouse_modes=self.mouse_mode.supported,
            current_mouse_mode=self.mouse_mode.current,
            agent_connected=self.agent.connected,
            agent_tokens=AGENT_TOKENS,
            multi_media_time=mm_time(),
            ram_hint=self.config.ram_hint,
        )

    def _mouse_mode_changed(self) -> None:
        for client in self.clients.values():
            client.send_mouse_mode()
