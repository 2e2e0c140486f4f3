"""What it takes to run a guest, for `make run` and the tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Recipe"]

# Bytes of the raw disk that a test gives a guest to write its screen to: a PPM of
# 2560 x 1600 and some.
SCRATCH_SIZE = 16 * 1024 * 1024


@dataclass(slots=True, frozen=True)
class Recipe:
    """A built guest."""

    guest: str
    kernel_release: str
    kernel: Path
    initrd: Path
    append: str
    memory_mib: int
    disk: Path | None = None
    """Root file system; opened with ``snapshot=on``, so that it stays as built."""

    def qemu_args(self) -> list[str]:
        """Return the guest's share of a QEMU command line.

        The caller adds the accelerator, the monitor, a chardev for ``-serial``, and the
        ivshmem device; there is no VGA card and no window.
        """
        arguments = ["-machine", "pc", "-m", str(self.memory_mib), "-vga", "none"]
        arguments += ["-display", "none", "-kernel", str(self.kernel)]
        arguments += ["-initrd", str(self.initrd), "-append", self.append]
        arguments += ["-device", "virtio-tablet-pci", "-nic", "none"]
        if self.disk is not None:
            drive = f"file={self.disk},format=raw,if=none,id=root,snapshot=on"
            arguments += ["-drive", drive]
            arguments += ["-device", "virtio-blk-pci,drive=root,serial=qxld-root"]
        return arguments

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON's types."""
        return {
            "guest": self.guest,
            "kernel_release": self.kernel_release,
            "kernel": str(self.kernel),
            "initrd": str(self.initrd),
            "append": self.append,
            "memory_mib": self.memory_mib,
            "disk": None if self.disk is None else str(self.disk),
            "qemu_args": self.qemu_args(),
            "ready_marker": "QXLD-GUEST-READY",
            "scratch_size": SCRATCH_SIZE,
            "scratch_args": [
                *("-drive", "file={file},format=raw,if=none,id=scratch"),
                *("-device", "virtio-blk-pci,drive=scratch,serial=qxld-scratch"),
            ],
        }
