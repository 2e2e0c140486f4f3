"""QEMU's devices behind our chardevs: command-line options and QMP commands, as data.

A :class:`CharDevice` is one port; the :class:`Controller` it plugs into is added once,
and not at all where the VM has one that will do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "CCID",
    "SERIAL",
    "USB",
    "CharDevice",
    "Controller",
    "card_reader",
    "qemu_arguments",
    "usb_port",
    "virtio_port",
]


@dataclass(frozen=True, slots=True)
class Controller:
    """What ports plug into."""

    driver: str
    id: str
    bus_type: str
    """QEMU's type of the bus it has."""
    properties: Mapping[str, Any] = field(default_factory=dict)
    parent: Controller | None = None
    """What it plugs into itself; ``None``: PCI."""

    @property
    def bus(self) -> str:
        """Name of its bus."""
        return f"{self.id}.0"

    def device(self, bus: str | None = None) -> dict[str, Any]:
        """Return the arguments of ``device_add``; *bus* ``None``: QEMU finds one."""
        device = {"driver": self.driver, "id": self.id, **self.properties}
        return device if bus is None else {**device, "bus": bus}


SERIAL: Final = Controller("virtio-serial-pci", "qxld-serial", "virtio-serial-bus")
USB: Final = Controller("qemu-xhci", "qxld-usb", "usb-bus", {"p2": 15, "p3": 15})
"""With as many ports as it can have: a tablet may plug in, too."""
CCID: Final = Controller("usb-ccid", "qxld-ccid", "ccid-bus", parent=USB)


@dataclass(frozen=True, slots=True)
class CharDevice:
    """A device behind a chardev of its own; QEMU listens at *path*."""

    driver: str
    id: str
    path: Path
    controller: Controller
    properties: Mapping[str, Any] = field(default_factory=dict)

    @property
    def chardev_id(self) -> str:
        """Label of its chardev."""
        return f"{self.id}-chardev"

    def chardev(self) -> dict[str, Any]:
        """Return the arguments of ``chardev-add``."""
        address = {"type": "unix", "data": {"path": str(self.path)}}
        data = {"addr": address, "server": True, "wait": False}
        return {"id": self.chardev_id, "backend": {"type": "socket", "data": data}}

    def device(self, bus: str | None) -> dict[str, Any]:
        """Return the arguments of ``device_add``; *bus* ``None``: QEMU finds one."""
        place = {} if bus is None else {"bus": bus}
        names = {"driver": self.driver, "id": self.id, "chardev": self.chardev_id}
        return {**names, **self.properties, **place}


def virtio_port(label: str, path: Path, name: str) -> CharDevice:
    """Return a virtio-serial port that the guest knows as *name*."""
    return CharDevice("virtserialport", label, path, SERIAL, {"name": name})


def usb_port(label: str, path: Path) -> CharDevice:
    """Return a USB port for a device that a client has."""
    return CharDevice("usb-redir", label, path, USB)


def card_reader(label: str, path: Path) -> CharDevice:
    """Return a card reader for a card that a client has."""
    return CharDevice("ccid-card-passthru", label, path, CCID)


def qemu_arguments(
    devices: Iterable[CharDevice], present: Sequence[str] = ()
) -> list[str]:
    """Return command-line options for *devices*.

    Args:
        devices: the ports.
        present: the command line so far.  Controllers of ours that are there, and
            virtio-serial ones of the user's, are used.

    """
    arguments: list[str] = []
    own_serial = any(word.startswith("virtio-serial") for word in present)
    for device in devices:
        wanted: list[Controller] = []
        controller: Controller | None = device.controller
        bus: str | None = controller.bus if controller else None
        if controller is SERIAL and own_serial:
            controller = bus = None  # QEMU finds a bus with room
        while controller is not None:
            wanted.insert(0, controller)
            controller = controller.parent
        for each in wanted:
            option = _option(each.device(each.parent.bus if each.parent else None))
            if not any(
                f"id={each.id}," in f"{word}," for word in (*present, *arguments)
            ):
                arguments += ["-device", option]
        chardev = f"socket,id={device.chardev_id},path={_escaped(device.path)}"
        arguments += ["-chardev", f"{chardev},server=on,wait=off"]
        arguments += ["-device", _option(device.device(bus))]
    return arguments


def _option(device: Mapping[str, Any]) -> str:
    """Return a device's arguments as the value of ``-device``."""
    rest = [f"{k}={_escaped(v)}" for k, v in device.items() if k != "driver"]
    return ",".join([device["driver"], *rest])


def _escaped(value: object) -> str:
    """Return a value for QEMU's option strings, where a comma is doubled."""
    return str(value).replace(",", ",,")
