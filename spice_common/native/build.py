"""Describe the C core to cffi: every header in ``include/`` is its own cdef.

The headers are the single declaration of each function.  The compiler includes them
and cffi parses them, so a signature cannot drift between C and Python.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PACKAGES = ["pixman-1", "liblz4", "libturbojpeg", "zlib"]
HEADERS = sorted((HERE / "include").glob("*.h"))
SOURCES = sorted((HERE / "src").glob("*.c"))

_WARNINGS = [
    "-Wall", "-Wextra", "-Wconversion", "-Wvla", "-Wstrict-prototypes", "-Werror=vla",
]  # fmt: skip
# Raster operations are loops over bytes: without vectors a 20th as fast.
_OPTIMIZE = ["-O3", "-std=c11", "-fvisibility=hidden", "-fno-strict-aliasing"]
_SANITIZE = [
    "-O1", "-g", "-std=c11", "-fno-omit-frame-pointer", "-fno-strict-aliasing",
    "-fsanitize=address,undefined",
]  # fmt: skip


def cdef(header: Path) -> str:
    """Return the declarations of *header* without preprocessor lines."""
    text = header.read_text(encoding="utf-8")
    return re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)


def pkg_config(option: str, *packages: str) -> list[str]:
    """Ask pkg-config for the flags of *packages*."""
    command = ["pkg-config", option, *packages]
    try:
        return shlex.split(subprocess.check_output(command, text=True))
    except (OSError, subprocess.CalledProcessError) as error:
        message = f"{' '.join(packages)}: development files are missing ({error})"
        raise SystemExit(message) from error


sanitize = bool(os.environ.get("NATIVE_SANITIZE"))
ffibuilder = FFI()
for header in HEADERS:
    ffibuilder.cdef(cdef(header))
ffibuilder.set_source(
    "spice_common._native",
    "\n".join(f'#include "{header.name}"' for header in HEADERS),
    sources=[str(source.relative_to(ROOT)) for source in SOURCES],
    include_dirs=[str(HERE / "include"), str(HERE / "src")],
    extra_compile_args=[
        *_WARNINGS,
        *(_SANITIZE if sanitize else _OPTIMIZE),
        *pkg_config("--cflags", *PACKAGES, "spice-protocol"),
    ],
    extra_link_args=[
        *(["-fsanitize=address,undefined"] if sanitize else []),
        *pkg_config("--libs", *PACKAGES),
        "-lm",
    ],
)

if __name__ == "__main__":
    # The name that a wheel gives it, too; Python would prefer one with a version tag.
    for stale in (ROOT / "spice_common").glob("_native.cpython-*.so"):
        stale.unlink()
    ffibuilder.compile(tmpdir=str(ROOT), target="_native.abi3.so", verbose=True)
