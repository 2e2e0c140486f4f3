"""Monitors that a client asks the guest's agent for, whatever carries the agent."""

from __future__ import annotations

import pytest

from tests.peers.programs import eventually
from tests.peers.xrandr import Monitor, monitors

pytestmark = [pytest.mark.system, pytest.mark.interop, pytest.mark.slow]

ONE: Monitor = (1024, 768, 0, 0)


def test_two_monitors_of_odd_sizes_and_places(agent_guest):
    def ask(*wanted: Monitor) -> None:
        client.send("layout", *wanted)
        expected = dict(enumerate(wanted))
        eventually(
            "xrandr prints them",
            lambda: monitors(agent_guest.shell.run("xrandr")) == expected,
        )

    with agent_guest.client() as client:
        client.wait_agent()
        client.wait_picture()
        ask((801, 603, 0, 7), (1023, 767, 801, 0))
        ask((641, 481, 0, 0), (333, 777, 641, 33))
        ask(ONE)
