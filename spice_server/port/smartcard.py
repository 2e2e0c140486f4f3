"""The smartcard channel: a card reader of the guest's, whose cards the client has.

The client adds a reader, is told its number by the device, and then takes part in what
passes between guest and card.  One reader per channel, as with libspice-server.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar, Final

from spice_protocol.enums import ChannelType, SpiceVscMessageType
from spice_protocol.messages.smartcard import (
    SmartcardMsg,
    SmartcardMsgc,
    SpiceMsgSmartcard,
)
from spice_server.errors import ClientError
from spice_server.port.channel import ExclusiveChannel, PortClient
from spice_server.port.vsc import (
    MAX_VSC_DATA,
    UNDEFINED_READER,
    VscError,
    VscMessage,
    VscParser,
    VscTooLongError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from spice_server.channel.connection import Connection
    from spice_server.channel.link_info import LinkInfo
    from vd_interfaces.port import GuestPort

__all__ = ["SmartcardChannel"]

READER: Final = 0
"""The number of the only reader."""

_PASSED = frozenset(
    {
        SpiceVscMessageType.Error,
        SpiceVscMessageType.ATR,
        SpiceVscMessageType.CardRemove,
        SpiceVscMessageType.APDU,
    }
)
"""What goes from the client to the device as it is."""


class SmartcardClient(PortClient):
    """A client that can put cards into the guest's reader."""

    max_message_size: ClassVar[int] = MAX_VSC_DATA + 12
    logger: ClassVar[logging.Logger] = logging.getLogger(__name__)

    def __init__(self, port: GuestPort, connection: Connection, link: LinkInfo) -> None:
        super().__init__(port, connection, link)
        self._parser = VscParser()
        self._reader_added = False

    def handlers(self) -> dict[int, Callable[[memoryview], None]]:
        """Return the handlers of the base and the smartcard messages."""
        return super().handlers() | {SmartcardMsgc.DATA: self.handle_data}

    def cleanup(self) -> None:
        """Take the reader away: the device does not do it by itself."""
        self._remove_reader()
        super().cleanup()

    # -- from the client -------------------------------------------------------

    def handle_data(self, body: memoryview) -> None:
        """Handle DATA: something about a reader, or for the device."""
        message = SpiceMsgSmartcard.unpack(body)
        match message.type:
            case SpiceVscMessageType.ReaderAdd:
                self._add_reader()
            case SpiceVscMessageType.ReaderRemove:
                if message.reader_id != READER or not self._remove_reader():
                    self._send_error(message.reader_id, VscError.GENERAL_ERROR)
            case kind if kind in _PASSED:
                if message.reader_id != READER:
                    raise ClientError(f"there is no reader {message.reader_id}")
                self._write(kind, message.data)
            case kind:
                self.log.debug("message %d left out", kind)

    def _add_reader(self) -> None:
        """Add the reader; the device answers with its Error message."""
        if not self.port.opened:
            # Stock answers so when there is no free device.
            self._send_error(UNDEFINED_READER, VscError.CANNOT_ADD_MORE_READERS)
            return
        self._reader_added = True
        self._write(SpiceVscMessageType.ReaderAdd)

    def _remove_reader(self) -> bool:
        """Take the reader away; False: there was none."""
        added, self._reader_added = self._reader_added, False
        if added:
            self._write(SpiceVscMessageType.ReaderRemove)
        return added

    def _write(self, kind: int, data: bytes = b"") -> None:
        self.write_port(VscMessage(kind, READER, data).pack())

    # -- to the client ---------------------------------------------------------

    def port_data(self, data: bytes) -> None:
        """Send what the device says."""
        # The port is not paused: QEMU waits in its main loop for a chardev of this
        # device that takes nothing.  A client that reads nothing is ended instead.
        try:
            for message in self._parser.feed(data):
                if message.type != SpiceVscMessageType.Init:
                    self._send(message.type, READER, message.data)
        except VscTooLongError as error:
            self.log.warning("closed: the card reader's %s", error)
            self.close()

    def port_closed(self) -> None:
        """End the channel: the device has forgotten its reader."""
        self._reader_added = False
        self.log.info("closed: QEMU's card reader is gone")
        self.close()

    def _send(self, kind: int, reader_id: int, data: bytes) -> None:
        message = SpiceMsgSmartcard(type=kind, reader_id=reader_id, data=data)
        self.send(SmartcardMsg.DATA, message.pack())

    def _send_error(self, reader_id: int, error: VscError) -> None:
        code = int(error).to_bytes(4, "little")
        self._send(SpiceVscMessageType.Error, reader_id, code)


class SmartcardChannel(ExclusiveChannel):
    """The guest's card reader."""

    type: ClassVar[ChannelType] = ChannelType.SMARTCARD

    def __init__(self, port: GuestPort, channel_id: int = 0) -> None:
        super().__init__(channel_id)
        self.port = port

    def create_client(self, connection: Connection, link: LinkInfo) -> SmartcardClient:
        """Make the client of a new link."""
        return SmartcardClient(self.port, connection, link)
