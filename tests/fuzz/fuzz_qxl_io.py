"""Fuzz target: the bytes are a guest's port writes, memory and commands.

No exception may come out, whatever the bytes: see ``tests/fakes/hostile_guest.py``
for what is checked after each step.

Run under atheris (``pip install atheris``) to let coverage steer::

    python tests/fuzz/fuzz_qxl_io.py -max_len=2000

or without it for a number of random inputs::

    python tests/fuzz/fuzz_qxl_io.py --random 10000 [--seed 1]
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.fakes.hostile_guest import play, play_to_worker


def play_both(data: bytes) -> None:
    """Play to a worker that only takes commands, then to one that draws."""
    play(data)
    play_to_worker(data)


def run_random(count: int, seed: int) -> None:
    """Play *count* random guests of up to 2000 bytes."""
    generator = random.Random(seed)
    for number in range(count):
        data = generator.randbytes(generator.randrange(2000))
        try:
            play_both(data)
        except BaseException:
            print(f"input {number} of seed {seed}: {data.hex()}", file=sys.stderr)
            raise
    print(f"{count} guests of seed {seed}: nothing broke")


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
    atheris.Setup([sys.argv[0], *rest], play_both)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
