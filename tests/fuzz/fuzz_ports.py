"""Fuzz target: the bytes are what guests and clients say on a port's channel.

Whatever they are: nothing raises but what ends that client, and what is held is bounded
in both directions.  See ``tests/fakes/hostile_port.py``.

How to run it: see ``tests/fuzz/runner.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.fakes.hostile_port import make_script, play
from tests.fuzz.runner import run

if __name__ == "__main__":
    run(play, make_script)
