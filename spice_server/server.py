"""The SPICE server: listens, links clients to channels, keeps sessions."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Final

from spice_protocol.enums import ChannelType, SpiceLinkErr
from spice_protocol.messages.tables import channel_name
from spice_server.agent.agent import Agent
from spice_server.certificates import Certificates
from spice_server.control import Control
from spice_server.errors import LinkRefusedError, OperatorError
from spice_server.inputs.channel import InputsChannel
from spice_server.limited_log import LimitedLog
from spice_server.link.admission import Admission
from spice_server.link.auth import TicketKeys
from spice_server.link.policy import Authentication
from spice_server.link.sasl_login import SaslLogins
from spice_server.link.stage import LinkStage
from spice_server.link.tickets import Moment, TicketStore
from spice_server.listener import (
    Listener,
    adopted_connection,
    listen_tcp,
    listen_unix,
)
from spice_server.main.channel import MainChannel
from spice_server.main.mouse_mode import MouseMode
from spice_server.migration import MigrationSource
from spice_server.session import SessionTable
from spice_server.stats import ServerStats
from spice_server.websocket.web import Web
from vd_interfaces.control import ControlError

if TYPE_CHECKING:
    from spice_server.channel.channel import Channel
    from spice_server.channel.connection import Connection
    from spice_server.channel.link_info import LinkInfo
    from spice_server.config import ServerConfig
    from spice_server.link.link_message import LinkRequest
    from vd_interfaces.control import SpiceEndpoint
    from vd_interfaces.input import InputSink

__all__ = ["Server"]

STOP_TIMEOUT: Final = 5.0
"""Seconds that channels on other threads get to close their clients."""

_log = logging.getLogger(__name__)


class Server:
    """One SPICE server; main thread only.

    Main and inputs channels are its own, others are added before clients come.
    """

    def __init__(self, config: ServerConfig, input_sink: InputSink) -> None:
        self.config = config
        self.stats = ServerStats()
        self.agent = Agent(config.agent)
        self.mouse_mode = MouseMode(input_sink, self.agent)
        self.sessions = SessionTable(config.auth)
        self.main = MainChannel(
            config, self.mouse_mode, self.agent, self._other_channels
        )
        self.inputs = InputsChannel(input_sink, self.mouse_mode, self.agent)
        ticketing = config.auth == "spice"
        tickets = TicketStore(ticketing=ticketing, one_time=config.one_time)
        if config.password and ticketing:
            tickets.set_password(config.password, Moment.now())
        self._admission = Admission(
            config, tickets, lambda number: self.sessions.get(number) is not None
        )
        self.control = Control(
            tickets,
            self.sessions,
            self.mouse_mode,
            MigrationSource(self.main, self.sessions),
            self.add_client,
        )
        """The operator's side of the server."""
        self._channels: dict[tuple[int, int], Channel] = {}
        self._keys = TicketKeys()
        self._logins = SaslLogins() if config.sasl else None
        self._web = Web(config)
        self._link_log = LimitedLog(
            logging.getLogger("spice_server.link"), burst=100, lines_per_second=5
        )
        """One for all strangers: each may connect as often as it likes."""
        self._listeners: list[Listener] = []
        self._stages: dict[Connection, LinkStage] = {}
        """Half-open links, the oldest first."""
        self._all_closed: asyncio.Event | None = None

    def add_channel(self, channel: Channel) -> None:
        """Offer *channel* to clients; they learn of it when they attach."""
        self._channels[channel.type, channel.id] = channel
        channel.register(asyncio.get_running_loop(), self._link_closed)

    def _other_channels(self) -> list[Channel]:
        channels = self._channels.values()
        return [c for c in channels if c is not self.main and c.offered]

    # -- life ------------------------------------------------------------------

    async def start(self) -> None:
        """Listen.

        Raises:
            OperatorError: an address, a path or a certificate cannot be used.

        """
        tls = None if self.config.tls_port is None else self._certificates()
        self.add_channel(self.main)
        self.add_channel(self.inputs)
        try:
            self._listen(tls)
        except OperatorError:
            self._close_listeners()
            raise
        self._keys.start()
        for listener in self._listeners:
            listener.start()

    def _certificates(self) -> Certificates:
        """Return what TLS shows; it is read when it is needed first."""
        if self.config.tls is None:
            raise OperatorError("a TLS port needs a certificate (x509-dir)")
        if self.control.certificates is None:
            self.control.certificates = Certificates(self.config.tls)
        return self.control.certificates

    def _listen(self, tls: Certificates | None) -> None:
        config, control = self.config, self.control
        if config.unix_path is not None:
            control.host = str(config.unix_path)
            sock = listen_unix(config.unix_path, config.unix_mode)
            self._listeners.append(Listener(sock, self.serve))
        if config.tls_port is not None:
            control.host = config.addr or "*"
            control.tls_port = self._listen_tcp(config.tls_port, tls)
        if config.port is not None:
            control.host = config.addr or "*"
            control.port = self._listen_tcp(config.port, None)

    def _listen_tcp(self, port: int, tls: Certificates | None) -> int | None:
        listeners = [
            Listener(sock, self.serve, tls)
            for sock in listen_tcp(self.config.addr, port)
        ]
        self._listeners += listeners
        return listeners[0].port

    async def prepared(self) -> None:
        """Wait until nothing is made in advance any more: whoever measures wants that."""
        await self._keys.filled()

    async def stop(self) -> None:
        """Close every socket; channels on other threads must still be running."""
        self._close_listeners()
        for stage in list(self._stages.values()):
            stage.abort("the server stops")
        self._keys.stop()
        if self._logins is not None:
            self._logins.stop()
        self._all_closed = asyncio.Event()
        self.sessions.end_all()
        if self.sessions.links:
            try:
                async with asyncio.timeout(STOP_TIMEOUT):
                    await self._all_closed.wait()
            except TimeoutError:
                _log.warning("%d links did not close", len(self.sessions.links))
        await asyncio.sleep(0)  # let the end of half-open links be told, too

    def _close_listeners(self) -> None:
        for listener in self._listeners:
            listener.stop()
        if self._listeners and self.config.unix_path is not None:
            self.config.unix_path.unlink(missing_ok=True)
        self._listeners.clear()

    # -- connections -----------------------------------------------------------

    def add_client(self, fd: int, *, skip_auth: bool, tls: bool) -> None:
        """Serve a client on a connected socket, see :class:`SpiceControl`."""
        try:
            certificates = self._certificates() if tls else None
        except OperatorError as error:
            os.close(fd)
            raise ControlError(str(error)) from error
        try:
            connection = adopted_connection(fd, certificates)
        except OSError as error:
            raise ControlError(
                f"the client's socket cannot be used: {error}"
            ) from error
        self.serve(connection, skip_auth=skip_auth)

    def serve(self, connection: Connection, *, skip_auth: bool = False) -> None:
        """Begin the link stage of a new connection."""
        self.stats.accepted += 1
        self.sessions.connected(connection)
        while len(self._stages) >= self.config.max_half_open:
            self.stats.displaced += 1
            next(iter(self._stages.values())).abort("too many others wait, too")
        authentication = Authentication(self._keys, self._logins, skip_auth)
        stage = LinkStage(connection, self, authentication, self._web, self._link_log)
        self._stages[connection] = stage
        stage.start()

    # -- LinkPolicy ------------------------------------------------------------

    def find_channel(self, request: LinkRequest, *, tls: bool) -> Channel:
        """Return the channel a client asks for, see :class:`LinkPolicy`."""
        self._admission.check_security(request, tls=tls)
        # There is one main channel, whatever id a client gives it.
        is_main = request.channel_type == ChannelType.MAIN
        number = 0 if is_main else request.channel_id
        channel = self._channels.get((request.channel_type, number))
        if channel is None:
            name = channel_name(request.channel_type, request.channel_id)
            raise LinkRefusedError(None, f"there is no {name}")
        return channel

    def check_ticket(
        self, password: bytes | None, request: LinkRequest, peer: SpiceEndpoint
    ) -> None:
        """Let a client in by its ticket, see :class:`LinkPolicy`."""
        self._admission.check_ticket(password, request, peer)

    def check_login(self, request: LinkRequest, peer: SpiceEndpoint) -> None:
        """Let a client try to log in by SASL, see :class:`LinkPolicy`."""
        self._admission.check_attempts(request, peer)

    def login_failed(self, peer: SpiceEndpoint) -> None:
        """Learn that SASL refused a client."""
        self._admission.failed(peer)

    def join_session(self, request: LinkRequest, *, by_ticket: bool) -> int:
        """Return the id of a link's session, see :class:`LinkPolicy`.

        A main channel makes a new one.  If its client names an old one it expects to
        have been migrated here; it is given a new session like any other.
        """
        if len(self.sessions.links) >= self.config.max_links:
            raise LinkRefusedError(SpiceLinkErr.ERROR, "there are too many links")
        if request.channel_type == ChannelType.MAIN:
            number = self.sessions.new_id()
            if by_ticket:
                self._admission.joined(number)
            return number
        if self.sessions.get(request.connection_id) is None:
            text = f"there is no session {request.connection_id:#x}"
            raise LinkRefusedError(SpiceLinkErr.BAD_CONNECTION_ID, text)
        return request.connection_id

    def linked(self, connection: Connection, link: LinkInfo) -> None:
        """Give an authenticated connection to its channel, see :class:`LinkPolicy`."""
        is_main = link.channel_type == ChannelType.MAIN
        channel = self._channels[link.channel_type, 0 if is_main else link.channel_id]
        if is_main:
            self.stats.sessions += 1
            if not self.config.multi_client:
                self.sessions.end_all()
        if not self.sessions.add(link, channel, connection):
            _log.warning("client %#x: second %s", link.session_id, channel.name)
            connection.abort()
            self.sessions.disconnected(connection)
            return
        self.stats.linked += 1
        link.low_bandwidth = self._is_slow(link.session_id)
        channel.connect(connection, link)
        if link.channel_type == ChannelType.INPUTS:
            self._warn_of_plain_keys(connection, link)

    def _is_slow(self, session_id: int) -> bool:
        client = self.main.clients.get(session_id)
        return client is not None and client.net_test.low_bandwidth

    def _warn_of_plain_keys(self, connection: Connection, link: LinkInfo) -> None:
        client = self.main.clients.get(link.session_id)
        if client is not None and not link.tls and connection.peer.family != "unix":
            client.notify("keyboard channel is insecure")

    def refused(self, error: LinkRefusedError) -> None:
        """Count a refused link."""
        answer = "NONE" if error.error is None else error.error.name
        self.stats.refused[answer] += 1

    def unlinked(self, connection: Connection) -> None:
        """Forget a link stage that is over."""
        self._stages.pop(connection, None)

    def link_lost(self, connection: Connection) -> None:
        """Tell of the end of a connection that was never linked."""
        self.sessions.disconnected(connection)

    def _link_closed(self, link: LinkInfo) -> None:
        self.sessions.closed(link)
        if self._all_closed is not None and not self.sessions.links:
            self._all_closed.set()
