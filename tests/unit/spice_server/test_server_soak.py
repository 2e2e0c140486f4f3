"""Hundreds of bad clients beside a good one; thousands: tests/fuzz/soak_server.py."""

from __future__ import annotations

import pytest

from tests.fuzz.soak_server import soak

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


async def test_bad_clients_leave_nothing_behind():
    counts = await soak(400, seed=7)
    assert counts["accepted"] >= 400
    assert counts["deaf"]
