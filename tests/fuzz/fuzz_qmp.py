"""Fuzz target: the bytes are what monitor clients, QEMU and keyboards send.

Whatever they are, nothing but the documented errors comes out: none of the client's
bytes raises, QEMU's raise ``QemuError`` or what a broken JSON reply raises, and what
went out was one whole message at a time.

How to run it: see ``tests/fuzz/runner.py``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))

from qmp_bridge.capabilities import parse_greeting
from qmp_bridge.errors import QemuError
from qmp_bridge.input_events import QmpInputSink
from qmp_bridge.migration import MigrationWatch
from qmp_bridge.monitor_session import MonitorSession
from qmp_bridge.named_fds import NamedFds
from qmp_bridge.qemu_session import QemuSession
from qmp_bridge.spice_commands import SpiceCommands
from tests.fakes.qmp_server import GREETING
from tests.fakes.spice_control import FakeSpiceControl
from tests.fuzz.runner import run

if TYPE_CHECKING:
    import random

WORDS = [
    b'{"execute":"qmp_capabilities","arguments":{"enable":["oob"]}}',
    b'{"execute":"qmp_capabilities"}', b'{"execute":"query-spice"}', b'"id":', b"{", b"}",
    b'{"execute":"set_password","arguments":{"protocol":"spice","password":"x"}}',
    b'{"execute":"expire_password","arguments":{"protocol":"spice","time":"+1"}}',
    b'{"execute":"client_migrate_info","arguments":{"protocol":"spice","hostname":"h",',
    b'"port":1}}', b'{"execute":"migrate"}', b'{"execute":"query-commands"}',
    b'{"timestamp": {}, "event": "MIGRATION", "data": ', b'{"status": "completed"}}\r\n',
    b'{"execute":"human-monitor-command","arguments":{"command-line":"', b'info spice"}}',
    b"set_password spice ", b"client_migrate_info spice h (1+", b'2)"}}', b'help info"}}',
    b'{"return": "info x"}\r\n', b'{"return": [{"name": "x"}]}\r\n',
    b'{"execute":"add_client","arguments":{"protocol":"spice","fdname":"x"}}',
    b'{"exec-oob":"x","id":1}', b'{"execute":"x"}', b"[", b"]", b'"', b"'", b"\\u00",
    b"\n", b"\xff", b"\x00", b"\\", b'{"return": {}}\r\n', b'{"timestamp": {}}\r\n',
    b'{"error": {}, "id": 1}\r\n',
]  # fmt: skip


class Rig:
    """Everything without I/O between a client and QEMU."""

    congested = False

    def __init__(self) -> None:
        self.to_client = 0
        self.qemu = QemuSession(QemuEnd(self))
        self.qemu.receive(GREETING + b'{"return": {}}\r\n')
        greeting = parse_greeting(GREETING)
        control = FakeSpiceControl()
        named_fds = NamedFds()
        self.migration = MigrationWatch(self, control)
        commands = SpiceCommands(
            control, named_fds, self.migration.set_target, None, "0.15.2"
        )
        table = commands.table(greeting.version)
        self.session = MonitorSession(self, self.qemu, greeting, table, self.migration)
        self.session.greet()

    def send(self, data: bytes) -> None:
        assert data.endswith(b"\n")
        self.to_client += 1

    def ask(self, message: bytes, on_reply: object) -> None:
        """What the bridge asks for itself: not answered here."""

    def later(self, seconds: float, callback: object) -> None:
        """Time does not go by."""


class QemuEnd:
    """What is said to QEMU must be JSON: it answers each message exactly once."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.unanswered = 0

    def send(self, data: bytes, fds: object) -> None:
        text = data.decode("utf-8", "replace")
        if "'" not in text and "\\u" not in text and "\ufffd" not in text:
            json.loads(text)
        self.unanswered += b'"qmp_capabilities"' not in data

    def ready(self, greeting: object) -> None:
        pass

    def event(self, line: bytes) -> None:
        self.rig.session.event(line)
        self.rig.migration.event(line)


def play(data: bytes) -> None:
    """Feed *data*: its first byte of each piece says to whom."""
    rig = Rig()
    sink = QmpInputSink(NoPipe())
    position = 0
    while position < len(data):
        kind, length = data[position] & 3, data[position] >> 2
        piece = data[position + 1 : position + 1 + length]
        position += 1 + length
        if kind < 2:
            rig.session.receive(piece)
        elif kind == 2:
            try:
                rig.qemu.receive(piece)
            except (QemuError, ValueError, TypeError, KeyError):
                return  # the link closes
        else:
            for byte in piece:
                sink.push_scancode(byte)
            sink.buttons(length)
            sink.position(length - 30, length, length, 0)
    sink.release_all()
    rig.session.close()


class NoPipe:
    """A QEMU that never answers."""

    def submit(self, message: bytes, on_reply: object) -> None:
        json.loads(message)


def make(generator: random.Random) -> bytes:
    """Make up to 30 pieces, mostly of words that mean something."""
    return b"".join(_piece(generator) for _ in range(generator.randrange(30)))


def _piece(generator: random.Random) -> bytes:
    words = b"".join(generator.choice(WORDS) for _ in range(generator.randrange(3)))
    body = words[:63] or generator.randbytes(generator.randrange(8))
    kind = generator.choice([0, 0, 0, 1, 2, 3])
    return bytes([len(body) << 2 | kind]) + body


if __name__ == "__main__":
    run(play, make)
