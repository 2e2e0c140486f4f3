"""qxld whose VDI port is a unix socket: any program can be the host's end of it.

    python -m tests.peers.vdi_relay SOCKET run ...

Who connects serves the port until it hangs up or another comes, and the log says
``SERVING``.  When the guest closes the port the program reads the end of the stream.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from qxld import commands
from qxld.__main__ import main
from qxld.compose import Daemon

if TYPE_CHECKING:
    from vdiport.port import VdiPort

SERVING = "somebody serves the VDI port"


class Relay(asyncio.Protocol):
    """One connection: a ``PortHandler`` that passes everything on."""

    serving: Relay | None = None

    def __init__(self, port: VdiPort) -> None:
        self._port = port

    # ---- the socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._socket = transport
        former, Relay.serving = Relay.serving, self
        if former is not None:
            former.leave()
        transport.pause_reading()
        self._port.attach(self)
        print(SERVING, flush=True)

    def connection_lost(self, error: Exception | None) -> None:
        del error
        if Relay.serving is self:
            Relay.serving = None
            self._port.attach(None)

    def data_received(self, data: bytes) -> None:
        if not self._port.write(data):
            self._socket.pause_reading()

    def leave(self) -> None:
        """Serve no more."""
        self._socket.abort()

    def pause_writing(self) -> None:
        self._port.pause()

    def resume_writing(self) -> None:
        self._port.resume()

    # ---- the port

    def port_opened(self) -> None:
        self._socket.resume_reading()

    def port_closed(self) -> None:
        self._socket.close()

    def port_data(self, data: bytes) -> None:
        self._socket.write(data)

    def port_writable(self) -> None:
        self._socket.resume_reading()


class RelayingDaemon(Daemon):
    """A daemon without an agent of its own."""

    async def prepare(self) -> None:
        """Prepare everything and wait for programs."""
        await super().prepare()
        self.vdi_port.attach(None)
        self._relay = await asyncio.get_running_loop().create_unix_server(
            lambda: Relay(self.vdi_port), sys.argv[1]
        )

    async def stop(self) -> None:
        """Stop, the socket first."""
        self._relay.close()
        if Relay.serving is not None:
            Relay.serving.leave()
        await super().stop()


if __name__ == "__main__":
    commands.Daemon = RelayingDaemon  # type: ignore[misc]  # the composition's own
    sys.exit(main(sys.argv[2:]))
