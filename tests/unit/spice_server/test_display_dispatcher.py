"""Values between threads."""

from __future__ import annotations

import asyncio
import threading

import pytest

from spice_server.display.dispatcher import Dispatcher


@pytest.fixture
def loop():
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    if not loop.is_closed():
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_call_returns_what_the_function_returns_over_there(loop):
    dispatcher = Dispatcher(loop)
    ident = dispatcher.call(threading.get_ident).result()
    assert ident != threading.get_ident()


def test_call_raises_what_the_function_raises(loop):
    future = Dispatcher(loop).call(divmod, 1, 0)
    with pytest.raises(ZeroDivisionError):
        future.result()


def test_order_is_kept(loop):
    dispatcher, seen = Dispatcher(loop), []
    for number in range(100):
        assert dispatcher.send(seen.append, number)
    dispatcher.call(lambda: None).result()
    assert seen == list(range(100))


def test_a_call_given_up_is_not_made(loop):
    gate, seen = threading.Event(), []
    dispatcher = Dispatcher(loop)
    dispatcher.send(gate.wait)
    future = dispatcher.call(seen.append, 1)
    assert future.cancel()
    gate.set()
    dispatcher.call(lambda: None).result()
    assert seen == []


def test_a_worker_that_has_ended(loop):
    dispatcher = Dispatcher(loop)
    stopped = dispatcher.call(loop.stop)
    stopped.result()
    while loop.is_running():
        pass
    loop.close()
    assert not dispatcher.send(print)
    assert dispatcher.call(print).cancelled()
