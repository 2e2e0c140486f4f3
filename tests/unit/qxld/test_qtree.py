"""info qtree: what QEMU 7.2 wrote, and what is no such text."""

from __future__ import annotations

from qxld.qtree import VirtioPort, parse_qtree

QTREE = """\
bus: main-system-bus
  type System
  dev: i440FX-pcihost, id ""
    name = "not a port's"
    bus: pci.0
      type PCI
      dev: virtio-serial-pci, id "qxld-serial"
        class = "virtio"
        bus: virtio-bus
          type virtio-pci-bus
          dev: virtio-serial-device, id ""
            max_ports = 31 (0x1f)
            bus: qxld-serial.0
              type virtio-serial-bus
              dev: virtserialport, id "qxld-port0"
                chardev = "qxld-port0-chardev"
                nr = 3 (0x3)
                name = "org.test.port.0"
                port 3, guest off, host off, throttle off
              dev: virtserialport, id "qxld-agent"
                chardev = "qxld-agent-chardev"
                nr = 1 (0x1)
                name = "com.redhat.spice.0"
                port 1, guest on, host on, throttle off
      dev: ivshmem-doorbell, id "qxld0"
        name = "not a port's either"
"""


def test_ports_and_buses():
    tree = parse_qtree(QTREE.replace("\n", "\r\n"))
    assert tree.bus_types == {"System", "PCI", "virtio-pci-bus", "virtio-serial-bus"}
    assert tree.ports == [
        VirtioPort("qxld-port0", "org.test.port.0"),
        VirtioPort("qxld-agent", "com.redhat.spice.0", guest_open=True),
    ]
    assert tree.holder_of("org.test.port.0") == "qxld-port0"
    assert tree.holder_of("org.example.0") is None


def test_other_text():
    assert parse_qtree("").ports == []
    assert parse_qtree("unknown command: 'info qtree'\r\n").bus_types == set()
