"""Fuzz target: the bytes are a client's, before or after it is authenticated.

No exception may come out, whatever the bytes: see ``tests/fakes/hostile_client.py``
for what is checked after each step.

Run under atheris (``pip install atheris``) to let coverage steer::

    python tests/fuzz/fuzz_link.py -max_len=2000

or without it for a number of random inputs::

    python tests/fuzz/fuzz_link.py --random 10000 [--seed 1]
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import random
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.fakes.hostile_client import play
from tests.fakes.raw_client import link_message


def mutate(generator: random.Random) -> bytes:
    """Make an input that is nearly right: pure noise ends at the first magic."""
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


def run_random(count: int, seed: int) -> None:
    """Play *count* random clients, half of them nearly right."""
    generator = random.Random(seed)
    for number in range(count):
        if number % 2:
            data = mutate(generator)
        else:
            data = generator.randbytes(generator.randrange(2000))
        try:
            play(data)
        except BaseException:
            print(f"input {number} of seed {seed}: {data.hex()}", file=sys.stderr)
            raise
    print(f"{count} clients of seed {seed}: nothing broke")


def main() -> None:
    """Choose between atheris and random inputs."""
    logging.disable(logging.WARNING)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--random", type=int, default=0, metavar="COUNT")
    parser.add_argument("--seed", type=int, default=1)
    arguments, rest = parser.parse_known_args()
    if arguments.random or importlib.util.find_spec("atheris") is None:
        run_random(arguments.random or 1000, arguments.seed)
        return
    import atheris  # noqa: PLC0415 - optional

    atheris.instrument_all()
    atheris.Setup([sys.argv[0], *rest], play)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
