"""The text of ``input-send-event`` commands (qapi/ui.json).

Printed by hand: this is the way of every key and every movement.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from qmp_bridge.scancodes import KeyChange

__all__ = ["InputPacket", "button_event", "key_event"]


@dataclass(slots=True)
class InputPacket:
    """What one command carries: changes of buttons or a key, then motion."""

    changes: list[str] = field(default_factory=list)
    motion: Literal["", "rel", "abs"] = ""
    x: int = 0
    y: int = 0

    def merge(self, other: InputPacket) -> bool:
        """Take *other* in if both are only motion of one kind; whether they were."""
        if self.changes or other.changes or self.motion != other.motion:
            return False
        if self.motion == "rel":
            self.x, self.y = self.x + other.x, self.y + other.y
        else:
            self.x, self.y = other.x, other.y
        return True

    def command(self) -> bytes:
        """Print the whole command, without a line end."""
        events = list(self.changes)
        if self.motion:
            events += [
                f'{{"type":"{self.motion}","data":{{"axis":"{axis}","value":{value}}}}}'
                for axis, value in (("x", self.x), ("y", self.y))
            ]
        return (
            '{"execute":"input-send-event","arguments":{"events":['
            f"{','.join(events)}]}}}}"
        ).encode("ascii")


def key_event(change: KeyChange) -> str:
    """Print a key's change."""
    down = "true" if change.down else "false"
    key = f'{{"type":"number","data":{change.number}}}'
    return f'{{"type":"key","data":{{"down":{down},"key":{key}}}}}'


def button_event(name: str, *, down: bool) -> str:
    """Print the change of a QAPI InputButton."""
    state = "true" if down else "false"
    return f'{{"type":"btn","data":{{"down":{state},"button":"{name}"}}}}'
