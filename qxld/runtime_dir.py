"""The folder of a qxld's sockets."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from qxld.errors import QxldError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MAX_SOCKET_PATH", "runtime_dir"]

MAX_SOCKET_PATH = 107
"""Longest path of a unix socket on Linux (sun_path less its NUL)."""

_LONGEST_NAME = "/qemu-monitor.sock"


@contextlib.contextmanager
def runtime_dir(wanted: Path | None) -> Iterator[Path]:
    """Give the folder *wanted*, made if need be, or a fresh one that is removed.

    Raises:
        QxldError: it cannot be made, or its path is too long for sockets.

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
        raise QxldError(f"{error.filename}: {error.strerror}") from error
    if len(os.fsencode(folder)) + len(_LONGEST_NAME) > MAX_SOCKET_PATH:
        raise QxldError(f"{folder}: too long a path for unix sockets")
    try:
        yield folder
    finally:
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)
