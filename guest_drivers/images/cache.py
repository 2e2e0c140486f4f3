"""Things built once: a folder per recipe hash, published whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["CACHE", "IMAGES", "REPOSITORY", "cached", "hash_of", "say"]

IMAGES = Path(__file__).resolve().parent
REPOSITORY = IMAGES.parent.parent
CACHE = REPOSITORY / "build" / "cache"

# An entry that nobody asked for this long is an old recipe's (seconds).
STALE_AFTER = 24 * 3600


def say(text: str) -> None:
    """Show progress; standard output belongs to the result."""
    print(f"build-image: {text}", file=sys.stderr, flush=True)


def hash_of(*parts: str | Path) -> str:
    """Hash words and files (a folder: every file below it, by name and content)."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            digest.update(f"word {part}\n".encode())
            continue
        for path in _files(part):
            content = path.read_bytes()
            mode = path.stat().st_mode & 0o111
            digest.update(f"file {path.relative_to(part.parent)} {mode}\n".encode())
            digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()[:16]


def _files(path: Path) -> Iterable[Path]:
    if path.is_file():
        return [path]
    return sorted(
        p for p in path.rglob("*") if p.is_file() and "__pycache__" not in str(p)
    )


@contextlib.contextmanager
def _locked(name: str) -> Iterator[None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f".{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another build of {name}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def cached(name: str, key: str, build: Callable[[Path], None]) -> Path:
    """Return the folder ``name-key``, made by *build* if it is not there.

    Raises:
        ImageError: *build* raised it, or the disk is full.

    """
    final = CACHE / f"{name}-{key}"
    with _locked(name):
        if not final.is_dir():
            _build(name, final, build)
            _remove_stale(name, final)
        final.touch()
    return final


def _build(name: str, final: Path, build: Callable[[Path], None]) -> None:
    # Whoever left one was killed: the lock is ours.
    for left in CACHE.glob(f".{name}-*"):
        shutil.rmtree(left, ignore_errors=True)
    say(f"building {name}")
    started = time.monotonic()
    work = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=CACHE))
    work.chmod(0o755)
    try:
        build(work)
        work.rename(final)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise ImageError(f"no space left under {CACHE} for {name}") from error
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    say(f"built {name} in {time.monotonic() - started:.0f} s")


def _remove_stale(name: str, keep: Path) -> None:
    for path in CACHE.glob(f"{name}-*"):
        if path != keep and time.time() - path.stat().st_mtime > STALE_AFTER:
            shutil.rmtree(path, ignore_errors=True)
