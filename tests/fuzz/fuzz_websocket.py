"""Fuzz target: the bytes are those of an HTTP or WebSocket client.

No exception may come out, whatever the bytes: see ``tests/fakes/hostile_websocket.py``
for what is checked after each step.

How to run it: see ``tests/fuzz/runner.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.fakes.hostile_websocket import play
from tests.fakes.raw_client import link_message
from tests.fakes.websocket_client import frame, handshake
from tests.fuzz.runner import noise, run

if TYPE_CHECKING:
    import random

PATHS = ("/", "/spice_auto.html", "/out", "/../secret", "/%2e%2e/secret", "/a?b")
HEADERS = ("Origin", "Host", "Upgrade", "Connection", "If-None-Match", "Content-Length")
VALUES = ("", "null", "http://localhost", "websocket", "upgrade, x", "*", "0", "\x7f")


def frames(generator: random.Random) -> bytes:
    """Make frames, of which few are wrong."""
    data = bytearray()
    for _ in range(generator.randrange(1, 30)):
        opcode = generator.choice((0, 2, 2, 2, 8, 9, 9, 10, generator.randrange(16)))
        size = generator.choice((0, 1, 4, 125, 126, generator.randrange(400)))
        final = generator.randrange(8) > 0
        data += frame(opcode, generator.randbytes(size), final=final)
    return bytes(data)


def make(generator: random.Random) -> bytes:
    """Make noise, or what is nearly right."""
    choice = generator.randrange(256)
    if generator.randrange(4) == 0:
        return noise(generator)
    data = bytearray()
    if choice & 1:
        name, value = generator.choice(HEADERS), generator.choice(VALUES)
        data += handshake(generator.choice(PATHS), **{name: value})
        if generator.randrange(4) == 0:
            data = data.replace(b"Upgrade: websocket\r\n", b"")
        if generator.randrange(8) == 0:
            data[:4] = b"HEAD"
    if generator.randrange(2):
        data += frame(2, link_message() + b"\1\0\0\0" + bytes(128))
    data += frames(generator)
    for _ in range(generator.randrange(4)):
        data[generator.randrange(len(data))] = generator.randrange(256)
    return bytes([choice]) + bytes(data)


if __name__ == "__main__":
    run(play, make)
