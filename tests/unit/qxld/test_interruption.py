"""The end by signals."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from qxld.interruption import until_signal


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


def test_second_signal_hurries_and_the_third_ends_the_process():
    done = []

    async def work() -> int:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()
        finally:
            try:
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                done.append(signal.getsignal(signal.SIGINT))
                done.append(signal.getsignal(signal.SIGTERM))
        return 1

    asyncio.run(until_signal(work()))
    # The loop's own for SIGINT would be asyncio.Runner's, which cancels once more.
    assert done[0] is not None
    assert done[1] is signal.SIG_DFL


def test_handlers_are_gone_afterwards():
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]

    async def work() -> int:
        return 0

    asyncio.run(until_signal(work()))
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before
