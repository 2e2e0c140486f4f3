"""The desktop guest under QEMU with its own SPICE server: what ours is judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from tests.peers.bare_guest import BareGuest
from tests.peers.machine import Monitor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# The ports as libvirt makes them.
PORTS = (
    "-device", "virtio-serial-pci",
    "-chardev", "spicevmc,id=vdagent,name=vdagent",
    "-device", "virtserialport,chardev=vdagent,name=com.redhat.spice.0",
    "-chardev", "spiceport,id=webdav,name=org.spice-space.webdav.0",
    "-device", "virtserialport,chardev=webdav,name=org.spice-space.webdav.0",
    "-device", "qemu-xhci,id=usb",
    "-chardev", "spicevmc,id=usbredir0,name=usbredir",
    "-device", "usb-redir,chardev=usbredir0,bus=usb.0",
)  # fmt: skip


class StockDesktop:
    """A running QEMU with ``-spice`` on *port*; a context manager."""

    def __init__(
        self,
        folder: Path,
        recipe: dict[str, Any],
        port: int,
        options: Sequence[str] = (),
    ) -> None:
        """Start it; *options* are added to ``-spice``."""
        spice = ",".join([f"port={port},addr=127.0.0.1,disable-ticketing=on", *options])
        self.guest = BareGuest(
            folder, recipe, ["-spice", spice, "-device", "qxl-vga", *PORTS]
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.guest.__exit__()

    def monitor(self) -> Monitor:
        """Open a QMP session."""
        return Monitor(self.guest.qmp)
