"""What QEMU tells of its devices in ``info qtree`` and nowhere in QMP."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qmp_bridge.errors import CommandFailed

if TYPE_CHECKING:
    from qmp_bridge.qemu_monitor import QemuMonitor

__all__ = ["Qtree", "VirtioPort", "look_at_devices", "parse_qtree"]

_DEVICE = re.compile(r'^\s*dev: ([^,]+), id "(.*)"$')
_BUS_TYPE = re.compile(r"^\s*type (\S+)$")
_NAME = re.compile(r'^\s*name = "(.*)"$')
_PORT = re.compile(r"^\s*port \d+, guest (on|off), host ")

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class VirtioPort:
    """A virtserialport."""

    id: str
    name: str = ""
    guest_open: bool = False
    """Whether somebody in the guest holds it open."""


@dataclass(slots=True)
class Qtree:
    """What there is."""

    bus_types: set[str] = field(default_factory=set)
    ports: list[VirtioPort] = field(default_factory=list)

    def holder_of(self, name: str) -> str | None:
        """Return the id of the port with a name."""
        return next((port.id for port in self.ports if port.name == name), None)


def parse_qtree(text: str) -> Qtree:
    """Read the answer; lines that are not known say nothing."""
    tree = Qtree()
    port: VirtioPort | None = None
    for line in text.splitlines():
        if match := _DEVICE.match(line):
            port = None
            if match[1] == "virtserialport":
                port = VirtioPort(match[2])
                tree.ports.append(port)
        elif match := _BUS_TYPE.match(line):
            port = None
            tree.bus_types.add(match[1])
        elif port is not None and (match := _NAME.match(line)):
            port.name = match[1]
        elif port is not None and (match := _PORT.match(line)):
            port.guest_open = match[1] == "on"
    return tree


async def look_at_devices(monitor: QemuMonitor) -> Qtree:
    """Ask QEMU; a QEMU that has no such command has nothing of interest.

    Raises:
        QemuGone: QEMU went away.

    """
    try:
        text = await monitor.execute(
            "human-monitor-command", {"command-line": "info qtree"}
        )
    except CommandFailed as error:
        _log.debug("info qtree: %s", error)
        return Qtree()
    return parse_qtree(str(text))
