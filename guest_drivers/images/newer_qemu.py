#!/usr/bin/env python3
"""QEMU 11.1 on Debian 12: unpacked from a newer Debian's backports, not installed.

Prints the folder of three programs to run in place of the machine's own QEMU:

* ``qemu-system-x86_64`` has its own SPICE server;
* ``qemu-system-x86_64-plain`` is the same without its SPICE modules, as a machine
  without Debian's package qemu-system-modules-spice has it;
* ``qemu-system-x86_64-microvm`` was built without SPICE.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cache import cached, hash_of
from debian import need, run
from errors import ImageError

__all__ = ["build_newer_qemu", "main"]

_SUITE = "trixie"
_PACKAGES = "qemu-system-x86,qemu-system-modules-spice"
_LIBRARIES = "usr/lib/x86_64-linux-gnu"
_MODULES = f"{_LIBRARIES}/qemu"
_PLAIN_MODULES = "plain-modules"
_KEPT = ("qemu", "seabios", "ipxe", "alsa")

# The loader is given because the libraries are not the machine's.  Modules that are not
# in QEMU_MODULE_DIR, QEMU looks for where the machine has them; it takes none of
# another build and says so.
_PROGRAM = """\
#!/bin/sh
root=$(cd "$(dirname "$0")/../root" && pwd)
export QEMU_MODULE_DIR="$root/{modules}"
exec "$root/{libraries}/ld-linux-x86-64.so.2" --library-path "$root/{libraries}" \\
    "$root/usr/bin/{program}" -L "$root/usr/share/qemu" -L "$root/usr/share/seabios" \\
    -L "$root/usr/lib/ipxe/qemu" "$@"
"""


def build_newer_qemu() -> Path:
    """Unpack QEMU unless it is cached; the folder of its programs.

    Raises:
        ImageError: something that this takes is missing.

    """
    key = hash_of(Path(__file__))
    return cached("qemu-newer", key, _build) / "bin"


def _build(work: Path) -> None:
    need("mmdebstrap", "mmdebstrap")
    root = work / "root"
    mirror = _mirror()
    run(
        "mmdebstrap",
        "--variant=extract",
        "--architectures=amd64",
        f"--include={_PACKAGES}",
        "--aptopt=Apt::Install-Recommends false",
        f'--aptopt=APT::Default-Release "{_SUITE}-backports"',
        _SUITE,
        root,
        f"deb {mirror} {_SUITE} main",
        f"deb {mirror} {_SUITE}-backports main",
    )
    _trim(root)
    plain = root / _PLAIN_MODULES
    plain.mkdir()
    for module in (root / _MODULES).iterdir():
        if "spice" not in module.name and "qxl" not in module.name:
            plain.joinpath(module.name).hardlink_to(module)
    _write(work, "qemu-system-x86_64", "qemu-system-x86_64", _MODULES)
    _write(work, "qemu-system-x86_64-plain", "qemu-system-x86_64", _PLAIN_MODULES)
    _write(work, "qemu-system-x86_64-microvm", "qemu-system-x86_64-microvm", _MODULES)


def _mirror() -> str:
    """Return the Debian mirror of this machine; it has the other suites as well."""
    sites = run(
        "apt-get", "indextargets", "--format", "$(SITE)", "Label: Debian"
    ).split()
    if not sites:
        raise ImageError("apt has no Debian mirror: run apt-get update")
    return sites[0]


def _trim(root: Path) -> None:
    """Remove what is not needed to run QEMU."""
    unneeded = [path for path in root.iterdir() if path.name != "usr"]
    unneeded += [
        path
        for path in (root / "usr").iterdir()
        if path.name not in {"bin", "lib", "share"}
    ]
    unneeded += [
        path for path in (root / "usr/share").iterdir() if path.name not in _KEPT
    ]
    unneeded += [
        path
        for path in (root / "usr/bin").iterdir()
        if not path.name.startswith("qemu-system-x86_64")
    ]
    run("rm", "-rf", "--one-file-system", *unneeded)


def _write(work: Path, name: str, program: str, modules: str) -> None:
    """Write a script that runs *program* with its *modules*."""
    path = work / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        _PROGRAM.format(modules=modules, libraries=_LIBRARIES, program=program)
    )
    path.chmod(0o755)


def main() -> int:
    """Print the folder; 1 if there can be none."""
    try:
        folder = build_newer_qemu()
    except (ImageError, OSError) as error:
        print(f"build-image: newer QEMU: {error}", file=sys.stderr)
        return 1
    print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
