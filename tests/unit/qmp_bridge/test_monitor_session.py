"""One monitor client: negotiation, order, who answers, fds."""

from __future__ import annotations

import json
import os

import pytest

from qmp_bridge.capabilities import parse_greeting
from qmp_bridge.commands import Later, LocalCommand, Relay
from qmp_bridge.errors import QemuProtocolError, QmpError
from qmp_bridge.monitor_session import MonitorSession
from qmp_bridge.qemu_session import QemuSession
from tests.fakes.qmp_server import GREETING, GREETING_11

NEGOTIATE = b'{"execute":"qmp_capabilities"}'
NEGOTIATE_OOB = b'{"execute":"qmp_capabilities","arguments":{"enable":["oob"]}}'
EVENT = b'{"timestamp": {}, "event": "X"}\r\n'


def _refuse(_arguments):
    raise QmpError("refused", "DeviceNotActive")


class Client:
    """What the session asks of its owner."""

    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines
        self.congested = False

    def send(self, data):
        self.lines.append(data)


class Rig:
    """A monitor session between a client and QEMU, both played by the test."""

    def __init__(self, greeting: bytes = GREETING) -> None:
        self.to_qemu: list[bytes] = []
        self.fds: list[list[int]] = []
        self.to_client: list[bytes] = []
        self.ran: list[str] = []
        self.qemu = QemuSession(self)
        self.qemu.receive(greeting)
        self.qemu.receive(b'{"return": {}}\r\n')
        self.to_qemu.clear()
        self.fds.clear()
        table = {
            "local": LocalCommand(
                lambda _arguments: self.ran.append("local") or {"l": 1}
            ),
            "refused": LocalCommand(_refuse),
            "mixed": LocalCommand(lambda _a: {}, lambda a: a.get("ours") is True),
        }
        self.client = Client(self.to_client)
        self.session = MonitorSession(
            self.client, self.qemu, parse_greeting(greeting), table
        )
        self.session.greet()

    def negotiated(self, *, oob: bool = False) -> Rig:
        self.session.receive(NEGOTIATE_OOB if oob else NEGOTIATE)
        assert self.to_client == [GREETING, b'{"return": {}}\r\n']
        self.to_client.clear()
        return self

    def send(self, data, fds):
        self.to_qemu.append(data)
        self.fds.append(list(fds))

    def ready(self, greeting):
        pass

    def event(self, line):
        self.session.event(line)

    def errors(self):
        return [json.loads(line)["error"]["desc"] for line in self.to_client]


def test_the_greeting_is_qemus():
    assert Rig().to_client == [GREETING]


def test_before_negotiation_nothing_is_forwarded():
    rig = Rig()
    rig.to_client.clear()
    rig.session.receive(b'{"execute":"stop"}{"execute":"local"}[1]{"foo":1}{"id":1}\n')
    expecting = "Expecting capabilities negotiation with 'qmp_capabilities'"
    assert rig.errors() == [
        expecting,
        expecting,
        "QMP input must be a JSON object",
        "QMP input member 'foo' is unexpected",
        "QMP input lacks member 'execute'",
    ]
    assert rig.to_qemu == []
    assert rig.ran == []


def test_events_come_only_after_negotiation():
    rig = Rig()
    rig.session.event(EVENT)
    rig.session.receive(NEGOTIATE)
    rig.qemu.receive(EVENT)
    assert rig.to_client == [GREETING, b'{"return": {}}\r\n', EVENT]


def test_commands_in_the_same_write_as_the_negotiation():
    rig = Rig()
    rig.session.receive(NEGOTIATE_OOB + b'{"execute":"local"}{"execute":"query-name"}')
    assert rig.to_client[1:] == [b'{"return": {}}\r\n', b'{"return": {"l": 1}}\r\n']
    assert rig.to_qemu == [b'{"execute":"query-name"}\n']


def test_forwarded_bytes_are_untouched_both_ways():
    rig = Rig().negotiated()
    rig.session.receive(b' { "execute" :\t"x", "id": 1.50 } \r\n')
    assert rig.to_qemu == [b'{ "execute" :\t"x", "id": 1.50 }\n']
    rig.qemu.receive(b'{"return":   {}, "id": 1.5}\r\n')
    assert rig.to_client == [b'{"return":   {}, "id": 1.5}\r\n']


def test_a_local_command_waits_for_those_before_it_and_holds_those_after_it():
    rig = Rig().negotiated()
    rig.session.receive(b'{"execute":"a"}{"execute":"local"}{"execute":"b"}garbage\n')
    assert rig.to_qemu == [b'{"execute":"a"}\n']
    assert rig.to_client == []
    rig.qemu.receive(b'{"return": "a"}\r\n')
    assert rig.to_client == [b'{"return": "a"}\r\n', b'{"return": {"l": 1}}\r\n']
    assert rig.to_qemu == [b'{"execute":"a"}\n', b'{"execute":"b"}\n']
    assert not rig.session.idle
    rig.qemu.receive(b'{"return": "b"}\r\n')
    assert b"invalid keyword 'garbage'" in rig.to_client[-1]
    assert rig.session.idle


def test_refusals_carry_class_and_id():
    rig = Rig().negotiated()
    rig.session.receive(b'{"execute":"refused","id":"x"}')
    assert rig.to_client == [
        b'{"id": "x", "error": {"class": "DeviceNotActive", "desc": "refused"}}\r\n'
    ]


def test_arguments_decide_who_answers():
    rig = Rig().negotiated()
    rig.session.receive(b'{"execute":"mixed","arguments":{"ours":true}}')
    assert rig.to_qemu == []
    rig.session.receive(b'{"execute":"mixed","arguments":{"ours":false}}')
    assert len(rig.to_qemu) == 1


def test_negotiating_twice():
    rig = Rig().negotiated()
    rig.session.receive(NEGOTIATE)
    (error,) = rig.errors()
    assert error.startswith("Capabilities negotiation is already complete")


def test_what_is_no_command_is_forwarded_for_qemu_to_refuse():
    rig = Rig().negotiated()
    rig.session.receive(b'[1]{"foo":1}')
    assert rig.to_qemu == [b"[1]\n", b'{"foo":1}\n']


def test_exec_oob_unless_enabled():
    rig = Rig().negotiated()
    rig.session.receive(b'{"exec-oob":"x","id":1}')
    assert rig.errors() == ["QMP input member 'exec-oob' is unexpected"]
    assert rig.to_qemu == []


def test_out_of_band_overtakes():
    rig = Rig().negotiated(oob=True)
    rig.session.receive(b'{"execute":"slow"}{"exec-oob":"fast","id":7}')
    marker = json.loads(rig.to_qemu[0])["id"]
    assert json.loads(rig.to_qemu[0])["exec-oob"] == "fast"
    rig.qemu.receive(b'{"return": {}, "id": "%s"}\r\n' % marker.encode())
    assert rig.to_client == [b'{"return": {}, "id": 7}\r\n']


def test_local_commands_are_not_out_of_band():
    rig = Rig().negotiated(oob=True)
    rig.session.receive(b'{"execute":"slow"}{"exec-oob":"local","id":1}')
    assert rig.to_client == [
        b'{"id": 1, "error": {"class": "GenericError", "desc": '
        b'"The command local does not support OOB"}}\r\n'
    ]


def test_only_so_many_go_ahead():
    rig = Rig().negotiated()
    rig.session.receive(b'{"execute":"x"}' * 100)
    assert rig.session.busy
    assert len(rig.to_qemu) == 7
    for number in range(100):
        rig.qemu.receive(b'{"return": %d}\r\n' % number)
    assert len(rig.to_client) == 100
    assert rig.session.idle


def test_a_client_that_does_not_read_is_not_answered():
    rig = Rig().negotiated()
    rig.client.congested = True
    rig.session.receive(b'{"execute":"local"}{"execute":"x"}')
    assert rig.to_client == rig.to_qemu == []
    rig.client.congested = False
    rig.session.resume()
    assert len(rig.to_client) == len(rig.to_qemu) == 1


def test_a_long_command_goes_alone():
    rig = Rig().negotiated()
    long = b'{"execute":"x","id":"%s"}' % (b"y" * (1 << 20))
    rig.session.receive(b'{"execute":"a"}' + long + b'{"execute":"b"}')
    assert len(rig.to_qemu) == 1
    rig.qemu.receive(b'{"return": {}}\r\n')
    assert rig.to_qemu[1] == long + b"\n"
    assert len(rig.to_qemu) == 2


def test_places_of_errors_by_version():
    rig = Rig(GREETING_11)
    rig.session.receive(NEGOTIATE + b"\nnot json\n")
    assert rig.to_client[-2].decode().count("2:1: JSON parse error") == 1


@pytest.fixture
def fds():
    pairs = [os.pipe() for _ in range(2)]
    yield [list(pair) for pair in pairs]
    for fd in (fd for pair in pairs for fd in pair):
        if _is_open(fd):
            os.close(fd)


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def test_fds_go_with_the_command_they_came_with(fds):
    rig = Rig().negotiated()
    rig.session.receive(b'{"execute":"getfd","arguments":{"fdname":"a"}}', fds[0])
    assert rig.fds == [fds[0]]


def test_fds_that_came_with_a_blank_before(fds):
    """Python's qemu.qmp sends them so."""
    rig = Rig().negotiated()
    rig.session.receive(b" ", fds[0])
    rig.session.receive(b'{"execute":"getfd"}')
    assert rig.fds == [fds[0]]


def test_fds_find_their_command_among_others(fds):
    rig = Rig().negotiated()
    rig.session.receive(
        b'{"execute":"x"}{"execute":"local"}{"execute":"add-fd"}', fds[0]
    )
    rig.qemu.receive(b'{"return": {}}\r\n')
    assert rig.fds == [[], fds[0]]


def test_fds_for_a_command_not_known_to_take_any(fds):
    rig = Rig().negotiated()
    rig.session.receive(b'{"execute":"local"}{"execute":"x"}', fds[0])
    assert rig.fds == [fds[0]]


def test_later_fds_replace_unused_ones(fds):
    rig = Rig().negotiated()
    rig.session.receive(b" ", fds[0])
    rig.session.receive(b" ", fds[1])
    assert not any(map(_is_open, fds[0]))
    rig.session.detach()
    assert not any(map(_is_open, fds[1]))


def test_closing_forgets_what_waits(fds):
    rig = Rig().negotiated()
    rig.session.receive(b'{"execute":"x"}{"execute":"local"}')
    rig.session.receive(b'{"execute":"getfd"}', fds[0])
    rig.session.close()
    assert rig.session.idle
    assert not any(map(_is_open, fds[0]))
    rig.qemu.receive(b'{"return": {}}\r\n')
    assert rig.ran == []


def test_a_client_that_left_is_still_obeyed():
    rig = Rig().negotiated()
    rig.session.receive(b'{"execute":"x"}{"execute":"local"}{"execute":"quit"}')
    rig.session.detach()
    rig.qemu.receive(b'{"return": {}}\r\n')
    assert rig.ran == ["local"]
    assert rig.to_qemu[-1] == b'{"execute":"quit"}\n'


def test_fds_in_the_negotiation_are_closed(fds):
    rig = Rig()
    rig.session.receive(b'{"execute":"getfd"}', fds[0])
    assert not any(map(_is_open, fds[0]))


class Around:
    """Rows that do not answer at once."""

    def __init__(self) -> None:
        self.settle = None
        self.outcome = Relay()

    def later(self, _arguments):
        def begin(settle):
            self.settle = settle

        return Later(begin)

    def relay(self, _arguments):
        return self.outcome


@pytest.fixture
def around():
    return Around()


@pytest.fixture
def detour(around):
    rig = Rig()
    rig.session._table |= {
        "later": LocalCommand(around.later),
        "relay": LocalCommand(around.relay),
    }
    return rig.negotiated()


def test_an_answer_that_takes_time(detour, around):
    detour.session.receive(b'{"execute":"later","id":1}{"execute":"x"}')
    assert not detour.session.idle
    assert detour.to_qemu == []
    around.settle({"a": 1})
    assert detour.to_client == [b'{"return": {"a": 1}, "id": 1}\r\n']
    assert detour.to_qemu == [b'{"execute":"x"}\n']


def test_a_refusal_that_takes_time(detour, around):
    detour.session.receive(b'{"execute":"later"}')
    around.settle(QmpError("no"))
    assert detour.errors() == ["no"]
    assert detour.session.idle


def test_time_taken_for_nothing(detour, around):
    detour.session.receive(b'{"execute":"later", "id": 5}')
    around.settle(Relay())
    assert detour.to_qemu == [b'{"execute":"later", "id": 5}\n']
    detour.qemu.receive(b'{"return":  {}, "id": 5}\r\n')
    assert detour.to_client == [b'{"return":  {}, "id": 5}\r\n']


def test_an_answer_after_the_end(detour, around, fds):
    detour.session.receive(b'{"execute":"later"}')
    detour.session.close()
    assert detour.session.idle
    around.settle({})
    assert detour.to_client == []


def test_qemu_is_asked_something_else(detour, around):
    around.outcome = Relay(lambda reply: {"was": reply}, {"execute": "y"})
    detour.session.receive(b'{"execute":"relay","id":[1]}{"execute":"local"}')
    assert detour.to_qemu == [b'{"execute": "y"}\n']
    assert detour.ran == []
    detour.qemu.receive(b'{"return": 5}\r\n')
    assert detour.to_client == [
        b'{"return": {"was": {"return": 5}}, "id": [1]}\r\n',
        b'{"return": {"l": 1}}\r\n',
    ]


def test_an_answer_that_is_left_as_it_is(detour, around):
    around.outcome = Relay(lambda _reply: None)
    detour.session.receive(b'{"execute" : "relay"}')
    assert detour.to_qemu == [b'{"execute" : "relay"}\n']
    detour.qemu.receive(b'{"return":   5}\r\n')
    assert detour.to_client == [b'{"return":   5}\r\n']


def test_an_id_nested_too_deeply_to_look_at(detour, around):
    around.outcome = Relay(lambda reply: None if not reply else {"seen": True})
    detour.session.receive(b'{"execute":"relay"}')
    line = b'{"return": {}, "id": ' + b"[" * 1000 + b"]" * 1000 + b"}\r\n"
    detour.qemu.receive(line)
    assert detour.to_client == [line]


def test_a_refusal_of_what_qemu_said(detour, around):
    def refuse(_reply):
        raise QmpError("not that")

    around.outcome = Relay(refuse)
    detour.session.receive(b'{"execute":"relay"}')
    detour.qemu.receive(b'{"return": {}}\r\n')
    assert detour.errors() == ["not that"]


def test_what_is_no_answer(detour, around):
    around.outcome = Relay(lambda _reply: {})
    detour.session.receive(b'{"execute":"relay"}')
    with pytest.raises(QemuProtocolError):
        detour.qemu.receive(b"[]\r\n")


def test_what_goes_to_qemu_is_seen(detour, fds):
    seen = []

    class Watcher:
        def forwarding(self, command, given):
            seen.append((command.name, command.oob, list(given)))
            return seen.append

    detour.session._watcher = Watcher()
    detour.session.receive(b'{"execute":"local"}{"execute":"getfd"}{"x":1}', fds[0])
    assert seen == [("getfd", False, fds[0])]
    detour.qemu.receive(b'{"return": {}}\r\n')
    assert seen[1:] == [b'{"return": {}}\r\n']


def test_what_goes_out_of_band_is_seen():
    seen = []

    class Watcher:
        def forwarding(self, command, given):
            seen.append((command.name, command.oob, list(given)))
            return seen.append

    rig = Rig()
    rig.session._watcher = Watcher()
    rig.negotiated(oob=True)
    rig.session.receive(b'{"exec-oob":"migrate-recover","id":1}')
    marker = json.loads(rig.to_qemu[-1])["id"]
    rig.qemu.receive(json.dumps({"return": {}, "id": marker}).encode() + b"\r\n")
    assert seen == [("migrate-recover", True, []), b'{"return": {}, "id": 1}\r\n']
    assert rig.to_client == [b'{"return": {}, "id": 1}\r\n']


def test_what_a_client_did_not_finish_goes_with_it():
    rig = Rig().negotiated()
    rig.session.receive(b'{"execute":"' + b"x" * 5000)
    assert rig.session._reader.buffered > 5000
    rig.session.detach()
    assert rig.session._reader.buffered == 0
