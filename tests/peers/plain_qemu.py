"""QEMU without SPICE, as a bridge finds it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["NO_MACHINE", "PlainQemu", "Program", "missing", "without_spice"]

NO_MACHINE = ("-machine", "none", "-nodefaults")
LOADER = "/lib64/ld-linux-x86-64.so.2"
MODULES = Path("/usr/lib/x86_64-linux-gnu/qemu")


@dataclass
class Program:
    """How to start a QEMU."""

    command: Sequence[str] = ("qemu-system-x86_64",)
    environment: Mapping[str, str] = field(default_factory=dict)
    accelerator: str = "tcg"
    """``qtest`` for one that is built for KVM alone."""


def without_spice(folder: Path) -> Program:
    """Return the machine's QEMU as it is where its SPICE modules are not installed.

    It looks for modules in *folder*, then beside its own program; started by the loader,
    it takes that for its program.
    """
    program = shutil.which("qemu-system-x86_64")
    if program is None or not Path(LOADER).exists() or not MODULES.is_dir():
        pytest.skip("this QEMU cannot be started without its SPICE modules")
    modules = folder / "qemu-modules"
    modules.mkdir()
    for module in MODULES.iterdir():
        if "spice" not in module.name and "qxl" not in module.name:
            (modules / module.name).symlink_to(module)
    data = ["-L", "/usr/share/qemu", "-L", "/usr/share/seabios"]
    return Program([LOADER, program, *data], {"QEMU_MODULE_DIR": str(modules)})


def missing() -> str:
    """Why there can be no QEMU here, if so."""
    found = shutil.which("qemu-system-x86_64")
    return "" if found else "qemu-system-x86_64 is not installed"


class PlainQemu:
    """A QEMU process; its monitor listens at ``path`` from the first moment."""

    def __init__(
        self,
        path: Path,
        options: Sequence[str] = NO_MACHINE,
        program: Program | None = None,
    ) -> None:
        program = program or Program()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        chardev = f"socket,id=qmp,server=on,wait=off,fd={listener.fileno()}"
        self.process = subprocess.Popen(
            [
                *program.command, "-no-user-config", "-accel", program.accelerator,
                "-display", "none", "-name", "clients", *options,
                "-chardev", chardev, "-mon", "chardev=qmp,mode=control",
            ],
            pass_fds=[listener.fileno()],
            env={**os.environ, **program.environment},
        )  # fmt: skip
        listener.close()

    def open_file(self, fd: int) -> str:
        """Name of the file that QEMU has open as *fd*."""
        return str(Path(f"/proc/{self.process.pid}/fd/{fd}").readlink())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
