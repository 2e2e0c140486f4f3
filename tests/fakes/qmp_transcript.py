"""Recorded monitor sessions (tests/vectors/qmp), step by step."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["COMPILED", "Section", "Step", "normalized", "sections"]

VECTORS = Path(__file__).parents[1] / "vectors" / "qmp"
COMPILED = {"7.2": "0.15.1", "11.1": "0.15.2"}
"""The libspice-server behind each recording."""

_WITH_FD = "   [+1 fd by SCM_RIGHTS]"

_CHANGING = [
    (re.compile(r'"(seconds|microseconds|connection-id|port|tls-port)": -?\d+'), r'"\1": 0'),
    (re.compile(r'"port": "\d+"'), '"port": "0"'),
    (re.compile(r"(address: 127\.0\.0\.1:|session: )-?\d+"), r"\g<1>0"),
    (re.compile(r"0x[0-9a-f]+"), "0x0"),
    (re.compile(r'"package": "[^"]*"'), '"package": ""'),
]  # fmt: skip
"""Times, ids, addresses: what no two sessions have in common."""


@dataclass
class Step:
    """One thing the client said and what it heard until it spoke again."""

    sent: str = ""
    with_fd: bool = False
    replies: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)


@dataclass
class Section:
    """What belongs together: a remark of the recorder and the steps after it."""

    title: str
    steps: list[Step] = field(default_factory=list)


def sections(version: str, name: str) -> list[Section]:
    """Read a transcript; its first section has no title, and begins with the greeting."""
    found = [Section("", [Step()])]
    for line in (VECTORS / version / f"{name}.txt").read_text().splitlines():
        kind, text = line[:3], line[3:]
        if kind == "## ":
            if not text.startswith("client rc "):  # its exit status
                found.append(Section(text))
        elif kind == "-> ":
            step = Step(text.removesuffix(_WITH_FD), text.endswith(_WITH_FD))
            found[-1].steps.append(step)
        elif text.startswith('{"timestamp"'):
            found[-1].steps[-1].events.append(text)
        elif found[-1].steps:
            found[-1].steps[-1].replies.append(text)
    return found


def normalized(line: str, folder: str = "/run/x") -> str:
    """Return a line without what changes from session to session.

    Channels are sorted: clients open them at the same time.
    """
    text = line.rstrip("\r\n").replace(folder, "/run/x")
    for pattern, replacement in _CHANGING:
        text = pattern.sub(replacement, text)
    message = json.loads(text)
    value = message.get("return")
    if isinstance(value, dict) and isinstance(value.get("channels"), list):
        value["channels"].sort(key=lambda channel: channel["channel-type"])
        return json.dumps(message)
    if isinstance(value, str) and value.startswith("Server:"):
        head, *channels = value.split("Channel:\r\n")
        message["return"] = "Channel:\r\n".join([head, *sorted(channels)])
        return json.dumps(message)
    return text
