"""The usbredir channel: a USB port of the guest's, whose devices the client has."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar

from spice_protocol.enums import ChannelType
from spice_server.port.channel import PassThroughChannel, PassThroughClient

if TYPE_CHECKING:
    from spice_server.channel.connection import Connection
    from spice_server.channel.link_info import LinkInfo

__all__ = ["UsbredirChannel"]


class UsbredirClient(PassThroughClient):
    """A client that can redirect one USB device."""

    logger: ClassVar[logging.Logger] = logging.getLogger(__name__)

    def port_closed(self) -> None:
        """End the channel: both ends of usbredir begin with a hello, once."""
        self.log.info("closed: QEMU's USB port is gone")
        self.close()


class UsbredirChannel(PassThroughChannel):
    """One USB port for the client's devices; a VM may have several."""

    type: ClassVar[ChannelType] = ChannelType.USBREDIR

    def create_client(self, connection: Connection, link: LinkInfo) -> UsbredirClient:
        """Make the client of a new link."""
        return UsbredirClient(self.port, connection, link)
