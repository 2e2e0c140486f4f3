"""A stock QEMU with a guest that has no display; qxld comes later."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any, Self

from tests.peers.machine import Monitor, SerialShell, guest_picture
from tests.peers.programs import eventually

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.peers.programs import Picture

BOOTED = b"QXLD-GUEST-"


class BareGuest:
    """A running QEMU with two QMP sockets of its own; a context manager."""

    def __init__(
        self, folder: Path, recipe: dict[str, Any], options: Sequence[str] = ()
    ) -> None:
        """Start it; *options* are QEMU's."""
        self.qmp, self.second_qmp = folder / "qemu.qmp", folder / "qemu2.qmp"
        self.serial_log = folder / "serial.log"
        self.serial_log.touch()
        self.serial = folder / "serial.sock"
        self.scratch = folder / "scratch.img"
        with self.scratch.open("wb") as file:
            file.truncate(recipe["scratch_size"])
        self.output = folder / "qemu.log"
        with self.output.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    "qemu-system-x86_64", "-accel", "tcg", *recipe["qemu_args"],
                    *(word.format(file=self.scratch) for word in recipe["scratch_args"]),
                    "-qmp", f"unix:{self.qmp},server=on,wait=off",
                    "-qmp", f"unix:{self.second_qmp},server=on,wait=off",
                    "-chardev", f"socket,id=serial0,path={self.serial},server=on,"
                    f"wait=off,logfile={self.serial_log}",
                    "-serial", "chardev:serial0", *options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def wait_booted(self) -> None:
        """Wait until it has started what it starts, a screen or none."""
        eventually(
            "the guest is up",
            lambda: BOOTED in self.serial_log.read_bytes() or self.process.poll(),
        )
        assert self.process.poll() is None, self.output.read_text()

    def shell(self) -> SerialShell:
        """Open the guest's serial shell."""
        return SerialShell(self.serial)

    def picture(self, shell: SerialShell) -> Picture:
        """Return the screen as the guest itself holds it."""
        return guest_picture(self.scratch, shell)

    def devices(self) -> set[str]:
        """Names of what has been plugged into QEMU, by QEMU's second monitor."""
        monitor = Monitor(self.second_qmp)
        listed = monitor.execute("qom-list", path="/machine/peripheral")
        chardevs = monitor.execute("query-chardev")
        monitor.close()
        return {item["name"] for item in listed} | {item["label"] for item in chardevs}

    def status(self) -> str:
        """Return QEMU's run state, by its second monitor."""
        monitor = Monitor(self.second_qmp)
        status: str = monitor.execute("query-status")["status"]
        monitor.close()
        return status
