"""The tiny guest: kernel and initramfs, a shell on the screen within seconds."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cache import IMAGES, cached, hash_of
from debian import candidate, download, need, run, unpack
from initramfs import Initramfs
from kernel import build_driver, get_kernel, load_order
from recipe import Recipe

if TYPE_CHECKING:
    from kernel import Kernel

__all__ = ["add_busybox", "add_modules", "build_tiny"]

_GUEST = IMAGES / "guest"
_FILES = {
    "init": "init",
    "etc/inittab": "inittab",
    "etc/start": "start",
    "etc/profile": "profile",
    "bin/screen-mode": "screen-mode",
    "bin/fbdump": "fbdump",
    "bin/driver": "driver",
}
# Scripts that the desktop guest has too.
_SHARED = ("scratch-disk", "serial-shell")

# The console can grow to this size and not beyond (pixels).
FBDEV_SIZE = "1920x1200"


def build_tiny(version: str) -> Recipe:
    """Build the tiny guest with Debian's kernel *version*.

    Raises:
        ImageError: something that it is made of is missing.

    """
    kernel = get_kernel(version)
    driver = build_driver(kernel)
    key = hash_of(
        kernel.release,
        str(driver),
        candidate("busybox-static"),
        *sorted(IMAGES.glob("*.py")),
        _GUEST / "tiny",
        *(_GUEST / name for name in _SHARED),
    )
    folder = cached(
        f"tiny-{version}", key, lambda work: _assemble(work, kernel, driver)
    )
    return Recipe(
        guest="tiny",
        kernel_release=kernel.release,
        kernel=kernel.image,
        initrd=folder / "initrd",
        append="console=ttyS0 quiet mitigations=off tsc=nowatchdog",
        memory_mib=384,
    )


def _assemble(work: Path, kernel: Kernel, driver: Path) -> None:
    initramfs = Initramfs()
    add_busybox(initramfs)
    modules = load_order(kernel, driver)
    add_modules(
        initramfs, modules, kernel.release, qxl_ivshmem=f"fbdev_size={FBDEV_SIZE}"
    )
    for folder in ("proc", "sys", "tmp", "run", "root"):
        initramfs.add_folder(folder)
    for name, source in _FILES.items():
        initramfs.add_copy(name, _GUEST / "tiny" / source)
    for name in _SHARED:
        initramfs.add_copy(f"bin/{name}", _GUEST / name)
    initramfs.add_file("bin/qxld-pointer", _compile_pointer(kernel), executable=True)
    initramfs.write(work / "initrd")


def _compile_pointer(kernel: Kernel) -> bytes:
    need("gcc", "gcc")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "qxld-pointer"
        # The kernel's own copy of its user space headers still says __user.
        options = ["-O2", "-static", "-s", "-D__user=", "-idirafter", str(kernel.uapi)]
        run("gcc", *options, "-o", program, _GUEST / "tiny/qxld-pointer.c")
        return program.read_bytes()


def add_busybox(initramfs: Initramfs) -> None:
    """Add Debian's static busybox and a link per applet."""
    with tempfile.TemporaryDirectory() as folder:
        (deb,) = download(Path(folder), "busybox-static")
        unpack(deb, Path(folder), lambda name: name.endswith("bin/busybox"))
        (busybox,) = Path(folder).rglob("busybox")
        initramfs.add_copy("bin/busybox", busybox)
        for applet in run(busybox, "--list").split():
            if applet != "busybox":
                initramfs.add_link(f"bin/{applet}", "busybox")


def add_modules(
    initramfs: Initramfs, modules: dict[str, bytes], release: str, **arguments: str
) -> None:
    """Add *modules* and ``/lib/modules/load``: file and arguments per line."""
    lines = []
    for name, content in modules.items():
        initramfs.add_file(f"lib/modules/{release}/{name}.ko", content)
        lines.append(f"{name}.ko {arguments.get(name, '')}".rstrip())
    initramfs.add_file("lib/modules/load", "\n".join([*lines, ""]).encode())
