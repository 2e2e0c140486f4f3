"""One QEMU connection for many senders: turns, order, out of band, fds."""

from __future__ import annotations

import json
import os

import pytest

from qmp_bridge.errors import QemuProtocolError
from qmp_bridge.qemu_session import MAX_IN_FLIGHT, Lane, QemuSession
from tests.fakes.qmp_server import GREETING


class Recorder:
    """What the session asks of its owner."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.fds: list[list[int]] = []
        self.events: list[bytes] = []
        self.greeting = None

    def send(self, data, fds):
        self.sent.append(data)
        self.fds.append(list(fds))

    def ready(self, greeting):
        self.greeting = greeting

    def event(self, line):
        self.events.append(line)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def session(recorder) -> QemuSession:
    session = QemuSession(recorder)
    session.receive(GREETING)
    session.receive(b'{"return": {}}\r\n')
    recorder.sent.clear()
    recorder.fds.clear()
    return session


def _reply(session, number=0):
    session.receive(b'{"return": %d}\r\n' % number)


def test_negotiation_enables_what_is_offered(recorder):
    session = QemuSession(recorder)
    replies: list[bytes] = []
    session.submit(Lane(), b'{"execute": "x"}', replies.append)
    session.receive(GREETING[:10])
    assert recorder.sent == []
    session.receive(GREETING[10:])
    (sent,) = recorder.sent
    assert json.loads(sent)["arguments"] == {"enable": ["oob"]}
    session.receive(b'{"timestamp": {}, "event": "E"}\r\n{"return": {}}\r\n')
    assert recorder.greeting.version == (7, 2, 22)
    assert recorder.sent[1:] == [b'{"execute": "x"}\n']
    assert recorder.events == [b'{"timestamp": {}, "event": "E"}\r\n']


def test_negotiation_enables_nothing_that_is_not_offered(recorder):
    session = QemuSession(recorder)
    session.receive(GREETING.replace(b'"oob"', b""))
    assert json.loads(recorder.sent[0])["arguments"] == {"enable": []}
    assert not session.oob


def test_an_event_may_come_before_the_greeting(recorder):
    session = QemuSession(recorder)
    resume = b'{"timestamp": {}, "event": "RESUME"}\r\n'
    session.receive(resume + GREETING + b'{"return": {}}\r\n')
    assert recorder.events == [resume]
    assert recorder.greeting.version == (7, 2, 22)


def test_refused_negotiation(recorder):
    session = QemuSession(recorder)
    session.receive(GREETING)
    with pytest.raises(QemuProtocolError):
        session.receive(b'{"error": {"class": "GenericError", "desc": "no"}}\r\n')


def test_no_greeting(recorder):
    with pytest.raises(QemuProtocolError):
        QemuSession(recorder).receive(b"220 smtp\r\n")


def test_replies_go_to_who_asked_as_they_came(session):
    replies: list[tuple[str, bytes]] = []
    for name in "ab":
        session.submit(
            Lane(), b"{}", lambda line, name=name: replies.append((name, line))
        )
    session.receive(b'{"return":  1}\r\n')
    session.receive(b'{"id": "?", "error": {}}\n')
    assert replies == [
        ("a", b'{"return":  1}\r\n'),
        ("b", b'{"id": "?", "error": {}}\n'),
    ]


def test_lanes_take_turns(session, recorder):
    lanes = [Lane(), Lane()]
    for name, lane in zip((b"a", b"b"), lanes, strict=True):
        for number in range(10):
            session.submit(lane, b"%s%d" % (name, number), lambda _line: None)
    assert len(recorder.sent) == MAX_IN_FLIGHT
    for _ in range(13):
        _reply(session)
    names = [sent.decode().strip() for sent in recorder.sent]
    assert names[:8] == ["a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7"]
    assert names[8:14] == ["b0", "a8", "b1", "a9", "b2", "b3"]


def test_out_of_band_overtakes_and_gets_its_id_back(session, recorder):
    replies: list[bytes] = []
    session.submit(Lane(), b'{"execute": "slow"}', replies.append)
    identity = {"zz": 1.0, "aa": [None]}
    session.submit_oob({"exec-oob": "x", "id": identity}, replies.append)
    session.submit_oob({"exec-oob": "y"}, replies.append)
    markers = [json.loads(sent)["id"] for sent in recorder.sent[1:]]
    assert len(set(markers)) == 2
    for marker in reversed(markers):
        session.receive(b'{"return": {}, "id": "%s"}\r\n' % marker.encode())
    _reply(session, 1)
    assert replies == [
        b'{"return": {}}\r\n',
        b'{"return": {}, "id": {"aa": [null], "zz": 1}}\r\n',
        b'{"return": 1}\r\n',
    ]


def test_an_id_that_looks_like_ours_is_not_taken_for_it(session, recorder):
    replies: list[bytes] = []
    session.submit_oob({"exec-oob": "x"}, replies.append)
    marker = json.loads(recorder.sent[0])["id"]
    session.submit(Lane(), b"{}", replies.append)
    session.submit(Lane(), b"{}", replies.append)
    lines = [b'{"return": "%s"}\r\n', b'{"return": {}, "id": ["%s"]}\r\n']
    lines = [line % marker.encode() for line in lines]
    for line in lines:
        session.receive(line)
    assert replies == lines


def test_an_answer_without_a_question(session):
    with pytest.raises(QemuProtocolError):
        _reply(session)


def test_fds_wait_for_each_other(session, recorder):
    """QEMU keeps only the last fds it got until a command takes them."""
    pipes = [os.pipe() for _ in range(2)]
    lanes = [Lane(), Lane(), Lane()]
    for lane, pipe in zip(lanes, pipes, strict=False):
        session.submit(lane, b"getfd", lambda _line: None, list(pipe))
    session.submit(lanes[2], b"other", lambda _line: None)
    assert recorder.sent == [b"getfd\n", b"other\n"]
    assert recorder.fds == [list(pipes[0]), []]
    _reply(session)
    assert recorder.fds == [list(pipes[0]), [], list(pipes[1])]
    for pipe in pipes:
        for fd in pipe:
            os.close(fd)


def test_nothing_happens_after_drop(session, recorder):
    sent, waiting, late = (os.pipe() for _ in range(3))
    session.submit(Lane(), b"getfd", pytest.fail, list(sent))
    session.submit(Lane(), b"getfd", pytest.fail, list(waiting))
    session.drop()
    session.submit(Lane(), b"getfd", pytest.fail, list(late))
    for fd in (*waiting, *late):
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(fd)
    assert len(recorder.sent) == 1
    for fd in sent:
        os.close(fd)


def test_replies_may_submit_more(session, recorder):
    lane = Lane()

    def again(_line: bytes) -> None:
        session.submit(lane, b"second", lambda _line: None)

    session.submit(lane, b"first", again)
    _reply(session)
    assert recorder.sent == [b"first\n", b"second\n"]
