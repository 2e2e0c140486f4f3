"""What all channels share: message framing, ack windows, pings, waiting (sans-I/O)."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from spice_client.session import Session
from spice_protocol.errors import (
    InvalidValueError,
    LimitExceededError,
    ProtocolError,
    TruncatedError,
)
from spice_protocol.messages.base import (
    BaseMsg,
    BaseMsgc,
    SpiceMsgcAckSync,
    SpiceMsgcPong,
    SpiceMsgNotify,
    SpiceMsgPing,
    SpiceMsgSetAck,
    SpiceMsgWaitForChannels,
    SpiceWaitForChannel,
)
from spice_protocol.messages.tables import (
    Direction,
    channel_name,
    message_class,
    message_name,
)
from spice_protocol.protocol import SpiceDataHeader, SpiceMiniDataHeader

if TYPE_CHECKING:
    from collections.abc import Callable

    from spice_client.link import LinkResult
    from spice_protocol.enums import ChannelType
    from spice_protocol.marshaller import WireMessage
    from spice_protocol.wire import WireStruct

__all__ = ["Channel", "Received"]

MAX_NOTICES = 256
"""Texts that are kept; libspice-server sends one or two."""
MAX_SUB_MESSAGES = 1024
"""Of one message; libspice-server puts two into a list."""

_SUB_MESSAGE_HEADER = 6  # SpiceSubMessage: type 16, size 32

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Received:
    """One message, after the channel took notice of it."""

    id: int
    message: WireStruct | WireMessage


class Channel:
    """One channel after its link stage: bytes in, messages out, bytes to send."""

    TYPE: ClassVar[ChannelType]
    MAX_MESSAGE_SIZE: ClassVar[int] = 16 << 20
    """Bytes; the largest honest ones are cursors of 1024 x 1024 pixels."""
    CAPABILITIES: ClassVar[tuple[int, ...]] = ()
    """Bit numbers to announce in the link stage."""
    HANDLERS: ClassVar[dict[int, str]] = {}
    """Message id to method name; other messages only appear as ``Received``."""

    def __init__(
        self, link: LinkResult, channel_id: int = 0, session: Session | None = None
    ) -> None:
        self.link = link
        self.id = channel_id
        self.session = session or Session()
        self.notices: list[str] = []
        """Texts of NOTIFY messages."""
        self.disconnecting = False
        """The server announced that it closes."""
        self.migrating = False
        """The server announced that another one takes its place."""
        self.serial = 0
        """Number of the last message that was handled; the first is 1."""
        self.bytes_received = 0
        """Of whole and partial messages, headers included."""
        self._buffer = bytearray()
        self._outgoing = bytearray()
        self._sent_serial = 0
        self._window = 0
        self._unacknowledged = 0
        self._awaited: list[SpiceWaitForChannel] = []
        self._sub_messages: deque[tuple[int, bytes]] = deque()
        self._header = SpiceMiniDataHeader if link.mini_header else SpiceDataHeader
        names = _BASE_HANDLERS | self.HANDLERS
        self._handlers: dict[int, Callable[[WireStruct | WireMessage], None]] = {
            message_id: getattr(self, name) for message_id, name in names.items()
        }
        self.session.add(self.TYPE, self.id, self)

    @property
    def label(self) -> str:
        """For messages: ``DISPLAY:0``."""
        return channel_name(self.TYPE, self.id)

    @property
    def messages_received(self) -> int:
        """How many messages were handled."""
        return self.serial

    def leave(self) -> None:
        """Let nobody wait for this channel any more: its connection is closed."""
        self.session.remove(self.TYPE, self.id, self)

    @property
    def waiting(self) -> bool:
        """Whether other channels must get on before this one can."""
        self._awaited = [
            wanted for wanted in self._awaited if not self.session.reached(wanted)
        ]
        return bool(self._awaited)

    @property
    def held_up(self) -> bool:
        """Whether what was received cannot be handled before other channels get on."""
        return self.waiting

    def start(self) -> None:
        """Queue what a server waits for when the channel opens."""

    def relink(self, link: LinkResult) -> None:
        """Go on over another connection, to the server that took this one's place.

        A server that sent MIGRATE has told that one what this client shows and keeps.
        """
        self.link = link
        self.migrating = False
        self._header = SpiceMiniDataHeader if link.mini_header else SpiceDataHeader
        self._buffer.clear()
        self._outgoing.clear()
        self._sub_messages.clear()
        self._awaited.clear()
        self._window = self._unacknowledged = 0
        self.serial = self._sent_serial = 0

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
        self._sent_serial += 1
        if self.link.mini_header:
            header: WireStruct = SpiceMiniDataHeader(message_id, len(body))
        else:
            header = SpiceDataHeader(self._sent_serial, message_id, len(body), 0)
        self._outgoing += header.pack() + body

    def receive_data(self, data: bytes) -> list[Received]:
        """Take what the server sent; the messages that are complete now.

        While the channel is ``waiting`` nothing is handled; call this again, with no
        data, when other channels got on.

        Raises:
            ProtocolError: the server broke the protocol.
            UnsupportedError: it sent what this client cannot draw.

        """
        self._buffer += data
        self.bytes_received += len(data)
        try:
            return self._take_messages()
        except ProtocolError as error:
            if error.args and not str(error).startswith(self.label):
                error.args = (f"{self.label}: {error}",)
            raise

    def name_of(self, message_id: int) -> str:
        """Return a server message's name for errors and logs."""
        return message_name(self.TYPE, Direction.MSG, message_id)

    def _take_messages(self) -> list[Received]:
        received: list[Received] = []
        while not self.waiting and self._take_message(received):
            pass
        return received

    def _take_message(self, received: list[Received]) -> bool:
        """Handle the next message; False: it is not whole yet."""
        if self._sub_messages:
            received.append(self._handle(*self._sub_messages.popleft()))
            return True
        message = self._next_message()
        if message is None:
            return False
        message_id, body, sub_list = message
        if message_id == BaseMsg.LIST or sub_list:
            self._split(message_id, body, sub_list)
        else:
            received.append(self._handle(message_id, body))
        self._count(message_id)
        return True

    def _next_message(self) -> tuple[int, bytes, int] | None:
        """Take id, body and offset of sub-messages of the next whole message."""
        if len(self._buffer) < self._header.SIZE:
            return None
        header = self._header.unpack_from(self._buffer)
        if header.size > self.MAX_MESSAGE_SIZE:
            name = self.name_of(header.type)
            raise LimitExceededError(f"{name} of {header.size} bytes")
        end = self._header.SIZE + header.size
        if len(self._buffer) < end:
            return None
        with memoryview(self._buffer) as view:
            body = bytes(view[self._header.SIZE : end])
        del self._buffer[:end]
        sub_list = header.sub_list if isinstance(header, SpiceDataHeader) else 0
        return header.type, body, sub_list

    def _split(self, message_id: int, body: bytes, sub_list: int) -> None:
        """Queue the sub-messages that a message carries, then the message itself."""
        count = int.from_bytes(_piece(body, sub_list, 2), "little")
        if count > MAX_SUB_MESSAGES:
            raise LimitExceededError(f"{count} sub-messages")
        offsets = _piece(body, sub_list + 2, 4 * count)
        for start in range(0, 4 * count, 4):
            offset = int.from_bytes(offsets[start : start + 4], "little")
            header = _piece(body, offset, _SUB_MESSAGE_HEADER)
            sub_id = int.from_bytes(header[:2], "little")
            size = int.from_bytes(header[2:], "little")
            if sub_id == BaseMsg.LIST:
                raise InvalidValueError("a list of messages in a list of messages")
            part = _piece(body, offset + _SUB_MESSAGE_HEADER, size)
            self._sub_messages.append((sub_id, part))
        if message_id != BaseMsg.LIST:
            self._sub_messages.append((message_id, body))

    def _handle(self, message_id: int, body: bytes) -> Received:
        cls = message_class(self.TYPE, Direction.MSG, message_id)
        if cls is None:
            raise InvalidValueError(f"the server sent {self.name_of(message_id)}")
        message = cls.unpack(body)
        _log.debug("%s: %d bytes", self.name_of(message_id), len(body))
        handler = self._handlers.get(message_id)
        if handler is not None:
            handler(message)
        return Received(message_id, message)

    def _count(self, message_id: int, messages: int = 1) -> None:
        """Note messages as handled; ACKs are due for all but SET_ACK."""
        self.serial += messages
        if not self._window or message_id == BaseMsg.SET_ACK:
            return
        self._unacknowledged += messages
        while self._unacknowledged >= self._window:
            self._unacknowledged -= self._window
            self.send(BaseMsgc.ACK)

    def handle_set_ack(self, message: SpiceMsgSetAck) -> None:
        """Open an ack window; counting starts after this message."""
        self._window = message.window
        self._unacknowledged = 0
        self.send(BaseMsgc.ACK_SYNC, SpiceMsgcAckSync(message.generation))

    def handle_ping(self, message: SpiceMsgPing) -> None:
        """Answer a ping."""
        self.send(BaseMsgc.PONG, SpiceMsgcPong(message.id, message.timestamp))

    def handle_migrate(self, _message: WireStruct) -> None:
        """Expect another connection."""
        self.migrating = True

    def handle_wait_for_channels(self, message: SpiceMsgWaitForChannels) -> None:
        """Let other channels get on first."""
        self._awaited += message.wait_list

    def handle_notify(self, message: SpiceMsgNotify) -> None:
        """Keep the server's text."""
        text = message.message.rstrip(b"\0").decode(errors="replace")
        self.notices.append(text)
        del self.notices[:-MAX_NOTICES]
        _log.info("server: %s", text)

    def handle_disconnecting(self, _message: WireStruct) -> None:
        """Expect the end."""
        self.disconnecting = True


def _piece(body: bytes, offset: int, size: int) -> bytes:
    if offset + size > len(body):
        raise TruncatedError(
            f"{size} bytes needed at {offset}, the message has {len(body)}"
        )
    return body[offset : offset + size]


_BASE_HANDLERS: dict[int, str] = {
    BaseMsg.MIGRATE: "handle_migrate",
    BaseMsg.SET_ACK: "handle_set_ack",
    BaseMsg.PING: "handle_ping",
    BaseMsg.WAIT_FOR_CHANNELS: "handle_wait_for_channels",
    BaseMsg.NOTIFY: "handle_notify",
    BaseMsg.DISCONNECTING: "handle_disconnecting",
}
