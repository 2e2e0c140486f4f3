"""Debian's kernels for guests: image, headers, our module, and the modules it needs."""

from __future__ import annotations

import lzma
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cache import REPOSITORY, cached, hash_of
from debian import candidate, depends, download, need, run, unpack
from errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "DRIVER",
    "HEADERS",
    "KERNELS",
    "Kernel",
    "build_driver",
    "get_kernel",
    "load_order",
]

KERNELS = ("6.1", "6.12")
DRIVER = REPOSITORY / "guest_drivers" / "linux" / "qxl-ivshmem"
HEADERS = REPOSITORY / "guest_drivers" / "include"

# Meta-packages that may lead to a kernel of a version, in order of preference.
_META = {
    "6.1": ("linux-{}-amd64", "linux-{}-6.1-amd64"),
    "6.12": ("linux-{}-6.12-amd64", "linux-{}-amd64"),
}

# What every guest loads, in this order; what these need comes before them.  Modules
# that a kernel has built in are skipped.
MODULES = (
    "virtio_pci",
    "virtio_blk",
    "virtio_console",
    "crc32c_generic",  # ext4 asks for it by a name that is not a module
    "ext4",
    "evdev",
    "psmouse",
    "uhci_hcd",
    "ehci_pci",
    "xhci_pci",
    "usbhid",
    "hid_generic",
    "virtio_input",
    "qxl_ivshmem",
)

# Folders of the kernel package that hold them and what they need.
_FOLDERS = re.compile(
    r"(usr/)?lib/modules/[^/]+/"
    r"(modules\.builtin$|kernel/(fs/(ext4|jbd2|mbcache)|lib/|crypto/|arch/x86/crypto/"
    r"|drivers/(virtio|block|char|hid|input|usb/(core|common|host|storage)|i2c|media/cec"
    r"|media/rc|video|gpu/drm/[^/]+\.ko|gpu/drm/(display|qxl|ttm)|cdrom"
    r"|scsi/(scsi_common|scsi_mod|sr_mod)\.ko)))"
)
_IMAGE = re.compile(r"boot/vmlinuz-")


@dataclass(slots=True, frozen=True)
class Kernel:
    """A Debian kernel, unpacked as far as guests need it."""

    release: str
    """What ``uname -r`` says."""
    image: Path
    modules: Path
    """The folder that holds ``*.ko[.xz]``."""
    headers: Path
    """The build folder for out-of-tree modules."""
    uapi: Path
    """Headers of user space, for the DRM ioctls."""


def _package(kind: str, version: str) -> str:
    prefix = f"linux-{kind}-{version}."
    for meta in _META[version]:
        try:
            names = depends(meta.format(kind))
        except ImageError:
            continue
        for name in names:
            if name.startswith(prefix):
                return name
    raise ImageError(
        f"apt has no package linux-{kind} for Linux {version}: run apt-get update, or add"
        " the suite that has it"
    )


def get_kernel(version: str) -> Kernel:
    """Return Debian's kernel *version* (``6.1`` or ``6.12``).

    Raises:
        ImageError: apt has none, or cannot download it.

    """
    image = _package("image", version)
    headers = _package("headers", version)
    key = hash_of(image, candidate(image), headers, candidate(headers), Path(__file__))
    folder = cached(
        f"kernel-{version}", key, lambda work: _unpack(work, image, headers)
    )
    release = image.removeprefix("linux-image-")
    return Kernel(
        release=release,
        image=folder / f"boot/vmlinuz-{release}",
        modules=folder / "modules",
        headers=folder / f"usr/src/linux-headers-{release}",
        uapi=next(folder.glob("usr/src/linux-headers-*-common*")) / "include/uapi",
    )


def _unpack(work: Path, image: str, headers: str) -> None:
    parts = [
        name
        for name in depends(headers)
        if re.match("linux-(headers|kbuild|comp)", name)
    ]
    for deb in download(work, headers, *parts):
        run("dpkg", "-x", deb, work)
        deb.unlink()
    _fix_headers(work, headers)
    (deb,) = download(work, image)
    unpack(deb, work, lambda name: bool(_IMAGE.match(name) or _FOLDERS.match(name)))
    deb.unlink()
    (work / "modules").mkdir()
    for path in [
        *work.glob("**/lib/modules/*/kernel"),
        *work.glob("**/modules.builtin"),
    ]:
        path.rename(work / "modules" / path.name)


def _fix_headers(work: Path, headers: str) -> None:
    build = work / "usr/src" / headers
    makefile = build / "Makefile"
    # It includes the common tree by the path it is meant to be installed at.
    common = os.path.relpath(work / "usr/src", build)
    text = makefile.read_text().replace(
        "/usr/src/", f"$(dir $(lastword $(MAKEFILE_LIST))){common}/"
    )
    makefile.write_text(text)
    # With it there kbuild wants pahole, for type information that nobody needs here.
    (build / "vmlinux").unlink(missing_ok=True)


def build_driver(kernel: Kernel) -> Path:
    """Return ``qxl_ivshmem.ko`` for *kernel*.

    Raises:
        ImageError: it does not compile, or make or the compiler is missing.

    """
    key = hash_of(kernel.release, str(kernel.headers), DRIVER, HEADERS)
    name = f"driver-{kernel.release}"
    return cached(name, key, lambda work: _compile(work, kernel)) / "qxl_ivshmem.ko"


def _compile(work: Path, kernel: Kernel) -> None:
    need("make", "make")
    variables = (kernel.headers / ".kernelvariables").read_text()
    for compiler in re.findall(r"\)(gcc-\d+)", variables):
        need(compiler, compiler)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "driver"
        shutil.copytree(DRIVER, source)
        shutil.copytree(HEADERS, source / "include")
        run("make", "-s", "-j2", "-C", kernel.headers, f"M={source}", "W=1", "modules")
        module = source / "qxl_ivshmem.ko"
        run("strip", "--strip-debug", module)
        shutil.copy(module, work)


def _content(path: Path) -> bytes:
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def _needs(content: bytes) -> list[str]:
    match = re.search(rb"\0depends=([^\0]*)\0", content)
    names = match[1].decode().replace("-", "_") if match else ""
    return names.split(",") if names else []


def load_order(
    kernel: Kernel, driver: Path, more: Iterable[str] = ()
) -> dict[str, bytes]:
    """Return the modules of a guest by name, each after those it needs.

    *more* come before our driver, the last one.

    Raises:
        ImageError: a module is neither there nor built in.

    """
    found = {_name(path): path for path in kernel.modules.rglob("*.ko*")}
    found["qxl_ivshmem"] = driver
    builtin = {
        _name(Path(line))
        for line in (kernel.modules / "modules.builtin").read_text().split()
    }
    order: dict[str, bytes] = {}

    def add(name: str) -> None:
        if name in order or name in builtin:
            return
        if name not in found:
            raise ImageError(f"Linux {kernel.release} has no module {name}")
        content = _content(found[name])
        for needed in _needs(content):
            add(needed)
        order[name] = content

    *first, ours = MODULES
    for name in (*first, *more, ours):
        add(name)
    return order


def _name(path: Path) -> str:
    return path.name.partition(".")[0].replace("-", "_")
