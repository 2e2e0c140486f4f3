"""What the guest's agent is told of the display: which PCI device it is.

A guest may have other graphics; with this the agent knows which of its screens are ours,
and which of them a client means by a number (VDAgentGraphicsDeviceInfo).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spice_protocol.vd_agent import (
    VDAgentDeviceDisplayInfo,
    VDAgentGraphicsDeviceInfo,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["graphics_device_info", "pci_path"]

DOMAIN = "pci/0000"
"""QEMU's machines for PCs have one PCI domain, and libspice-server's paths name it."""


def pci_path(buses: object, device_id: str) -> str | None:
    """Return the path of a device, ``pci/0000/02.0/00.0``: slot and function of each hop.

    Args:
        buses: what ``query-pci`` returned.
        device_id: the device's id on QEMU's command line.

    Returns:
        ``None``: there is no such device, or the firmware has not found it yet.

    """
    if not isinstance(buses, list):
        return None
    for bus in buses:
        hops = _find(bus.get("devices", ()), device_id)
        if hops:
            return "/".join((DOMAIN, *hops))
    return None


def _find(devices: Iterable[Mapping[str, object]], device_id: str) -> list[str]:
    """Return the hops to a device from these on, or nothing."""
    for device in devices:
        hop = f"{device['slot']:02x}.{device['function']:x}"
        if device.get("qdev_id") == device_id:
            return [hop]
        bridge = device.get("pci_bridge")
        if isinstance(bridge, dict):
            rest = _find(bridge.get("devices", ()), device_id)
            if rest:
                return [hop, *rest]
    return []


def graphics_device_info(path: str, monitors: Sequence[tuple[int, int]]) -> bytes:
    """Return a packed VDAgentGraphicsDeviceInfo with its records.

    Args:
        path: of the PCI device that shows all of them.
        monitors: display channel and number on it of each monitor, in the order of the
            device's own screens.

    """
    address = path.encode() + b"\0"  # spice-vdagent wants it to end so
    records = b"".join(
        VDAgentDeviceDisplayInfo(channel, monitor, number, len(address)).pack()
        + address
        for number, (channel, monitor) in enumerate(monitors)
    )
    return VDAgentGraphicsDeviceInfo(len(monitors)).pack() + records
