"""Fixtures of the SPICE server's tests."""

from __future__ import annotations

import pytest_asyncio

from tests.fakes.raw_client import RawClient


@pytest_asyncio.fixture
async def close_clients():
    """Close every raw client that a test left open."""
    yield
    await RawClient.close_all()
