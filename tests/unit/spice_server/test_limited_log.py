"""Logs that a client fills as fast as it can."""

from __future__ import annotations

import logging

import pytest

from spice_protocol.messages.main import (
    MainMsg,
    MainMsgc,
    SpiceMsgcMainMouseModeRequest,
)
from spice_server.limited_log import LimitedLog
from tests.fakes.raw_client import RawClient
from tests.fakes.spice_channels import running_server


@pytest.fixture
def lines(caplog):
    with caplog.at_level(logging.DEBUG):
        yield lambda: [record.getMessage() for record in caplog.records]


def test_a_burst_then_a_rate(lines):
    now = 0.0
    log = LimitedLog(
        logging.getLogger("x"), burst=2, lines_per_second=0.5, clock=lambda: now
    )
    for number in range(5):
        log.warning("line %d", number)
    assert lines() == ["line 0", "line 1"]
    now = 2.0
    log.error("100%% of %s", "it")
    log.error("not this")
    assert lines()[2:] == ["100% of it (3 lines before this one left out)"]
    now = 1000.0
    for _ in range(5):
        log.info("again")
    assert lines()[3:] == ["again (1 lines before this one left out)", "again"]


def test_debugging_has_no_limit(lines):
    log = LimitedLog(logging.getLogger("x"), burst=1)
    for _ in range(3):
        log.debug("d")
    log.info("i")
    assert lines() == ["d", "d", "d", "i"]


def test_what_is_not_logged_costs_nothing(caplog):
    log = LimitedLog(logging.getLogger("x"), burst=1, lines_per_second=0)
    with caplog.at_level(logging.WARNING):
        log.info("i")
        log.warning("w")
    assert [record.getMessage() for record in caplog.records] == ["w"]


@pytest.mark.asyncio
@pytest.mark.usefixtures("close_clients")
async def test_a_client_that_asks_for_the_impossible_for_ever(lines):
    async with running_server() as server:
        client = await RawClient.tcp(server.control.port)
        assert await client.link(password="sekret") == 0
        for _ in range(5000):
            request = SpiceMsgcMainMouseModeRequest(mode=9)
            client.send(MainMsgc.MOUSE_MODE_REQUEST, request.pack())
        client.send(MainMsgc.ATTACH_CHANNELS)
        await client.expect(MainMsg.CHANNELS_LIST)
    assert sum("mouse mode" in line for line in lines()) <= 25


@pytest.mark.asyncio
@pytest.mark.usefixtures("close_clients")
async def test_strangers_that_come_and_go_for_ever(lines):
    async with running_server() as server:
        for _ in range(300):
            client = await RawClient.tcp(server.control.port)
            client.writer.write(b"GET / HTTP/1.1\r\n\r\n")
            await client.rest()
    assert 100 <= sum("link from" in line for line in lines()) <= 200
