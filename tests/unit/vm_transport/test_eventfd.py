from __future__ import annotations

import asyncio
import os
import threading

from vm_transport.eventfd import Doorbell


def test_rings_merge_and_draining_silences() -> None:
    doorbell = Doorbell()
    assert not doorbell.drain()
    doorbell.ring()
    doorbell.ring()
    assert doorbell.drain()
    assert not doorbell.drain()
    doorbell.close()


def test_ringing_a_full_doorbell_does_not_block() -> None:
    doorbell = Doorbell()
    os.eventfd_write(doorbell.fileno(), 2**64 - 2)
    doorbell.ring()
    assert doorbell.drain()
    doorbell.close()


def test_a_loop_hears_rings_of_another_thread() -> None:
    doorbell = Doorbell()

    async def listen() -> None:
        rung = asyncio.Event()
        doorbell.watch(asyncio.get_running_loop(), rung.set)
        threading.Thread(target=doorbell.ring).start()
        await rung.wait()

    asyncio.run(listen())
    doorbell.close()


def test_rings_without_a_listener_are_kept_for_the_next() -> None:
    doorbell = Doorbell()
    heard: list[str] = []

    async def first() -> None:
        doorbell.watch(asyncio.get_running_loop(), lambda: heard.append("first"))
        doorbell.unwatch()
        doorbell.unwatch()
        doorbell.ring()

    async def second() -> None:
        rung = asyncio.Event()
        doorbell.watch(asyncio.get_running_loop(), rung.set)
        await rung.wait()
        heard.append("second")

    asyncio.run(first())
    asyncio.run(second())
    assert heard == ["second"]
    doorbell.close()
    doorbell.close()
