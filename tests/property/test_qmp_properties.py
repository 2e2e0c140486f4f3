"""Any fragmentation gives the same; any value survives; order is kept."""

from __future__ import annotations

import itertools
import json
from typing import Any

from hypothesis import given, strategies as st

from qmp_bridge.capabilities import parse_greeting
from qmp_bridge.commands import LocalCommand
from qmp_bridge.json_writer import dump
from qmp_bridge.message import LineReader, Message, MessageReader
from qmp_bridge.monitor_session import MonitorSession
from qmp_bridge.qemu_session import MAX_IN_FLIGHT, QemuSession
from qmp_bridge.scancodes import ScancodeReader
from tests.fakes.qmp_server import GREETING

ATOMS = st.sampled_from([
    b'{"execute":"a"}', b"{", b"}", b"[", b"]", b":", b",", b'"', b"'", b"\\", b'"k"',
    b"'s'", b'"\\u00e9"', b'"\\ud83d\\ude00"', b"\xc3\xa9", b"\xff", b"\x00", b"\n",
    b"\r\n", b" ", b"\t", b"1", b"-", b"0", b"0e1", b"1.5", b"1e3", b"true", b"nul",
    b"A", b"@", b'"a":1', b"\xe9",
])  # fmt: skip
STREAMS = st.lists(ATOMS | st.binary(max_size=3), max_size=30).map(b"".join)
TEXT = st.text(
    st.characters(
        exclude_categories=("Cs", "Cn"),
        exclude_characters=[chr(code) for code in range(0xFDD0, 0xFDF0)],
    ).filter(lambda character: ord(character) & 0xFFFE != 0xFFFE)
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


def _cut(data: bytes, cuts: list[int]) -> list[bytes]:
    at = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[begin:end] for begin, end in itertools.pairwise(at)]


def _read(chunks: list[bytes]) -> list[tuple[Any, ...]]:
    reader = MessageReader(positions=True)
    return [
        ("message", item.raw, repr(item.value))
        if isinstance(item, Message)
        else ("error", item.desc)
        for chunk in chunks
        for item in reader.feed(chunk)
    ]


CUTS = st.lists(st.integers(0, 10_000))


@given(STREAMS, CUTS)
def test_any_fragmentation_of_commands(data, cuts):
    assert _read(_cut(data, cuts)) == _read([data])


@given(STREAMS)
def test_byte_by_byte(data):
    assert _read([bytes([byte]) for byte in data]) == _read([data])


@given(
    st.lists(st.sampled_from([b"x\r\n", b"{\n    1\n}\n", b"\n", b"{}\n", b"y"])), CUTS
)
def test_any_fragmentation_of_replies(lines, cuts):
    data = b"".join(lines)
    reader = LineReader()
    pieces = [line for chunk in _cut(data, cuts) for line in reader.feed(chunk)]
    assert pieces == list(LineReader().feed(data))


@given(VALUES)
def test_what_is_printed_is_read_again(value):
    printed = dump({"v": value})
    assert printed.isascii()
    assert json.loads(printed) == {"v": value}
    (message,) = MessageReader().feed(printed)
    assert message.raw == printed
    assert message.value == {"v": value}
    (line,) = MessageReader().feed(printed + b"\n")
    assert line.value == {"v": value}
    assert json.loads(dump({"v": value}, pretty=True)) == json.loads(printed)


@given(st.lists(st.integers(0, 255)))
def test_scancodes_come_to_rest(codes):
    reader = ScancodeReader()
    for code in codes:
        change = reader.push(code)
        assert change is None or 0 <= change.number <= 0xFF
    for _ in range(3):
        reader.push(0x1E)
    assert reader.push(0x1E) == (0x1E, True)


class Rig:
    """Clients and a QEMU that answers when told to."""

    congested = False

    def __init__(self, clients: int) -> None:
        self.qemu = QemuSession(self)
        self.qemu.receive(GREETING + b'{"return": {}}\r\n')
        self.asked: list[bytes] = []
        self.most = 0
        table = {"local": LocalCommand(lambda _arguments: "local")}
        greeting = parse_greeting(GREETING)
        self.heard: list[list[bytes]] = [[] for _ in range(clients)]
        self.sessions = [
            MonitorSession(Ear(heard), self.qemu, greeting, table)
            for heard in self.heard
        ]
        for session, heard in zip(self.sessions, self.heard, strict=True):
            session.receive(b'{"execute":"qmp_capabilities"}')
            heard.clear()

    def send(self, data, fds):
        if b"qmp_capabilities" not in data:
            self.asked.append(data)
            self.most = max(self.most, len(self.asked))

    def ready(self, greeting):
        pass

    def event(self, line):
        pass

    def answer(self):
        command = json.loads(self.asked.pop(0))
        line = dump({"return": command["execute"], "id": command["id"]})
        self.qemu.receive(line + b"\r\n")


class Ear:
    """A client that hears everything."""

    congested = False

    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines

    def send(self, data):
        self.lines.append(data)


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["local", "far", "answer"])),
        max_size=60,
    )
)
def test_every_client_hears_its_answers_in_order(steps):
    rig = Rig(3)
    sent: list[list[tuple[str, int]]] = [[], [], []]
    for number, (client, what) in enumerate(steps):
        if what == "answer":
            if rig.asked:
                rig.answer()
        else:
            sent[client].append((what, number))
            command = {"execute": what, "id": number}
            rig.sessions[client].receive(json.dumps(command).encode())
    while rig.asked:
        rig.answer()
    for expected, heard in zip(sent, rig.heard, strict=True):
        answers = [json.loads(line) for line in heard]
        assert [(answer["return"], answer["id"]) for answer in answers] == expected
    assert rig.most <= MAX_IN_FLIGHT
    assert all(session.idle for session in rig.sessions)
