"""What is told when something takes long."""

from __future__ import annotations

import asyncio
import logging

import pytest

from qxld.patience import told_after

pytestmark = pytest.mark.asyncio


async def test_told_once_it_took_long(caplog):
    told = asyncio.Event()

    class Listener(logging.Handler):
        def emit(self, record):
            told.set()

    handler = Listener()
    logging.getLogger("qxld.patience").addHandler(handler)
    try:
        with told_after("waiting for 100 % of it", level=logging.WARNING, seconds=0):
            await told.wait()
    finally:
        logging.getLogger("qxld.patience").removeHandler(handler)
    assert [r.getMessage() for r in caplog.records] == ["waiting for 100 % of it"]


async def test_not_told_when_it_was_quick(caplog):
    with told_after("text", seconds=0):
        pass
    await asyncio.sleep(0.001)
    assert not caplog.records
