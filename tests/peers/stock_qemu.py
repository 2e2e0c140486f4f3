"""QEMU with its own SPICE server, and a guest of one sector: the peer of our client."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.peers.machine import Monitor
from tests.peers.programs import Picture, eventually

if TYPE_CHECKING:
    from collections.abc import Sequence

SOURCE = Path(__file__).with_name("boot_sector.S")


def missing() -> str | None:
    """Why there can be no such peer here, if so."""
    for program in ("qemu-system-x86_64", "as", "ld"):
        if not shutil.which(program):
            return f"{program} is not installed"
    known = subprocess.run(
        ["qemu-system-x86_64", "-spice", "help"], capture_output=True, check=False
    )
    if b"tls-port" not in known.stdout + known.stderr:
        return "this QEMU has no SPICE server (qemu-system-modules-spice)"
    return None


def boot_sector(folder: Path) -> Path:
    """Assemble the guest."""
    code, image = folder / "boot_sector.o", folder / "boot_sector.img"
    subprocess.run(["as", "--32", "-o", code, SOURCE], check=True)
    link = ["ld", "-m", "elf_i386", "-Ttext", "0x7c00", "--oformat", "binary"]
    subprocess.run([*link, "-o", image, code], check=True)
    return image


class StockQemu:
    """A running QEMU; a context manager."""

    def __init__(self, folder: Path, spice: str, options: Sequence[str] = ()) -> None:
        """Start it with ``-spice`` *spice*."""
        self.folder = folder
        path, told = folder / "qmp.sock", folder / "guest.txt"
        told.touch()
        image = boot_sector(folder)
        self.process = subprocess.Popen(
            [
                "qemu-system-x86_64", "-machine", "pc", "-accel", "tcg", "-m", "16",
                "-name", "boot sector", "-display", "none", "-nodefaults", "-no-user-config",
                "-drive", f"file={image},format=raw,if=floppy,readonly=on",
                "-boot", "a", "-spice", spice, "-qmp", f"unix:{path},server=on,wait=off",
                "-debugcon", f"file:{told}", *(options or ["-vga", "std"]),
            ]
        )  # fmt: skip
        eventually("QEMU's monitor", lambda: path.exists() or self.process.poll())
        assert self.process.poll() is None, "QEMU does not start"
        self.monitor = Monitor(path)
        # Before, keys would be lost, and the screen is whatever the firmware shows.
        eventually("the guest", lambda: told.read_bytes() or self.process.poll())

    def screendump(self) -> Picture:
        """Return what QEMU itself thinks the screen shows."""
        path = self.folder / "screendump.ppm"
        answer = self.monitor.execute("screendump", filename=str(path))
        assert answer == {}, answer
        return Picture.from_ppm(path.read_bytes())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.monitor.close()
        self.process.terminate()
        self.process.wait()
