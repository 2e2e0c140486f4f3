"""The input's way to QEMU, whichever QEMU that is."""

from __future__ import annotations

import asyncio
import json

import pytest

from qxld.input_pipe import SwitchedPipe

pytestmark = pytest.mark.asyncio


class Pipe:
    def __init__(self):
        self.sent = []

    def submit(self, message, on_reply):
        self.sent.append((message, on_reply))


async def turn():
    await asyncio.sleep(0)


async def test_without_qemu_an_error_comes_later():
    pipe, replies = SwitchedPipe(), []
    pipe.submit(b"a", replies.append)
    assert not replies
    await turn()
    assert json.loads(replies[0])["error"]["class"] == "GenericError"


async def test_replies_go_to_who_asked():
    pipe, qemu, replies = SwitchedPipe(), Pipe(), []
    pipe.switch(qemu)
    for name in (b"a", b"b"):
        pipe.submit(name, lambda line, name=name: replies.append((name, line)))
    (sent_a, reply_a), (sent_b, reply_b) = qemu.sent
    assert (sent_a, sent_b) == (b"a", b"b")
    reply_a(b"1")
    reply_b(b"2")
    assert replies == [(b"a", b"1"), (b"b", b"2")]


async def test_end_of_qemu_answers_what_waits_once():
    pipe, qemu, replies = SwitchedPipe(), Pipe(), []
    pipe.switch(qemu)
    pipe.submit(b"a", replies.append)
    pipe.switch(None)
    assert len(replies) == 1
    assert b"there is no QEMU" in replies[0]
    qemu.sent[0][1](b"late")
    assert len(replies) == 1


async def test_next_qemu_is_used():
    pipe, first, second = SwitchedPipe(), Pipe(), Pipe()
    pipe.switch(first)
    pipe.switch(second)
    pipe.submit(b"a", lambda _line: None)
    assert (len(first.sent), len(second.sent)) == (0, 1)


async def test_reply_that_submits_again_does_not_nest():
    pipe, depth = SwitchedPipe(), []

    def again(_line: bytes) -> None:
        depth.append(len(depth))
        if len(depth) < 2000:
            pipe.submit(b"a", again)

    pipe.submit(b"a", again)
    while len(depth) < 2000:
        await turn()
