"""Fuzz target: the bytes are what agents in the guest and clients say to each other.

Whatever they are: nothing of a guest raises, nothing of a client raises but what ends
that client, what arrives on either side is whole messages, tokens are kept to, and
what is held in between is bounded.  See ``tests/fakes/hostile_agent.py``.

How to run it: see ``tests/fuzz/runner.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from spice_server.agent.policy import AgentPolicy
from tests.fakes.hostile_agent import AgentRig, make_script
from tests.fuzz.runner import run


def play(data: bytes) -> None:
    """Let *data* be a policy and a script."""
    bits = data[0] if data else 0
    policy = AgentPolicy(
        copy_paste=not bits & 1, file_transfer=not bits & 2, pointer=not bits & 4
    )
    AgentRig(policy).play(data[1:])


if __name__ == "__main__":
    run(play, lambda generator: generator.randbytes(1) + make_script(generator))
