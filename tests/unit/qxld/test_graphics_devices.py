"""Paths of PCI devices, and what agents are told of them."""

from __future__ import annotations

from qxld.graphics_devices import graphics_device_info, pci_path
from spice_protocol.vd_agent import (
    VDAgentDeviceDisplayInfo,
    VDAgentGraphicsDeviceInfo,
)


def device(slot, function=0, name="", behind=None):
    told = {"bus": 0, "slot": slot, "function": function, "qdev_id": name}
    if behind is not None:
        told["pci_bridge"] = {"bus": {"number": 1}, "devices": behind}
    return told


BUSES = [
    {
        "bus": 0,
        "devices": [
            device(0),
            device(1, 3, "ide"),
            device(2, name="empty", behind=None) | {"pci_bridge": {"bus": {}}},
            device(4, 1, "port", behind=[device(0x1F, name="qxld0")]),
            device(5, name="direct"),
        ],
    }
]


def test_paths():
    assert pci_path(BUSES, "direct") == "pci/0000/05.0"
    assert pci_path(BUSES, "ide") == "pci/0000/01.3"
    assert pci_path(BUSES, "qxld0") == "pci/0000/04.1/1f.0"


def test_no_such_device():
    assert pci_path(BUSES, "other") is None
    assert pci_path([], "qxld0") is None
    assert pci_path({}, "qxld0") is None


def test_records():
    path = "pci/0000/05.0"
    info = memoryview(graphics_device_info(path, [(0, 0), (0, 1)]))
    assert VDAgentGraphicsDeviceInfo.unpack_from(info).count == 2
    place = VDAgentGraphicsDeviceInfo.SIZE
    for number in range(2):
        record = VDAgentDeviceDisplayInfo.unpack_from(info, place)
        assert (record.channel_id, record.monitor_id) == (0, number)
        assert record.device_display_id == number
        place += VDAgentDeviceDisplayInfo.SIZE
        address = bytes(info[place : place + record.device_address_len])
        assert address == path.encode() + b"\0"
        place += record.device_address_len
    assert place == len(info)
