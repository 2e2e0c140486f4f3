"""A channel that passes a guest's port through to one client, with flow control.

What flows is not looked at.  Either side that does not read stops the other:

* guest to client: above ``DATA_LIMIT`` bytes in the client's pipe the port is paused,
  and with it the guest;
* client to guest: when the port has enough, the client's socket is not read.

As with libspice-server one client at a time holds such a channel.  While it does, the
host's end of the port is open; a USB device, a mounted folder or a card reader goes when
the client goes.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar, Final

from spice_protocol.messages.spicevmc import SpicevmcMsg, SpicevmcMsgc
from spice_protocol.protocol import SpicevmcCap
from spice_server.channel.channel import Channel
from spice_server.channel.channel_client import ChannelClient
from spice_server.port.data import MAX_DATA, packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable

    from spice_server.channel.connection import Connection
    from spice_server.channel.link_info import LinkInfo
    from vd_interfaces.port import GuestPort

__all__ = ["ExclusiveChannel", "PassThroughChannel", "PassThroughClient", "PortClient"]

DATA_LIMIT: Final = 256 * 1024
"""Cost of a client's pipe above which the guest has to wait."""

DATA_RESUME: Final = 64 * 1024
"""Cost of a client's pipe below which the guest may go on."""

_log = logging.getLogger(__name__)


class PortClient(ChannelClient):
    """A client that holds a port; base of all kinds (``PortHandler``)."""

    pipe_limit: ClassVar[int] = 4 * 1024 * 1024
    """Above all a port can give at once after it was asked to pause."""
    logger: ClassVar[logging.Logger] = logging.getLogger(__name__)

    def __init__(self, port: GuestPort, connection: Connection, link: LinkInfo) -> None:
        super().__init__(connection, link)
        self.port = port
        self._port_paused = False

    def greet(self) -> None:
        """Open the host's end of the port."""
        self.port.attach(self)

    def cleanup(self) -> None:
        """Close the host's end of the port."""
        self.port.attach(None)

    # -- to the client ---------------------------------------------------------

    def pump(self) -> None:
        """Send what can be; the guest may go on once little waits."""
        super().pump()
        self._resume_port()

    def hold_port(self) -> None:
        """Let the guest wait if too much waits for the client."""
        if not self._port_paused and self.pipe.cost > DATA_LIMIT:
            self._port_paused = True
            self.port.pause()

    def _resume_port(self) -> None:
        if self._port_paused and not self.closed and self.pipe.cost <= DATA_RESUME:
            self._port_paused = False
            self.port.resume()

    # -- to the guest ----------------------------------------------------------

    def write_port(self, data: memoryview | bytes | bytearray) -> None:
        """Give *data* to the guest; read no more from the client if it is enough."""
        if not self.port.write(data):
            self.connection.pause_reading()

    # -- PortHandler -----------------------------------------------------------

    def port_opened(self) -> None:
        """Learn that the guest's end is open."""

    def port_closed(self) -> None:
        """Learn that the guest's end is closed."""

    def port_data(self, data: bytes) -> None:
        """Take what the guest wrote."""

    def port_writable(self) -> None:
        """Read from the client again."""
        if not self.closed:
            self.connection.resume_reading()


class PassThroughClient(PortClient):
    """A client of a port whose bytes mean nothing to us."""

    max_message_size: ClassVar[int] = MAX_DATA + 16

    def __init__(self, port: GuestPort, connection: Connection, link: LinkInfo) -> None:
        super().__init__(port, connection, link)
        can = link.has_capability(SpicevmcCap.DATA_COMPRESS_LZ4)
        # On a unix socket bytes cost less than packing them.
        self._packs = can and connection.peer.family != "unix"

    def handlers(self) -> dict[int, Callable[[memoryview], None]]:
        """Return the handlers of the base and the data messages."""
        return super().handlers() | {
            SpicevmcMsgc.DATA: self.write_port,
            SpicevmcMsgc.COMPRESSED_DATA: self.handle_compressed_data,
        }

    def handle_compressed_data(self, body: memoryview) -> None:
        """COMPRESSED_DATA: what it holds is the guest's."""
        self.write_port(bytes(unpacked(body)))

    def port_data(self, data: bytes) -> None:
        """Send what the guest wrote."""
        if self._packs:
            kind, buffers = packed(data)
            self.send(kind, *buffers)
        else:
            self.send(SpicevmcMsg.DATA, data)
        self.hold_port()


class ExclusiveChannel(Channel):
    """A channel that one client at a time may hold."""

    @property
    def offered(self) -> bool:
        """Whether nobody holds it yet."""
        return not self.clients

    def connect(self, connection: Connection, link: LinkInfo) -> None:
        """Serve the first client; hang up on others, as libspice-server does."""
        if self.clients:
            _log.warning(
                "client %#x %s: refused, another client holds it",
                link.session_id,
                self.name,
            )
            connection.abort()
            self._notify_closed(link)
            return
        super().connect(connection, link)


class PassThroughChannel(ExclusiveChannel):
    """A channel over one port of the guest's."""

    capabilities: ClassVar[tuple[int, ...]] = (SpicevmcCap.DATA_COMPRESS_LZ4,)

    def __init__(self, port: GuestPort, channel_id: int = 0) -> None:
        super().__init__(channel_id)
        self.port = port

    def create_client(self, connection: Connection, link: LinkInfo) -> ChannelClient:
        """Make the client of a new link."""
        return PassThroughClient(self.port, connection, link)
