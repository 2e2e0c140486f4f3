"""A client in a process of its own that takes all a display channel sends.

It frames, counts and acknowledges messages, and looks no further: what a client does
with pictures is not the server's cost.
"""

from __future__ import annotations

import select
import subprocess
import sys

from spice_protocol.messages.base import BaseMsg, BaseMsgc
from spice_protocol.protocol import SpiceMiniDataHeader
from spice_server.channel.ack import DEFAULT_WINDOW
from tests.peers.blocking_client import BlockingClient

__all__ = ["Sink"]

HEADER = SpiceMiniDataHeader.SIZE
BUFFER = 1 << 20
QUIET = 0.5
"""Seconds without a byte that mean: that was all."""


class Sink:
    """The process."""

    name = "a client"

    def __init__(self, port: int) -> None:
        """Link it to a server; it has its first picture afterwards."""
        command = [sys.executable, "-m", "benchmarks.sink", str(port)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n", "the sink does not link"

    def finish(self) -> int:
        """Wait until nothing comes any more; how many messages came."""
        counted, _ = self._process.communicate()
        return int(counted)


class _Counter:
    """Reads one display channel."""

    def __init__(self, client: BlockingClient) -> None:
        self._socket = client.socket
        assert client.display.link.mini_header
        # MARK is the last word to a new client while the guest is idle.
        client.display_link.wait(lambda: client.display.marked)
        self._since_ack = 0
        self._buffer = bytearray(BUFFER)
        self._view = memoryview(self._buffer)
        self._filled = 0
        self._skip = 0
        self.messages = 0
        self.bytes = 0

    def read(self) -> bool:
        """Take what is there; False: the server closed."""
        got = self._socket.recv_into(self._view[self._filled :])
        self.bytes += got
        self._filled += got
        before = self.messages
        self._frame()
        self._since_ack += self.messages - before
        if self._since_ack >= DEFAULT_WINDOW:
            acks, self._since_ack = divmod(self._since_ack, DEFAULT_WINDOW)
            self._socket.sendall(SpiceMiniDataHeader(BaseMsgc.ACK, 0).pack() * acks)
        return got > 0

    def _frame(self) -> None:
        """Walk over the messages in the buffer and keep the rest of the last one."""
        view, end, at = self._view, self._filled, self._skip
        messages = 0
        while at + HEADER <= end:
            assert view[at] != BaseMsg.SET_ACK or view[at + 1], "the window changed"
            messages += 1
            at += HEADER + int.from_bytes(view[at + 2 : at + HEADER], "little")
        self.messages += messages
        rest = max(0, end - at)
        self._buffer[:rest] = self._buffer[end - rest : end]
        self._skip, self._filled = max(0, at - end), rest


def _main() -> None:
    with BlockingClient(int(sys.argv[1])) as client:
        counter = _Counter(client)
        print("ready", flush=True)
        # The end of standard input means: finish, once nothing comes any more.
        finishing = False
        while True:
            wanted = [client.socket] if finishing else [client.socket, sys.stdin]
            patience = QUIET if finishing else None
            ready, _, _ = select.select(wanted, [], [], patience)
            if not ready or (client.socket in ready and not counter.read()):
                break
            finishing = finishing or sys.stdin in ready
    print(counter.messages)


if __name__ == "__main__":
    _main()
