"""Files that only their owner may read, there as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING

from qxld.errors import QxldError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["check_writable", "write_private"]


def check_writable(path: Path) -> None:
    """Find out early that :func:`write_private` would fail.

    Raises:
        QxldError: it would.

    """
    folder = path.absolute().parent
    if not folder.is_dir():
        raise QxldError(f"{path}: there is no folder {folder}")
    if not os.access(folder, os.X_OK) or (
        _is_plain(path) and not os.access(folder, os.W_OK)
    ):
        raise QxldError(f"{path}: nothing can be written in {folder}")
    if path.is_dir():
        raise QxldError(f"{path}: is a folder")


def write_private(path: Path, text: str) -> None:
    """Write *text*, in place of what is there; mode 0600.

    Raises:
        QxldError: the file cannot be written; what was there is there still.

    """
    try:
        if _is_plain(path):
            _replace(path, text)
        else:  # a terminal, a pipe
            with path.open("w", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise QxldError(f"{path}: {error.strerror or error}") from error


def _is_plain(path: Path) -> bool:
    return path.is_file() or path.is_dir() or not path.exists()


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        partial.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise
