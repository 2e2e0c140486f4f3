"""Fuzz target: the bytes are a guest's port writes, memory and commands.

No exception may come out, whatever the bytes: see ``tests/fakes/hostile_guest.py``
for what is checked after each step.

How to run it: see ``tests/fuzz/runner.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.fakes.hostile_guest import play, play_to_worker
from tests.fuzz.runner import run


def play_both(data: bytes) -> None:
    """Play to a worker that only takes commands, then to one that draws."""
    play(data)
    play_to_worker(data)


if __name__ == "__main__":
    run(play_both)
