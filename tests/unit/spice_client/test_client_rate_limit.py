"""How long to wait between reads; the clock is a number."""

from __future__ import annotations

import pytest

from spice_client.rate_limit import RateLimit


def test_no_limit() -> None:
    limit = RateLimit(0, 5.0)
    assert limit.take(1 << 30, 5.0) == 0


def test_a_burst_then_the_rate() -> None:
    limit = RateLimit(8, 100.0)  # a megabyte a second, a tenth of it at once
    assert limit.take(100_000, 100.0) == 0
    assert limit.take(50_000, 100.0) == pytest.approx(0.05)
    assert limit.take(0, 100.05) == pytest.approx(0)
    assert limit.take(1_000_000, 101.05) == pytest.approx(0.9)


def test_what_was_not_used_does_not_add_up() -> None:
    limit = RateLimit(8, 0.0)
    assert limit.take(1_100_000, 1000.0) == pytest.approx(1.0)
