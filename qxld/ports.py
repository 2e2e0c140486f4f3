"""The ports of one VM: which there are, what QEMU has of them, and who serves them."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from qxld.errors import UsageError
from qxld.qtree import look_at_devices
from spice_server.port.port_channel import PortChannel, WebdavChannel
from spice_server.port.smartcard import SmartcardChannel
from spice_server.port.usbredir import UsbredirChannel
from vm_transport.chardev.devices import (
    CharDevice,
    card_reader,
    qemu_arguments,
    usb_port,
    virtio_port,
)
from vm_transport.chardev.port import ChardevPort

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from qmp_bridge.qemu_monitor import QemuMonitor
    from qxld.config import PortsConfig
    from spice_server.channel.channel import Channel
    from spice_server.server import Server
    from vd_interfaces.port import GuestPort

__all__ = [
    "AGENT_NAME",
    "AGENT_WAYS",
    "PortPlan",
    "Ports",
    "plan",
    "port_arguments",
]

AGENT_NAME: Final = "com.redhat.spice.0"
"""The port that spice-vdagentd opens."""
WEBDAV_NAME: Final = "org.spice-space.webdav.0"
"""The port that spice-webdavd opens."""
AGENT_WAYS: Final = ("auto", "virtio", "ivshmem", "none")
VIRTIO: Final = ("auto", "virtio")
"""Ways of the agent that give the guest a virtio-serial port for it."""
SHARED_MEMORY: Final = ("auto", "ivshmem")
"""Ways of the agent that let it use the display's shared memory."""

MAX_USBREDIR: Final = 8
"""USB ports of clients; the controller has 15, and a tablet and a card reader need two.
Clients offer four at most at a time."""
MAX_CHANNELS: Final = 16
"""Port channels; a virtio-serial device has 31 ports."""
_NAME = re.compile(r"[!-~]{1,200}")
"""Printable ASCII without blanks: it becomes a file name in the guest (udev)."""

_CHANNELS: Final = {
    "port": PortChannel,
    "webdav": WebdavChannel,
    "usbredir": UsbredirChannel,
    "smartcard": SmartcardChannel,
}
"""What serves a kind of port; the agent is no channel."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PortPlan:
    """One port: what QEMU is given for it."""

    device: CharDevice
    name: str
    """What the guest calls it."""
    kind: str
    """``agent``, ``port``, ``webdav``, ``usbredir`` or ``smartcard``."""


def plan(config: PortsConfig, folder: Path) -> list[PortPlan]:
    """Return the ports to have; their sockets are in *folder*.

    Raises:
        UsageError: a number or a name that is not possible.

    """
    if config.agent not in AGENT_WAYS:
        raise UsageError(f"agent {config.agent!r}: there are {', '.join(AGENT_WAYS)}")
    if not 0 <= config.usbredir <= MAX_USBREDIR:
        raise UsageError(
            f"{config.usbredir} usbredir channels: there can be 0 to {MAX_USBREDIR}"
        )
    _check_names(config.channels)
    plans = []

    def add_virtio(kind: str, label: str, name: str) -> None:
        device = virtio_port(label, folder / f"{label}.sock", name)
        plans.append(PortPlan(device, name, kind))

    if config.agent in VIRTIO:
        add_virtio("agent", "qxld-agent", AGENT_NAME)
    if config.webdav:
        add_virtio("webdav", "qxld-webdav", WEBDAV_NAME)
    for number, name in enumerate(config.channels):
        add_virtio("port", f"qxld-port{number}", name)
    for number in range(config.usbredir):
        label = f"qxld-usb{number}"
        device = usb_port(label, folder / f"{label}.sock")
        plans.append(PortPlan(device, label, "usbredir"))
    if config.smartcard:
        device = card_reader("qxld-card", folder / "qxld-card.sock")
        plans.append(PortPlan(device, "qxld-card", "smartcard"))
    return plans


def _check_names(names: Sequence[str]) -> None:
    """Refuse names of port channels that cannot be.

    Raises:
        UsageError: see above.

    """
    if len(names) > MAX_CHANNELS:
        raise UsageError(f"{len(names)} port channels: there can be {MAX_CHANNELS}")
    for name in names:
        if not _NAME.fullmatch(name) or "/" in name:
            raise UsageError(
                f"port channel {name!r}: a name is 1 to 200 printable ASCII "
                "characters, no blank and no slash"
            )
        if name == AGENT_NAME:
            raise UsageError(f"port channel {name}: --agent virtio is for this one")
        if name == WEBDAV_NAME:
            raise UsageError(f"port channel {name}: --webdav is for this one")
        if names.count(name) > 1:
            raise UsageError(f"port channel {name} is there twice")


def port_arguments(
    config: PortsConfig, folder: Path, present: Sequence[str] = ()
) -> list[str]:
    """Return QEMU's options for the ports.

    What the command line *present* has of its own is kept: a virtio-serial device is
    used, and a port for the agent stays the only one.
    """
    plans = plan(config, folder)
    if any(f"name={AGENT_NAME}" in word.split(",") for word in present):
        _log.info("QEMU's command line has a port for the agent: it is left alone")
        plans = [p for p in plans if p.kind != "agent"]
    return qemu_arguments([p.device for p in plans], present)


class Ports:
    """All ports of a VM at work; main thread only."""

    def __init__(self, config: PortsConfig, folder: Path) -> None:
        """Make the ports; QEMU has them later.

        Raises:
            UsageError: see :func:`plan`.

        """
        self.plans = plan(config, folder)
        self._agent = config.agent
        self.ports = {
            p.device.id: ChardevPort(
                p.name,
                p.device.path,
                follows_guest=p.device.driver == "virtserialport",
                lingers=p.kind == "smartcard",
            )
            for p in self.plans
        }
        """By the device's id."""

    @property
    def agent_is_asked_for(self) -> bool:
        """Whether there has to be a virtio-serial port for the agent."""
        return self._agent == "virtio"

    @property
    def agent_port(self) -> ChardevPort | None:
        """The virtio-serial port of the guest's agent, if there is to be one."""
        for each in self.plans:
            if each.kind == "agent":
                return self.ports[each.device.id]
        return None

    def channels(self) -> list[Channel]:
        """Return the channels of all ports but the agent's."""
        counts: dict[str, int] = {}
        channels: list[Channel] = []
        for each in self.plans:
            number = counts.setdefault(each.kind, 0)
            counts[each.kind] += 1
            make = _CHANNELS.get(each.kind)
            if make is not None:
                channels.append(make(self.ports[each.device.id], number))
        return channels

    def add_to(self, server: Server, shared: GuestPort) -> None:
        """Let *server* serve them, and *shared* memory's port if the agent may use it."""
        for channel in self.channels():
            server.add_channel(channel)
        if self.agent_port is not None:
            server.agent.attach(self.agent_port)
        if self._agent in SHARED_MEMORY:
            server.agent.attach(shared)

    async def connected(
        self, monitor: QemuMonitor, loop: asyncio.AbstractEventLoop
    ) -> None:
        """Connect to what QEMU has: QEMU is there, or has more devices now.

        Raises:
            QemuGone: QEMU went away.

        """
        if not self.ports:
            return
        for told in (await look_at_devices(monitor)).ports:
            port = self.ports.get(told.id)
            if port is not None and told.guest_open != port.guest_open:
                port.set_guest_open(told.guest_open)
        for port in self.ports.values():
            port.start(loop)

    def disconnected(self) -> None:
        """Let go of QEMU."""
        for port in self.ports.values():
            port.stop()

    def remove_sockets(self) -> None:
        """Remove what a QEMU that has ended may have left."""
        for port in self.ports.values():
            port.path.unlink(missing_ok=True)

    def event(self, name: str, data: Mapping[str, object]) -> None:
        """Take an event of QEMU's."""
        if name == "VSERPORT_CHANGE":
            port = self.ports.get(str(data.get("id")))
            if port is not None:
                port.set_guest_open(bool(data.get("open")))
