"""Port and webdav channels: named streams of bytes (spice.proto, PortChannel)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from spice_protocol.enums import ChannelType
from spice_protocol.messages.port import (
    PortMsg,
    PortMsgc,
    SpiceMsgPortEvent,
    SpiceMsgPortInit,
)
from spice_protocol.protocol import PortEvent
from spice_server.port.channel import PassThroughChannel, PassThroughClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from spice_server.channel.connection import Connection
    from spice_server.channel.link_info import LinkInfo
    from vd_interfaces.port import GuestPort

__all__ = ["PortChannel", "WebdavChannel"]


@runtime_checkable
class BreakablePort(Protocol):
    """A ``GuestPort`` with a break condition: a serial line's."""

    def send_break(self) -> None:
        """Let the guest see a break."""


class NamedPortClient(PassThroughClient):
    """A client of a port that it knows by name."""

    logger: ClassVar[logging.Logger] = logging.getLogger(__name__)

    def __init__(self, port: GuestPort, connection: Connection, link: LinkInfo) -> None:
        super().__init__(port, connection, link)
        self._told_open = False

    def handlers(self) -> dict[int, Callable[[memoryview], None]]:
        """Return the handlers of the base, the data and the port messages."""
        return super().handlers() | {PortMsgc.EVENT: self.handle_event}

    def greet(self) -> None:
        """Open the host's end, and tell the name and whether the guest's is open."""
        super().greet()
        self._told_open = self.port.opened
        name = self.port.name.encode() + b"\0"
        init = SpiceMsgPortInit(name=name, opened=self._told_open)
        self.send(PortMsg.INIT, init.pack())

    def handle_event(self, body: memoryview) -> None:
        """EVENT: a break, if the guest's end has such a thing; others say nothing."""
        event = SpiceMsgPortEvent.unpack(body).event
        if event == PortEvent.BREAK and isinstance(self.port, BreakablePort):
            self.port.send_break()

    def port_opened(self) -> None:
        """Tell that the guest's end is open."""
        self._tell(opened=True)

    def port_closed(self) -> None:
        """Tell that the guest's end is closed."""
        self._tell(opened=False)

    def _tell(self, *, opened: bool) -> None:
        if self._told_open == opened:
            return
        self._told_open = opened
        event = PortEvent.OPENED if opened else PortEvent.CLOSED
        self.send(PortMsg.EVENT, SpiceMsgPortEvent(event).pack())


class PortChannel(PassThroughChannel):
    """A named port of the guest's; a VM may have several."""

    type: ClassVar[ChannelType] = ChannelType.PORT

    def create_client(self, connection: Connection, link: LinkInfo) -> NamedPortClient:
        """Make the client of a new link."""
        return NamedPortClient(self.port, connection, link)


class WebdavChannel(PortChannel):
    """The port through which the guest reaches the client's shared folder."""

    type: ClassVar[ChannelType] = ChannelType.WEBDAV
