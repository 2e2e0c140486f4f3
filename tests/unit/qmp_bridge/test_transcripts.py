"""Recorded sessions of real QEMUs (tests/vectors/qmp), replayed line by line.

What the bridge answers itself must be the recorded bytes.  What it forwards is answered
with the recorded reply and must come out as those bytes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from qmp_bridge.capabilities import parse_greeting
from qmp_bridge.control_commands import ControlCommands
from qmp_bridge.events import event_message
from qmp_bridge.message import line_of
from qmp_bridge.monitor_session import MonitorSession
from qmp_bridge.qemu_session import QemuSession
from tests.fakes.spice_control import FakeSpiceControl
from vd_interfaces.control import (
    ChannelEvent,
    ChannelEventKind,
    SpiceChannel,
    SpiceEndpoint,
    SpiceInfo,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "qmp"
COMPILED = {"7.2": "0.15.1", "11.1": "0.15.2"}


@dataclass
class Step:
    """One thing the client said and what it heard until it spoke again."""

    sent: str
    replies: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)


def read(version: str, name: str) -> list[Step]:
    steps = [Step("")]
    for line in (VECTORS / version / f"{name}.txt").read_text().splitlines():
        if line.startswith("## two commands"):  # the recorder wrote no "->" for those
            break
        if line.startswith("-> "):
            steps.append(Step(line[3:].removesuffix("   [+1 fd by SCM_RIGHTS]")))
        elif line.startswith('<- {"timestamp"'):
            steps[-1].events.append(line[3:])
        elif line.startswith("<- "):
            steps[-1].replies.append(line[3:])
    return steps


class Replay:
    """The bridge between a recorded client and a recorded QEMU."""

    def __init__(self, version: str, name: str) -> None:
        self.steps = read(version, name)
        self.control = FakeSpiceControl()
        self.client: list[bytes] = []
        self.forwarded: list[bytes] = []
        self.congested = False
        greeting = (self.steps.pop(0).replies[0] + "\r\n").encode()
        self.qemu = QemuSession(
            type("Q", (), {"send": lambda _s, data, _f: self.forwarded.append(data),
                           "ready": lambda _s, _g: None})()
        )  # fmt: skip
        self.qemu.receive(greeting)
        self.qemu.receive(b'{"return": {}}\r\n')
        parsed = parse_greeting(greeting)
        commands = ControlCommands(
            self.control, parsed.version, compiled_version=COMPILED[version]
        )
        self.session = MonitorSession(self, self.qemu, parsed, commands.table())
        self.session.greet()
        assert self.heard() == [greeting.decode()]

    def send(self, data: bytes) -> None:
        self.client.append(data)

    def heard(self) -> list[str]:
        lines, self.client = self.client, []
        return [line.decode() for line in lines]

    def play(self, step: Step) -> None:
        recorded = [reply + "\r\n" for reply in step.replies]
        if '"query-spice"' in step.sent and '"enabled"' in recorded[-1]:
            self.control.info = _info(json.loads(recorded[-1])["return"])
        self.forwarded.clear()
        self.session.receive(step.sent.encode() + b"\n")
        if self.forwarded:
            (command,) = map(json.loads, self.forwarded)
            assert not _is_local(command)
            self.qemu.receive(_as_answer_to(command, recorded[-1]))
        assert self.heard() == recorded
        for line in step.events:
            event, now = _event(json.loads(line))
            self.session.event(line_of(event_message(event, now)))
            assert self.heard() == [line + "\r\n"]


def _is_local(command: object) -> bool:
    if not isinstance(command, dict):
        return False
    if command.get("execute") in {"set_password", "expire_password"}:
        return command.get("arguments", {}).get("protocol") == "spice"
    return command.get("execute") in {"query-spice", "qmp_capabilities"}


def _as_answer_to(command: dict, reply: str) -> bytes:
    answer = json.loads(reply)
    if "exec-oob" in command:
        answer["id"] = command["id"]
        return json.dumps(answer).encode() + b"\r\n"
    return reply.encode()


def _endpoint(members: dict) -> SpiceEndpoint:
    return SpiceEndpoint(members["host"], members["port"], members["family"])


def _channel(members: dict) -> SpiceChannel:
    return SpiceChannel(
        _endpoint(members),
        members["connection-id"] % 2**32,
        members["channel-type"],
        members["channel-id"],
        members["tls"],
    )


def _info(members: dict) -> SpiceInfo:
    return SpiceInfo(
        enabled=members["enabled"],
        migrated=members["migrated"],
        host=members.get("host"),
        port=members.get("port"),
        tls_port=members.get("tls-port"),
        auth=members.get("auth"),
        mouse_mode=members["mouse-mode"],
        channels=[_channel(channel) for channel in members.get("channels", [])],
    )


def _event(message: dict) -> tuple[ChannelEvent, float]:
    server, client = message["data"]["server"], message["data"]["client"]
    kind = ChannelEventKind(message["event"])
    initialized = kind is ChannelEventKind.INITIALIZED
    event = ChannelEvent(
        kind,
        _endpoint(server),
        _endpoint(client),
        server.get("auth", ""),
        _channel(client) if initialized else None,
    )
    stamp = message["timestamp"]
    # Half a microsecond, so that no rounding of the sum shows.
    return event, stamp["seconds"] + (stamp["microseconds"] + 0.5) / 1e6


@pytest.mark.parametrize(
    "name", ["handshake", "spice-active", "spice-absent", "spice-unix"]
)
@pytest.mark.parametrize("version", ["7.2", "11.1"])
def test_replay(version, name):
    replay = Replay(version, name)
    assert len(replay.steps) > 5
    for step in replay.steps:
        replay.play(step)
