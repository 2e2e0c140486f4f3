"""A client at the end of a socket pair, in a process of its own: takes all it is sent.

Run by :mod:`benchmarks.drain` with a connected socket: ``python -m benchmarks.socket_sink FD``.
It understands mini headers only.  When the server closes it prints, as JSON, how many
messages and bytes it got.
"""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys
from typing import Final

from spice_protocol.messages.base import BaseMsg, BaseMsgc

__all__ = ["start_sink"]

READ_SIZE: Final = 1 << 20
MINI_HEADER: Final = struct.Struct("<HI")


def start_sink(sock: socket.socket) -> subprocess.Popen[str]:
    """Let a new process be the client at the end of *sock*, which is closed here."""
    with sock:
        return subprocess.Popen(
            [sys.executable, "-m", "benchmarks.socket_sink", str(sock.fileno())],
            pass_fds=[sock.fileno()],
            stdout=subprocess.PIPE,
            text=True,
        )


class Sink:
    """Counts messages; sends ACK_SYNC and ACK as a client does."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._window = 0
        self._since_ack = 0
        self._partial = b""
        self._skip = 0
        self.messages = 0
        self.received = 0

    def run(self) -> None:
        """Take everything until the server closes."""
        buffer = memoryview(bytearray(READ_SIZE))
        while size := self._sock.recv_into(buffer):
            self.received += size
            self._take(buffer[:size])

    def _take(self, data: memoryview) -> None:
        if self._skip >= len(data):
            self._skip -= len(data)
            return
        data = memoryview(self._partial + bytes(data[self._skip :]))
        self._skip = position = 0
        while len(data) - position >= MINI_HEADER.size:
            kind, size = MINI_HEADER.unpack_from(data, position)
            end = position + MINI_HEADER.size + size
            if kind == BaseMsg.SET_ACK:
                if end > len(data):
                    break
                self._set_ack(bytes(data[position + MINI_HEADER.size : end]))
            else:
                self._count()
            position = end
        self._skip = max(0, position - len(data))
        self._partial = bytes(data[position:])

    def _set_ack(self, body: bytes) -> None:
        generation, self._window = struct.unpack("<II", body)
        self._since_ack = 0
        self._send(BaseMsgc.ACK_SYNC, struct.pack("<I", generation))

    def _count(self) -> None:
        self.messages += 1
        self._since_ack += 1
        if self._window and self._since_ack == self._window:
            self._since_ack = 0
            self._send(BaseMsgc.ACK)

    def _send(self, kind: int, body: bytes = b"") -> None:
        self._sock.sendall(MINI_HEADER.pack(kind, len(body)) + body)


def main() -> None:
    """Serve the socket whose number is the argument."""
    sink = Sink(socket.socket(fileno=int(sys.argv[1])))
    try:
        sink.run()
    except OSError as error:
        print(error, file=sys.stderr)
    print(json.dumps({"messages": sink.messages, "bytes": sink.received}))


if __name__ == "__main__":
    main()
