"""QEMU 11.1, whatever the machine's own is (guest_drivers/images/newer_qemu.py)."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

__all__ = ["newer_qemu"]

ROOT = Path(__file__).resolve().parents[2]
RECIPE = ROOT / "guest_drivers" / "images" / "newer_qemu.py"


@functools.cache
def _programs() -> tuple[Path | None, str]:
    done = subprocess.run(
        [sys.executable, str(RECIPE)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return None, done.stderr.strip().rpartition("\n")[2]
    return Path(done.stdout.strip()), ""


def newer_qemu(variant: str = "") -> Path:
    """Return the program, built if need be.

    *variant* is empty (with a SPICE server of its own), ``plain`` (its SPICE modules
    are not installed) or ``microvm`` (built without SPICE).  What only root can unpack
    is not a fault of ours.
    """
    folder, complaint = _programs()
    if folder is None and os.geteuid() != 0:
        pytest.skip(complaint)
    assert folder is not None, complaint
    return folder / "-".join(filter(None, ["qemu-system-x86_64", variant]))
