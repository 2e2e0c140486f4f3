"""Fuzz target: the bytes are a client's, before or after it is authenticated.

No exception may come out, whatever the bytes: see ``tests/fakes/hostile_client.py``
for what is checked after each step.

How to run it: see ``tests/fuzz/runner.py``.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.fakes.hostile_client import play
from tests.fakes.raw_client import link_message
from tests.fuzz.runner import noise, run

if TYPE_CHECKING:
    import random


def make(generator: random.Random) -> bytes:
    """Make noise, or what is nearly right: pure noise ends at the first magic."""
    if generator.randrange(2):
        return noise(generator)
    choice = generator.randrange(256)
    if choice % 4 == 0:
        data = bytearray(link_message() + b"\1\0\0\0" + bytes(128))
    else:
        data = bytearray()
        for _ in range(generator.randrange(1, 30)):
            body = generator.randbytes(generator.randrange(20))
            kind = generator.choice((1, 2, 3, generator.randrange(100, 116)))
            if choice & 4:
                data += struct.pack("<QHII", 0, kind, len(body), 0) + body
            else:
                data += struct.pack("<HI", kind, len(body)) + body
    for _ in range(generator.randrange(4)):
        data[generator.randrange(len(data))] = generator.randrange(256)
    return bytes([choice]) + bytes(data)


if __name__ == "__main__":
    run(play, make)
