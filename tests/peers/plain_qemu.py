"""QEMU without SPICE, as a bridge finds it."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["NO_MACHINE", "PlainQemu", "missing"]

NO_MACHINE = ("-machine", "none", "-nodefaults")


def missing() -> str:
    """Why there can be no QEMU here, if so."""
    found = shutil.which("qemu-system-x86_64")
    return "" if found else "qemu-system-x86_64 is not installed"


class PlainQemu:
    """A QEMU process; its monitor listens at ``path`` from the first moment."""

    def __init__(self, path: Path, options: Sequence[str] = NO_MACHINE) -> None:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        chardev = f"socket,id=qmp,server=on,wait=off,fd={listener.fileno()}"
        self.process = subprocess.Popen(
            [
                "qemu-system-x86_64", "-no-user-config", "-accel", "tcg",
                "-display", "none", "-name", "clients", *options,
                "-chardev", chardev, "-mon", "chardev=qmp,mode=control",
            ],
            pass_fds=[listener.fileno()],
        )  # fmt: skip
        listener.close()

    def open_file(self, fd: int) -> str:
        """Name of the file that QEMU has open as *fd*."""
        return str(Path(f"/proc/{self.process.pid}/fd/{fd}").readlink())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
