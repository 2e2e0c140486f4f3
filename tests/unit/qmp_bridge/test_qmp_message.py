"""Messages out of streams, both ways."""

from __future__ import annotations

import pytest

from qmp_bridge import message as message_module
from qmp_bridge.errors import JsonError, QemuProtocolError, QmpError
from qmp_bridge.message import (
    LineKind,
    LineReader,
    Message,
    MessageReader,
    error_reply,
    line_kind,
    line_of,
    reply,
)


def _read(*chunks: bytes, positions: bool = False):
    reader = MessageReader(positions=positions)
    return [item for chunk in chunks for item in reader.feed(chunk)]


def test_a_line_is_a_message_and_keeps_its_bytes():
    (message,) = _read(b'{ "execute" : "query-name" }\r\n')
    assert message == Message(
        b'{ "execute" : "query-name" }', {"execute": "query-name"}
    )


def test_several_messages_without_separator():
    messages = _read(b'{"a":"}{"}{"b":1} [1]"x"5 true\n')
    assert [message.raw for message in messages] == [
        b'{"a":"}{"}', b'{"b":1}', b"[1]", b'"x"', b"5", b"true",
    ]  # fmt: skip
    assert [message.value for message in messages] == [
        {"a": "}{"}, {"b": 1}, [1], "x", 5, True,
    ]  # fmt: skip


def test_null_is_a_message():
    assert _read(b"null\n") == [Message(b"null", None)]


def test_a_message_in_pieces():
    text = '{"execute":"é","id":"\\u00e9"}'.encode()
    (message,) = _read(*[bytes([byte]) for byte in b"\n  " + text])
    assert message.raw == text
    assert message.value == {"execute": "é", "id": "é"}


def test_a_message_over_several_lines():
    (message,) = _read(b'{"execute":\n "query-name"\n}\n')
    assert message.value == {"execute": "query-name"}


def test_one_error_for_a_line_or_several():
    errors = _read(b"not json\n")
    assert [error.desc for error in errors] == [
        "JSON parse error, invalid keyword 'not'",
        "JSON parse error, invalid keyword 'json'",
    ]


def test_places_are_told_by_newer_versions():
    errors = _read(b'{"a":1}\n', b"not json\n", b"\xff", positions=True)[1:]
    assert [error.desc for error in errors] == [
        "2:1: JSON parse error, invalid keyword 'not'",
        "2:5: JSON parse error, invalid keyword 'json'",
        "3:1: JSON parse error, stray '\ufffd'",
    ]


@pytest.mark.parametrize(
    "line",
    [
        b'{"a":1,"a":2}\n',
        b'{"a":NaN}\n',
        b'{"a":-Infinity}\n',
        b'{"a":0e1}\n',
        b'{"a":"\\ud800"}\n',
        b'{"a":"\xff"}\n',
        b"{" * 2000 + b"\n",
    ],
)
def test_what_python_takes_and_qemu_does_not(line):
    assert isinstance(_read(line)[0], JsonError)


def test_the_next_command_is_understood_after_an_error():
    items = _read(b'@ab {"a":1}\n')
    assert isinstance(items[0], JsonError)
    assert items[1] == Message(b'{"a":1}', {"a": 1})


def test_skipped_bytes_are_not_kept():
    reader = MessageReader()
    list(reader.feed(b"@"))
    for _ in range(10):
        assert not list(reader.feed(b"x" * 1000))
    assert not list(reader.feed(b" " * 1000 + b"\n" * 1000))
    assert reader.buffered == 0


def test_ten_mebibytes():
    text = b'{"id":"' + b"x" * (10 << 20) + b'"}'
    chunks = [text[at : at + 65536] for at in range(0, len(text), 65536)]
    (message,) = _read(*chunks, b"\n")
    assert message.raw == text


def test_a_message_is_bounded(monkeypatch):
    monkeypatch.setattr(message_module, "MAX_MESSAGE_SIZE", 1 << 20)
    reader = MessageReader()
    blanks = b" " * (1 << 18)
    items = [item for chunk in [b"[", *[blanks] * 4] for item in reader.feed(chunk)]
    assert [item.desc for item in items] == ["JSON token size limit exceeded"]
    assert reader.buffered == 0


def test_tokens_are_counted(monkeypatch):
    monkeypatch.setattr(message_module, "MAX_TOKENS", 5)
    errors = [item.desc for item in _read(b"[1,2,3,")]
    assert errors[0] == "JSON token count limit exceeded"


def test_nesting_is_bounded():
    items = _read(b"[" * 1025)
    assert [item.desc for item in items] == ["JSON nesting depth limit exceeded"]
    (message,) = _read(b"[" * 1024 + b"]" * 1024)
    assert isinstance(message, Message)


def test_an_oversized_token(monkeypatch):
    monkeypatch.setattr("qmp_bridge.json_lexer.MAX_TOKEN_SIZE", 10)
    items = _read(b"'" + b"x" * 20)
    assert items[0].desc == "JSON token size limit exceeded"


def test_lines_from_qemu_keep_their_bytes():
    reader = LineReader()
    assert list(reader.feed(b'{"return": {}}\r\n{"ret')) == [b'{"return": {}}\r\n']
    assert list(reader.feed(b'urn": 1}')) == []
    assert list(reader.feed(b"\n")) == [b'{"return": 1}\n']


def test_blank_lines_from_qemu_are_nothing():
    assert list(LineReader().feed(b"\r\n\n")) == []


def test_pretty_printed_blocks_from_qemu():
    block = b'{\r\n    "return": {\r\n    }\r\n}\r\n'
    reader = LineReader()
    lines = [
        line
        for byte in block + b'{"event": 1}\n'
        for line in reader.feed(bytes([byte]))
    ]
    assert lines == [block, b'{"event": 1}\n']


def test_a_line_from_qemu_is_bounded(monkeypatch):
    monkeypatch.setattr(message_module, "MAX_REPLY_SIZE", 100)
    with pytest.raises(QemuProtocolError):
        list(LineReader().feed(b"x" * 101))


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b'{"QMP": {}}\r\n', LineKind.GREETING),
        (b'{"timestamp": {}, "event": "STOP"}\r\n', LineKind.EVENT),
        (b'{\r\n    "timestamp": {}}\r\n', LineKind.EVENT),
        (b'{"return": {"timestamp": 1}}\r\n', LineKind.REPLY),
        (b'{"id": "timestamp", "error": {}}\r\n', LineKind.REPLY),
    ],
)
def test_kinds(line, kind):
    assert line_kind(line) is kind


def test_replies_carry_the_id():
    assert reply({}, {"execute": "x"}) == {"return": {}}
    assert reply({}, {"id": None}) == {"return": {}, "id": None}
    error = {"class": "DeviceNotFound", "desc": "d"}
    assert error_reply(QmpError("d", "DeviceNotFound"), {"id": [1]}) == {
        "id": [1],
        "error": error,
    }
    assert error_reply(QmpError("d"), None) == {
        "error": {"class": "GenericError", "desc": "d"}
    }


def test_lines():
    assert line_of({"return": {"a": []}}) == b'{"return": {"a": []}}\r\n'
