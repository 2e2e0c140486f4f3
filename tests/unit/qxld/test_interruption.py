"""The end by signals."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from qxld.interruption import on_hangup, until_signal


def test_result_of_work():
    async def work() -> int:
        return 7

    assert asyncio.run(until_signal(work())) == 7


def test_failure_of_work():
    async def work() -> int:
        raise OSError("x")

    with pytest.raises(OSError, match="x"):
        asyncio.run(until_signal(work()))


def test_cancelled_by_itself():
    async def work() -> int:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(until_signal(work()))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_it_in_order(number):
    done = []

    async def work() -> int:
        try:
            os.kill(os.getpid(), number)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            done.append("tidied up")
        return 1

    assert asyncio.run(until_signal(work())) == 0
    assert done == ["tidied up"]


def test_work_that_was_done_all_the_same_keeps_its_result():
    async def work() -> int:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return 5
        return 1

    assert asyncio.run(until_signal(work())) == 5


def test_each_further_signal_hurries_one_step():
    done = []

    async def step(name: str) -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()
        finally:
            done.append(name)

    async def work() -> int:
        try:
            await step("work")
        finally:
            try:
                await step("unplug")
            finally:
                try:
                    await step("stop QEMU")
                finally:
                    await step("remove files")
        return 1

    assert asyncio.run(until_signal(work())) == 0
    assert done == ["work", "unplug", "stop QEMU", "remove files"]


def test_handlers_are_gone_afterwards():
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]

    async def work() -> int:
        return 0

    asyncio.run(until_signal(work()))
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before


def test_hangup_calls_and_ends_nothing():
    async def work():
        came = asyncio.Event()
        with on_hangup(came.set):
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGHUP)
                await came.wait()
                came.clear()

    before = signal.getsignal(signal.SIGHUP)
    asyncio.run(work())
    assert signal.getsignal(signal.SIGHUP) is before
