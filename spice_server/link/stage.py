"""A connection in its link stage: the table of :mod:`handshake` given a socket."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from spice_protocol.enums import SpiceLinkErr
from spice_protocol.protocol import SpiceCommonCap
from spice_server.channel.channel import COMMON_CAPS, SASL_COMMON_CAPS
from spice_server.channel.connection import LOW_WATER
from spice_server.channel.link_info import LinkInfo
from spice_server.errors import LinkRefusedError
from spice_server.link.cyrus_sasl import SaslError
from spice_server.link.handshake import (
    EncryptedTicket,
    Handshake,
    LinkState,
)
from spice_server.link.link_message import LinkRequest
from spice_server.link.sasl_exchange import SaslList, SaslStep
from spice_server.link.sasl_login import SaslLogin
from spice_server.websocket.opening import (
    HttpRefusal,
    Native,
    Opening,
    PageRequest,
    Upgrade,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from websockets.http11 import Request

    from spice_server.channel.channel import Channel
    from spice_server.channel.connection import Connection
    from spice_server.limited_log import LimitedLog
    from spice_server.link.auth import TicketKey
    from spice_server.link.policy import Authentication, LinkPolicy
    from spice_server.websocket.stream import WebSocketStream
    from spice_server.websocket.web import Web

__all__ = ["LINK_TIMEOUT", "LinkStage"]

LINK_TIMEOUT: Final = 60.0
"""Seconds for a whole link stage: a client that asks its user for a password does so
before it connects, so this only ends what will never be a link."""

LAYER_PAUSE: Final = 0.1
"""Seconds between the verdict and what follows in a security layer: spice-gtk leaves
unread what it decoded together with the verdict, until more comes."""

_log = logging.getLogger(__name__)


class LinkStage:
    """Serves a new connection until it is linked or closed (a :class:`Receiver`)."""

    def __init__(
        self,
        connection: Connection,
        policy: LinkPolicy,
        authentication: Authentication,
        web: Web,
        log: logging.Logger | LimitedLog = _log,
    ) -> None:
        """Serve *connection*.

        Args:
            connection: the client's.
            policy: decides.
            authentication: how the client gets in.
            web: what browsers get.
            log: of what becomes of links.

        """
        self.connection = connection
        self._policy = policy
        self._web = web
        self._log = log
        self._opening: Opening | None = web.opening()
        """Until it is known what the connection speaks."""
        self._websocket: WebSocketStream | None = None
        self._page = memoryview(b"")
        """What is left to be sent of a page."""
        self._skip_auth = authentication.skip
        self._keys = authentication.keys
        self._logins = None if authentication.skip else authentication.logins
        self._login: SaslLogin | None = None
        self._handshake = Handshake(sasl=self._logins is not None)
        self._request: LinkRequest | None = None
        self._key: TicketKey | None = None
        self._working: asyncio.Task[None] | None = None
        """What is awaited to go on: a key, or a step of a login."""
        self._timeout: asyncio.TimerHandle | None = None
        self._closed = False

    def start(self) -> None:
        """Begin to read."""
        loop = asyncio.get_running_loop()
        self._timeout = loop.call_later(LINK_TIMEOUT, self.abort, "it took too long")
        self.connection.attach(loop, self)

    def abort(self, reason: str) -> None:
        """End the connection now, with no answer."""
        self._log.info("link from %s given up: %s", self._peer, reason)
        self._end()
        self._policy.unlinked(self.connection)
        self.connection.abort()

    @property
    def _peer(self) -> str:
        peer = self.connection.peer
        return f"{peer.host}:{peer.port}" if peer.port else peer.host

    def _end(self) -> None:
        """Handle nothing more; the connection may still be closing."""
        self._closed = True
        if self._timeout is not None:
            self._timeout.cancel()
        if self._working is not None and self._working is not asyncio.current_task():
            self._working.cancel()

    # -- Receiver --------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Go on with the handshake."""
        if self._closed or self._page:
            return
        try:
            if self._opening is not None:
                data = self._open(self._opening, data)
            self._handshake.receive(data)
            self._proceed()
        except LinkRefusedError as error:
            self._refused(error)
        except Exception:  # noqa: BLE001 - logged, and bounded to this link
            # A mistake of ours, provoked by this client: the others go on.
            self._log.exception("link from %s: not handled", self._peer)
            self.abort("it cannot be handled")

    def writable(self) -> None:
        """Go on with a page; a link stage writes little."""
        if self._page:
            self._send_page()

    def connection_lost(self, error: Exception | None) -> None:
        """Forget it."""
        if not self._closed:
            self._log.info("link from %s ended: %s", self._peer, error or "it hung up")
        self._end()
        self._policy.unlinked(self.connection)
        self._policy.link_lost(self.connection)

    # -- HTTP ------------------------------------------------------------------

    def _open(self, opening: Opening, data: bytes) -> bytes:
        """Take the first bytes; return those that are the handshake's."""
        match opening.receive(data):
            case Native(first):
                self._opening = None
                return first
            case Upgrade(response, stream, rest):
                self._opening = None
                self._websocket = stream
                self.connection.write([response])
                self.connection.wrap(stream, rest)
            case PageRequest(request):
                self._opening = None
                self._serve(request)
            case HttpRefusal(response, reason):
                self._opening = None
                self.connection.write([response])
                self._give_up(LinkRefusedError(None, reason))
            case None:
                pass
        return b""

    def _serve(self, request: Request) -> None:
        answer = self._web.answer(request)
        self._log.debug("page for %s: %d %r", self._peer, answer.status, request.path)
        self._page = memoryview(answer.data)
        self._send_page()

    def _send_page(self) -> None:
        """Send what there is room for, so that no slow reader is cut off by closing."""
        while self._page and self.connection.pending <= LOW_WATER:
            self.connection.write([self._page[:LOW_WATER]])
            self._page = self._page[LOW_WATER:]
        if not self._page:
            self._end()
            self.connection.close()

    # -- steps -----------------------------------------------------------------

    def _proceed(self) -> None:
        match self._handshake.next_event():
            case LinkRequest() as request:
                self._decide(request)
            case EncryptedTicket() as ticket:
                self._judge(ticket)
            case SaslList() | SaslStep() as event:
                self._work(self._log_in(event))
            case None:
                pass

    def _refused(self, error: LinkRefusedError) -> None:
        self._log.info("link from %s refused: %s", self._peer, error)
        if self._handshake.state is not LinkState.CLOSED:
            self._handshake.refuse(error.error, str(error))
        self.connection.write([self._handshake.data_to_send()])
        self._give_up(error)

    def _give_up(self, error: LinkRefusedError) -> None:
        """Close once the answer is out."""
        self._policy.refused(error)
        self._end()
        self.connection.close()

    def _decide(self, request: LinkRequest) -> None:
        """Find the channel, then offer a key as soon as there is one."""
        channel = self._policy.find_channel(request, tls=self.connection.tls)
        self._request = request
        self._work(self._offer(channel))

    def _work(self, work: Coroutine[object, object, None]) -> None:
        self._working = asyncio.get_running_loop().create_task(work)

    async def _offer(self, channel: Channel) -> None:
        if self._logins is None:
            self._key = await self._keys.take()
            key, common = self._key.public, COMMON_CAPS
        else:
            key, common = b"", SASL_COMMON_CAPS
        if self._closed:
            return
        self._handshake.offer(key, common, channel.capability_words)
        self.connection.write([self._handshake.data_to_send()])
        self.data_received(b"")  # go on with what came meanwhile

    def _judge(self, ticket: EncryptedTicket) -> None:
        """Let the client in, or not."""
        assert self._request is not None  # the handshake's order
        assert self._key is not None
        password = self._key.decrypt(ticket.data)
        if password is None or not self._skip_auth:
            self._policy.check_ticket(password, self._request, self.connection.peer)
        self._admit(self._request, by_ticket=not self._skip_auth)

    async def _log_in(self, event: SaslList | SaslStep) -> None:
        """Go on with a login, and let the client in at its end."""
        assert self._request is not None  # the handshake's order
        try:
            complete = await self._log_in_step(event, self._request)
            if complete:
                await self._admit_user(self._request)
        except LinkRefusedError as error:
            if self._handshake.state is LinkState.LINKED:
                self.abort(str(error))
            else:
                self._refused(error)
        except Exception:  # noqa: BLE001 - logged, and bounded to this link
            self._log.exception("link from %s: not handled", self._peer)
            self.abort("it cannot be handled")
        else:
            if not self._closed:
                self.data_received(b"")  # go on with what came meanwhile

    async def _log_in_step(
        self, event: SaslList | SaslStep, request: LinkRequest
    ) -> bool:
        """Answer *event*; return whether the client is logged in."""
        peer, complete = self.connection.peer, False
        try:
            if isinstance(event, SaslList):
                self._policy.check_login(request, peer)
                self._login = self._new_login()
                self._handshake.list_mechanisms(await self._login.mechanisms())
            else:
                assert self._login is not None
                data, complete = await self._login.step(event)
                self._handshake.answer_step(data, complete=complete)
        except SaslError as error:
            if isinstance(event, SaslStep):
                self._policy.login_failed(peer)
            # As libspice-server: there is no word for it while SASL goes on.
            raise LinkRefusedError(None, str(error)) from error
        self.connection.write([self._handshake.data_to_send()])
        if complete and (layer := self._login.layer) is not None:
            self.connection.wrap(layer, self._handshake.take_ahead())
        return complete

    def _new_login(self) -> SaslLogin:
        assert self._logins is not None
        connection = self.connection
        if self._websocket is not None and not connection.tls:
            # A security layer in a WebSocket is nothing that clients know.
            raise LinkRefusedError(
                SpiceLinkErr.INVALID_DATA, "SASL in a WebSocket needs TLS"
            )
        return SaslLogin(
            self._logins, connection.local, connection.peer, tls=connection.tls
        )

    def _admit(self, request: LinkRequest, *, by_ticket: bool) -> None:
        session_id = self._policy.join_session(request, by_ticket=by_ticket)
        self._accept()
        self._end()
        self._hand_over(request, session_id)

    def _accept(self) -> None:
        self._handshake.accept()
        self.connection.write([self._handshake.data_to_send()])

    async def _admit_user(self, request: LinkRequest) -> None:
        """Let a client in by its login."""
        assert self._login is not None
        session_id = self._policy.join_session(request, by_ticket=False)
        self._log.info("link from %s: user %r", self._peer, self._login.user)
        self._accept()
        if self._login.layer is not None:
            await asyncio.sleep(LAYER_PAUSE)
            if self._closed:
                return
            # Meanwhile the session may have ended.
            session_id = self._policy.join_session(request, by_ticket=False)
        self._end()
        self._hand_over(request, session_id)

    def _hand_over(self, request: LinkRequest, session_id: int) -> None:
        link = LinkInfo(
            session_id=session_id,
            channel_type=request.channel_type,
            channel_id=request.channel_id,
            common_caps=request.common_caps,
            channel_caps=request.channel_caps,
            mini_header=request.has_common(SpiceCommonCap.MINI_HEADER),
            tls=self.connection.tls,
        )
        self._policy.unlinked(self.connection)
        if self._websocket is not None:
            self._websocket.trust()
        self.connection.detach()
        self.connection.put_back(self._handshake.remaining())
        self._policy.linked(self.connection, link)
