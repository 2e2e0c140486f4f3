"""The folder of a qxld's sockets."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from qxld.errors import QxldError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MAX_SOCKET_PATH", "qemu_monitor_path", "runtime_dir"]

MAX_SOCKET_PATH = 107
"""Longest path of a unix socket on Linux (sun_path less its NUL)."""

_QEMU_MONITOR = "qemu-monitor.sock"
"""The longest of the names there."""


def qemu_monitor_path(folder: Path) -> Path:
    """Return where QEMU's own QMP socket is unless the user says otherwise."""
    return folder / _QEMU_MONITOR


@contextlib.contextmanager
def runtime_dir(wanted: Path | None) -> Iterator[Path]:
    """Give the folder *wanted*, made if need be, or a fresh one that is removed.

    Raises:
        QxldError: it cannot be made or used, its path is too long for sockets, or
            another qxld uses it.

    """
    fresh = wanted is None
    try:
        if wanted is None:
            base = os.environ.get("XDG_RUNTIME_DIR")
            folder = Path(tempfile.mkdtemp(prefix="qxld-", dir=base or None))
        else:
            folder = wanted.absolute()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise QxldError(_why(wanted, error)) from error
    try:
        with _locked(folder):
            yield folder
    finally:
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)


def _why(wanted: Path | None, error: OSError) -> str:
    if wanted is not None and isinstance(error, FileExistsError):
        return f"runtime folder {wanted}: it exists and is no folder"
    return f"runtime folder {wanted or error.filename}: {error.strerror}"


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep others out; the lock goes with the process, however it ends."""
    if len(os.fsencode(qemu_monitor_path(folder))) > MAX_SOCKET_PATH:
        raise QxldError(f"runtime folder {folder}: too long a path for unix sockets")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise QxldError(f"runtime folder {folder}: nothing can be written there")
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise QxldError(f"runtime folder {folder}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise QxldError(f"runtime folder {folder}: another qxld uses it") from error
    try:
        yield
    finally:
        os.close(descriptor)
