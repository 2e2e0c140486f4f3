"""The desktop guest: Debian 12 with Xorg, icewm, xterm and spice-vdagent.

Its disk knows no kernel: image and modules come from the initramfs, so a changed driver
or another kernel does not mean a new disk.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cache import IMAGES, REPOSITORY, cached, hash_of
from debian import mirrors, need, run
from errors import ImageError
from initramfs import Initramfs
from kernel import build_driver, get_kernel, load_order
from recipe import Recipe
from tiny import add_busybox, add_modules

if TYPE_CHECKING:
    from pathlib import Path

    from kernel import Kernel

__all__ = ["build_desktop"]

_GUEST = IMAGES / "guest" / "desktop"
_RULES = REPOSITORY / "guest_drivers" / "linux" / "70-qxl-vdiport.rules"
_SUITE = "bookworm"
_PACKAGES = (
    # a system with login sessions
    "systemd-sysv,libpam-systemd,dbus,udev,kmod,procps,psmisc,perl-base,login,passwd,"
    # X: server, the tools that tests use, a window manager, a terminal
    "xserver-xorg-core,xserver-xorg-input-libinput,xinit,x11-xserver-utils,x11-utils,"
    "x11-apps,xdotool,xfonts-base,xterm,icewm,"
    # the guest's agent, what tests ask it with, and the daemon of shared folders
    "spice-vdagent,xclip,spice-webdavd,curl"
)
# The agent's pointer; redirected CDs; QEMU's own display, which ours is compared with.
_MODULES = ("uinput", "usb_storage", "sr_mod", "qxl")
# The server loads no GL driver; these are most of what would be on the disk.
_EXCLUDES = (
    "/usr/share/doc/*",
    "/usr/share/man/*",
    "/usr/share/info/*",
    "/usr/share/locale/*",
    "/usr/lib/*/libLLVM*",
    "/usr/lib/*/dri/*",
)
_DISK_SIZE = "1G"


def build_desktop(version: str) -> Recipe:
    """Build the desktop guest with Debian's kernel *version*.

    Raises:
        ImageError: something that it is made of is missing.

    """
    kernel = get_kernel(version)
    driver = build_driver(kernel)
    disk = _disk()
    key = hash_of(
        kernel.release,
        str(driver),
        *sorted(IMAGES.glob("*.py")),
        _GUEST / "init",
    )
    name = f"desktop-initrd-{version}"
    folder = cached(name, key, lambda work: _write_initrd(work, kernel, driver))
    return Recipe(
        guest="desktop",
        kernel_release=kernel.release,
        kernel=kernel.image,
        initrd=folder / "initrd",
        append="console=ttyS0 quiet mitigations=off tsc=nowatchdog",
        memory_mib=768,
        disk=disk,
    )


def _write_initrd(work: Path, kernel: Kernel, driver: Path) -> None:
    initramfs = Initramfs()
    add_busybox(initramfs)
    add_modules(initramfs, load_order(kernel, driver, _MODULES), kernel.release)
    for folder in ("proc", "sys", "root"):
        initramfs.add_folder(folder)
    initramfs.add_copy("init", _GUEST / "init")
    initramfs.write(work / "initrd")


def _disk() -> Path:
    shared = [IMAGES / "guest" / name for name in ("scratch-disk", "serial-shell")]
    words = (_SUITE, _PACKAGES, *_EXCLUDES, _DISK_SIZE)
    key = hash_of(*words, _GUEST / "setup", _GUEST / "root", _RULES, *shared)
    return (
        cached("desktop-disk", key, lambda work: _make_disk(work, shared)) / "disk.img"
    )


def _make_disk(work: Path, shared: list[Path]) -> None:
    if os.geteuid() != 0:
        raise ImageError("the disk's files belong to root: build it as root")
    need("mmdebstrap", "mmdebstrap")
    need("mke2fs", "e2fsprogs")
    root = work / "root"
    options = [f"--dpkgopt=path-exclude={path}" for path in _EXCLUDES]
    copies = [f"--customize-hook=copy-in {path} /usr/local/bin" for path in shared]
    run(
        "mmdebstrap",
        "--mode=root",
        "--variant=essential",
        f"--include={_PACKAGES}",
        "--aptopt=Apt::Install-Recommends false",
        *options,
        f"--customize-hook=sync-in {_GUEST / 'root'} /",
        *copies,
        f"--customize-hook=copy-in {_RULES} /etc/udev/rules.d",
        f'--customize-hook={_GUEST / "setup"} "$1"',
        _SUITE,
        root,
        *_sources(),
    )
    run(
        "mke2fs",
        "-q",
        "-F",
        "-t",
        "ext4",
        "-O",
        "^has_journal",
        "-d",
        root,
        work / "disk.img",
        _DISK_SIZE,
    )
    run("rm", "-rf", "--one-file-system", root)


def _sources() -> list[str]:
    lines = [line for line in mirrors() if line.split()[2].startswith(_SUITE)]
    if lines:
        return lines
    # Another suite's machine: its mirror has ours as well.
    return [f"deb {mirrors()[0].split()[1]} {_SUITE} main"]
