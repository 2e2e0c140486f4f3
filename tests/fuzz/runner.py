"""What all fuzz targets are run by: random inputs, or atheris to steer by coverage.

``python <target> --random 10000 [--seed 1]`` plays a number of random inputs; the one
that broke something is printed.  With atheris (``pip install atheris``) and without
``--random``, arguments are libFuzzer's: ``python <target> -max_len=2000``.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import random
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["noise", "run"]


def noise(generator: random.Random) -> bytes:
    """Make an input of up to 2000 bytes, any bytes."""
    return generator.randbytes(generator.randrange(2000))


def run(
    play: Callable[[bytes], None],
    make: Callable[[random.Random], bytes] = noise,
) -> None:
    """Do what the command line says with *play*, which raises if something broke.

    *make* makes the random inputs; atheris finds its own.
    """
    logging.disable(logging.WARNING)
    parser = argparse.ArgumentParser()
    parser.add_argument("--random", type=int, default=0, metavar="COUNT")
    parser.add_argument("--seed", type=int, default=1)
    arguments, rest = parser.parse_known_args()
    if arguments.random or importlib.util.find_spec("atheris") is None:
        _run_random(play, make, arguments.random or 1000, arguments.seed)
        return
    import atheris  # noqa: PLC0415 - optional

    atheris.instrument_all()
    atheris.Setup([sys.argv[0], *rest], play)
    atheris.Fuzz()


def _run_random(
    play: Callable[[bytes], None],
    make: Callable[[random.Random], bytes],
    count: int,
    seed: int,
) -> None:
    generator = random.Random(seed)
    for number in range(count):
        data = make(generator)
        try:
            play(data)
        except BaseException:
            print(f"input {number} of seed {seed}: {data.hex()}", file=sys.stderr)
            raise
    print(f"{count} inputs of seed {seed}: nothing broke")
