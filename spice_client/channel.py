"""What all channels share: message framing, ack windows, pings (sans-I/O)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from spice_protocol.errors import InvalidValueError, LimitExceededError
from spice_protocol.messages.base import (
    BaseMsg,
    BaseMsgc,
    SpiceMsgcAckSync,
    SpiceMsgcPong,
    SpiceMsgNotify,
    SpiceMsgPing,
    SpiceMsgSetAck,
)
from spice_protocol.messages.tables import Direction, message_class, message_name
from spice_protocol.protocol import SpiceDataHeader, SpiceMiniDataHeader

if TYPE_CHECKING:
    from collections.abc import Callable

    from spice_client.link import LinkResult
    from spice_protocol.enums import ChannelType
    from spice_protocol.marshaller import WireMessage
    from spice_protocol.wire import WireStruct

__all__ = ["MAX_MESSAGE_SIZE", "Channel", "Received"]

MAX_MESSAGE_SIZE = 4 * 8192 * 8192 + 65536
"""A raw picture of the largest surface QXL drivers make; nothing else comes near."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Received:
    """One message, after the channel took notice of it."""

    id: int
    message: WireStruct | WireMessage


class Channel:
    """One channel after its link stage: bytes in, messages out, bytes to send."""

    TYPE: ClassVar[ChannelType]
    CAPABILITIES: ClassVar[tuple[int, ...]] = ()
    """Bit numbers to announce in the link stage."""
    HANDLERS: ClassVar[dict[int, str]] = {}
    """Message id to method name; other messages only appear as ``Received``."""

    def __init__(self, link: LinkResult, channel_id: int = 0) -> None:
        self.link = link
        self.id = channel_id
        self.notices: list[str] = []
        """Texts of NOTIFY messages."""
        self.disconnecting = False
        """The server announced that it closes."""
        self._buffer = bytearray()
        self._outgoing = bytearray()
        self._serial = 0
        self._window = 0
        self._unacknowledged = 0
        self._header = SpiceMiniDataHeader if link.mini_header else SpiceDataHeader
        names = _BASE_HANDLERS | self.HANDLERS
        self._handlers: dict[int, Callable[[WireStruct | WireMessage], None]] = {
            message_id: getattr(self, name) for message_id, name in names.items()
        }

    def data_to_send(self) -> bytes:
        """Take the bytes that are to be sent now."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def send(
        self, message_id: int, message: WireStruct | WireMessage | None = None
    ) -> None:
        """Queue a message for the server; ``None``: it has no fields."""
        body = b"" if message is None else message.pack()
        self._serial += 1
        if self.link.mini_header:
            header: WireStruct = SpiceMiniDataHeader(message_id, len(body))
        else:
            header = SpiceDataHeader(self._serial, message_id, len(body), 0)
        self._outgoing += header.pack() + body

    def receive_data(self, data: bytes) -> list[Received]:
        """Take what the server sent; the messages that are complete now.

        Raises:
            ProtocolError: the server broke the protocol.
            UnsupportedError: it sent what this client cannot draw.

        """
        self._buffer += data
        received = []
        while (message := self._next_message()) is not None:
            message_id, body = message
            received.append(self._handle(message_id, body))
        return received

    def name_of(self, message_id: int) -> str:
        """Return a server message's name for errors and logs."""
        return message_name(self.TYPE, Direction.MSG, message_id)

    def _next_message(self) -> tuple[int, bytes] | None:
        if len(self._buffer) < self._header.SIZE:
            return None
        header = self._header.unpack_from(self._buffer)
        if header.size > MAX_MESSAGE_SIZE:
            name = self.name_of(header.type)
            raise LimitExceededError(f"{name} of {header.size} bytes")
        end = self._header.SIZE + header.size
        if len(self._buffer) < end:
            return None
        with memoryview(self._buffer) as view:
            body = bytes(view[self._header.SIZE : end])
        del self._buffer[:end]
        return header.type, body

    def _handle(self, message_id: int, body: bytes) -> Received:
        cls = message_class(self.TYPE, Direction.MSG, message_id)
        if cls is None:
            raise InvalidValueError(f"the server sent {self.name_of(message_id)}")
        message = cls.unpack(body)
        _log.debug("%s: %d bytes", self.name_of(message_id), len(body))
        handler = self._handlers.get(message_id)
        if handler is not None:
            handler(message)
        if message_id != BaseMsg.SET_ACK:
            self._count_for_ack()
        return Received(message_id, message)

    def _count_for_ack(self) -> None:
        if not self._window:
            return
        self._unacknowledged += 1
        if self._unacknowledged >= self._window:
            self._unacknowledged = 0
            self.send(BaseMsgc.ACK)

    def handle_set_ack(self, message: SpiceMsgSetAck) -> None:
        """Open an ack window; counting starts after this message."""
        self._window = message.window
        self._unacknowledged = 0
        self.send(BaseMsgc.ACK_SYNC, SpiceMsgcAckSync(message.generation))

    def handle_ping(self, message: SpiceMsgPing) -> None:
        """Answer a ping."""
        self.send(BaseMsgc.PONG, SpiceMsgcPong(message.id, message.timestamp))

    def handle_notify(self, message: SpiceMsgNotify) -> None:
        """Keep the server's text."""
        text = message.message.rstrip(b"\0").decode(errors="replace")
        self.notices.append(text)
        _log.info("server: %s", text)

    def handle_disconnecting(self, _message: WireStruct) -> None:
        """Expect the end."""
        self.disconnecting = True


_BASE_HANDLERS: dict[int, str] = {
    BaseMsg.SET_ACK: "handle_set_ack",
    BaseMsg.PING: "handle_ping",
    BaseMsg.NOTIFY: "handle_notify",
    BaseMsg.DISCONNECTING: "handle_disconnecting",
}
