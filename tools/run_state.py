"""What `make run` notes in build/run.json, and what `make stop` makes of it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stop(Exception):  # noqa: N818 - no error by itself
    """Ends the program with one line."""


def say(text: str) -> None:
    """Tell progress."""
    print(f"[run] {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def alone(build: Path) -> Iterator[None]:
    """Keep another `make run` from the same logs; the lock ends with the process."""
    with (build / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Stop("another `make run` is at work; end it first") from None
        yield


def read_state(build: Path) -> dict[str, Any] | None:
    """Return what run.json says, if it is there and makes sense."""
    try:
        state = json.loads((build / "run.json").read_text())
        int(state["pids"][0])
        str(state["runtime_dir"])
    except FileNotFoundError:
        return None
    except (ValueError, LookupError, TypeError):
        (build / "run.json").unlink()
        return None
    found: dict[str, Any] = state
    return found


def lives(state: dict[str, Any], which: int) -> bool:
    """Whether a process of a run.json still lives, and is not another by now."""
    try:
        words = Path(f"/proc/{state['pids'][which]}/cmdline").read_bytes()
    except (OSError, IndexError):
        return False
    return os.fsencode(state["runtime_dir"]) in words


def clear_away(state: dict[str, Any], build: Path) -> None:
    """Remove what a run left, QEMU too."""
    for which, pid in enumerate(state["pids"]):
        if lives(state, which):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    shutil.rmtree(state["runtime_dir"], ignore_errors=True)
    (build / "run.json").unlink(missing_ok=True)
