from __future__ import annotations

import asyncio

import pytest

from spice_server.link.auth import POOL_SIZE, TicketKey, TicketKeys
from tests.fakes.raw_client import encrypt_ticket


@pytest.fixture(scope="module")
def key():
    return TicketKey.generate()


def test_the_public_key_fills_its_field(key):
    assert len(key.public) == 162
    assert key.public[:4] == bytes.fromhex("30819f30")


@pytest.mark.parametrize("password", [b"sekret\0", b"", b"x" * 86])
def test_a_ticket_is_decrypted(key, password):
    assert key.decrypt(encrypt_ticket(key.public, password)) == password


@pytest.mark.parametrize("ticket", [bytes(128), bytes(range(128)), b"\xff" * 128])
def test_garbage_is_no_ticket(key, ticket):
    assert key.decrypt(ticket) is None


def test_a_ticket_for_another_key_is_none(key):
    other = TicketKey.generate()
    assert key.decrypt(encrypt_ticket(other.public, b"sekret")) is None


@pytest.mark.asyncio
async def test_every_key_is_used_once():
    keys = TicketKeys()
    keys.start()
    taken = await asyncio.gather(*(keys.take() for _ in range(POOL_SIZE + 3)))
    assert len({key.public for key in taken}) == POOL_SIZE + 3
    keys.stop()


@pytest.mark.asyncio
async def test_who_gives_up_takes_no_key_from_others():
    keys = TicketKeys()
    keys.start()
    waiting = [asyncio.create_task(keys.take()) for _ in range(5)]
    await asyncio.sleep(0)
    for task in waiting[:4]:
        task.cancel()
    assert await waiting[4]
    assert await keys.take()
    keys.stop()


@pytest.mark.asyncio
async def test_filled():
    keys = TicketKeys()
    await keys.filled()  # there are none to wait for
    keys.start()
    await keys.take()
    await keys.filled()
    assert all(key.done() for key in keys._keys)
    keys.stop()
