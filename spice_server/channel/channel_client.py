"""One client on one channel: messages in through a table, messages out by a pipe.

Reading: socket -> :class:`MessageReader` -> the handler of the message's type.  Any
message that is unknown, too long, or refused by its handler ends this client only.

Writing: :meth:`ChannelClient.push` puts items into the pipe; :meth:`ChannelClient.pump`
moves as many messages as the ack window and the socket allow, in one system call.  So
three bounds hold for a client that does not read: ``LOW_WATER + SEND_SIZE`` and one
message in the connection, two ack windows on the wire, ``pipe_limit`` in the pipe.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar, Final

from spice_protocol.errors import ProtocolError
from spice_protocol.messages.base import (
    BaseMsg,
    BaseMsgc,
    SpiceMsgcAckSync,
    SpiceMsgcPong,
    SpiceMsgPing,
    SpiceMsgSetAck,
)
from spice_protocol.messages.tables import Direction, channel_name, message_name
from spice_server.channel.ack import AckWindow
from spice_server.channel.connection import LOW_WATER
from spice_server.channel.framing import MessageReader, MessageWriter
from spice_server.channel.pipe import Message, Pipe
from spice_server.errors import ClientError, SlowClientError
from spice_server.limited_log import LimitedLog

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, MutableMapping

    from spice_server.channel.connection import Connection
    from spice_server.channel.link_info import LinkInfo
    from spice_server.channel.pipe import Buffer, PipeItem

__all__ = ["ChannelClient", "ClientLog"]

SEND_SIZE: Final = 256 * 1024
"""Bytes moved per pump: more would let one client hold the loop."""

MAX_PINGS: Final = 16
"""Pings without an answer that are remembered."""


class ClientLog(LimitedLog):
    """Says of which client and channel a line is."""

    def process(
        self, msg: object, kwargs: MutableMapping[str, Any]
    ) -> tuple[object, MutableMapping[str, Any]]:
        """Put the ids before the text, and into the record for machines."""
        extra = dict(self.extra or {})
        kwargs["extra"] = extra
        return f"client {extra['client']} {extra['channel']}: {msg}", kwargs


class ChannelClient:
    """A client's end of a channel; lives in the thread of the channel's loop.

    Subclasses extend :meth:`handlers`, :meth:`greet` and :meth:`cleanup`.
    """

    max_message_size: ClassVar[int] = 1024
    """Largest body a client may send here."""
    ack_window: ClassVar[int] = 0
    """Messages per ACK; 0: this channel uses no window."""
    pipe_limit: ClassVar[int] = 1024 * 1024
    """Cost of the pipe, in bytes, above which :meth:`pipe_overflow` is called."""
    logger: ClassVar[logging.Logger] = logging.getLogger(__name__)

    def __init__(self, connection: Connection, link: LinkInfo) -> None:
        self.connection = connection
        self.link = link
        self.pipe = Pipe()
        self.ack = AckWindow()
        self.closed = False
        self.log = ClientLog(
            self.logger,
            {
                "client": f"{link.session_id:#x}",
                "channel": channel_name(link.channel_type, link.channel_id),
            },
        )
        self.sent_bytes = 0
        """Of messages handed to the connection."""
        self._writer = MessageWriter(mini=link.mini_header, apart=link.tls)
        self._reader = MessageReader(
            mini=link.mini_header, max_size=self.max_message_size
        )
        self._handlers: dict[int, Callable[[memoryview], None]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._on_closed: Callable[[ChannelClient], None] | None = None
        self._pump_soon: asyncio.Handle | None = None
        self._pings: dict[int, float] = {}
        self._last_ping = 0

    @property
    def sent_messages(self) -> int:
        """Messages handed to the connection."""
        return self._writer.serial

    # -- for subclasses --------------------------------------------------------

    def handlers(self) -> dict[int, Callable[[memoryview], None]]:
        """Return the handler of every message type that this channel allows.

        A handler raises ``ProtocolError`` or ``ClientError`` to end the client.
        """
        return {
            BaseMsgc.ACK_SYNC: self.handle_ack_sync,
            BaseMsgc.ACK: self.handle_ack,
            BaseMsgc.PONG: self.handle_pong,
            BaseMsgc.DISCONNECTING: self.handle_disconnecting,
        }

    def greet(self) -> None:
        """Push what a new client gets first, after SET_ACK."""

    def cleanup(self) -> None:
        """Forget what this client caused; it is closed and sends nothing any more."""

    def pong(self, ping_id: int, round_trip: float) -> None:
        """Learn that ping *ping_id* took *round_trip* seconds."""

    def pipe_overflow(self) -> None:
        """Do something about a pipe above ``pipe_limit``; else the client is ended."""
        raise SlowClientError(f"{self.pipe.size} bytes wait for it")

    # -- life ------------------------------------------------------------------

    def start(
        self,
        loop: asyncio.AbstractEventLoop,
        on_closed: Callable[[ChannelClient], None],
    ) -> None:
        """Serve the connection on *loop*, the running one, until *on_closed*."""
        self._loop = loop
        self._on_closed = on_closed
        self._handlers = self.handlers()
        self.connection.attach(loop, self)
        if self.ack_window:
            generation = self.ack.start(self.ack_window)
            self.send(
                BaseMsg.SET_ACK, SpiceMsgSetAck(generation, self.ack_window).pack()
            )
        self.greet()

    def close(self) -> None:
        """End this client now; *on_closed* follows from the loop."""
        if self.closed:
            return
        self.closed = True
        self.pipe.clear()
        self.connection.abort()

    def fail(self, error: Exception) -> None:
        """End this client because of what it did."""
        if not self.closed:
            self.log.warning("closed: %s", error)
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the client: its connection is gone (:class:`Receiver`)."""
        if error is not None and not self.closed:
            self.log.info("lost: %s", error)
        self.closed = True
        self.pipe.clear()
        self._handlers.clear()  # bound methods: a cycle otherwise
        self.cleanup()
        if self._on_closed is not None:
            self._on_closed(self)
            self._on_closed = None

    # -- messages to the client ------------------------------------------------

    def send(self, kind: int, *body: Buffer) -> None:
        """Push one message."""
        self.push(Message(kind, *body))

    def push(self, item: PipeItem) -> None:
        """Let *item* wait for its turn; it goes out by the next turn of the loop."""
        if self.closed:
            return
        self.pipe.push(item)
        if self.pipe.cost > self.pipe_limit:
            try:
                self.pipe_overflow()
            except SlowClientError as error:
                self.fail(error)
                return
        if self._pump_soon is None and self._loop is not None:
            self._pump_soon = self._loop.call_soon(self.pump)

    def pump(self) -> None:
        """Move what window and socket allow; for those who do not wait for the loop."""
        if self._pump_soon is not None:
            self._pump_soon.cancel()
            self._pump_soon = None
        if self.closed or not self._may_send():
            return
        buffers, messages = self.pipe.take(self._writer, self.ack.available, SEND_SIZE)
        self.ack.sent(messages)
        self.sent_bytes += sum(map(len, buffers))
        self.connection.write(buffers)
        if self._may_send() and self._loop is not None:
            self._pump_soon = self._loop.call_soon(self.pump)

    def _may_send(self) -> bool:
        return (
            len(self.pipe) > 0
            and self.connection.pending <= LOW_WATER
            and self.ack.available > 0
        )

    def writable(self) -> None:
        """Send more: the socket takes bytes again (:class:`Receiver`)."""
        self.pump()

    def ping(self, data: Buffer = b"") -> int:
        """Send a PING with *data* as ballast, return its id; :meth:`pong` follows."""
        assert self._loop is not None  # started
        self._last_ping += 1
        now = self._loop.time()
        if len(self._pings) < MAX_PINGS:
            self._pings[self._last_ping] = now
        message = SpiceMsgPing(id=self._last_ping, timestamp=int(now * 1e6))
        self.send(BaseMsg.PING, message.pack(), data)
        return self._last_ping

    # -- messages from the client ----------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Handle every message that *data* completes (:class:`Receiver`)."""
        try:
            for kind, body in self._reader.feed(data):
                self._handle(kind, body)
                if self.closed:
                    return
        except (ProtocolError, ClientError) as error:
            self.fail(error)
        except Exception:
            # A mistake of ours, provoked by this client: the others go on.
            self.log.exception("closed: its message was not handled")
            self.close()

    def _handle(self, kind: int, body: memoryview) -> None:
        handler = self._handlers.get(kind, self.handle_unexpected)
        try:
            handler(body)
        except (ProtocolError, ClientError) as error:
            name = message_name(self.link.channel_type, Direction.MSGC, kind)
            raise ClientError(f"{name}: {error}") from error

    def handle_unexpected(self, body: memoryview) -> None:  # noqa: ARG002 - a handler's
        """Refuse any message that has no handler."""
        raise ClientError("not allowed on this channel")

    def handle_ack_sync(self, body: memoryview) -> None:
        """ACK_SYNC: ACKs that follow count for this generation."""
        self.ack.sync(SpiceMsgcAckSync.unpack(body).generation)
        self.pump()

    def handle_ack(self, body: memoryview) -> None:  # noqa: ARG002 - a handler's
        """ACK: the client handled another window of messages."""
        self.ack.ack()
        self.pump()

    def handle_pong(self, body: memoryview) -> None:
        """PONG: measure the round trip; an unknown id says nothing."""
        pong = SpiceMsgcPong.unpack(body)
        sent = self._pings.pop(pong.id, None)
        if sent is not None and self._loop is not None:
            self.pong(pong.id, self._loop.time() - sent)

    def handle_disconnecting(self, body: memoryview) -> None:  # noqa: ARG002 - a handler's
        """DISCONNECTING: the client is about to leave."""
        self.log.debug("is leaving")
        self.close()
