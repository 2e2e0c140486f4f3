"""Tell that clients can connect: in words, and in the files asked for."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING

from qxld.private_file import check_writable, write_private
from qxld.settings import client_host, password
from qxld.vv_file import write_vv

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qxld.config import SpiceConfig

__all__ = ["Announcement", "say", "uris"]


def say(line: str) -> None:
    """Print a line; a standard output that is closed or full ends nothing."""
    with contextlib.suppress(OSError):
        print(line, flush=True)


def uris(spice: SpiceConfig) -> list[str]:
    """Return the addresses that a client on this host can use."""
    host = client_host(spice.addr)
    host = f"[{host}]" if ":" in host else host
    found = []
    if spice.port:
        found.append(f"spice://{host}:{spice.port}")
    if spice.tls_port:
        found.append(f"spice://{host}?tls-port={spice.tls_port}")
    if spice.unix:
        found.append(f"spice+unix://{spice.unix.absolute()}")
    return found


class Announcement:
    """What is told, and where."""

    def __init__(
        self, spice: SpiceConfig, *, vv: Path | None = None, state: Path | None = None
    ) -> None:
        """Tell of *spice*; into a .vv file and a state file if they are given.

        Raises:
            QxldError: a file cannot be written.

        """
        self._spice = spice
        self._vv = vv
        self._state = state
        for path in (vv, state):
            if path is not None:
                check_writable(path)

    def forget(self) -> None:
        """Remove the state file that a qxld left which was killed."""
        if self._state is not None and self._state.is_file():
            self._state.unlink()

    def write_vv(self) -> None:
        """Write the .vv file.

        Raises:
            QxldError: it cannot be written.

        """
        if self._vv is not None:
            write_vv(self._vv, self._spice, password(self._spice))

    @contextlib.contextmanager
    def made(self, monitor: Path, qemu_pid: int | None = None) -> Iterator[None]:
        """Tell now that clients can connect; the state file goes afterwards.

        Raises:
            QxldError: the state file cannot be written.

        """
        found = uris(self._spice)
        if self._state is not None:
            state = {
                "pid": os.getpid(),
                "qemu_pid": qemu_pid,
                "uris": found,
                "monitor": str(monitor),
            }
            write_private(self._state, json.dumps(state) + "\n")
        try:
            for uri in found:
                say(f"SPICE: {uri}")
            say(f"monitor: {monitor}")
            yield
        finally:
            self.forget()
