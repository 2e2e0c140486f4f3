"""Tell that clients can connect: in words, and in the files asked for."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING

from qxld.private_file import check_writable, write_private
from qxld.settings import client_host, password
from qxld.vv_file import write_vv
from spice_server.websocket.pages import START_PAGE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qxld.config import SpiceConfig

__all__ = ["Announcement", "page_urls", "say", "uris"]


def say(line: str) -> None:
    """Print a line; a standard output that is closed or full ends nothing."""
    with contextlib.suppress(OSError):
        print(line, flush=True)


def uris(spice: SpiceConfig) -> list[str]:
    """Return the addresses that a client on this host can use."""
    host = _host(spice)
    found = []
    if spice.port:
        found.append(f"spice://{host}:{spice.port}")
    if spice.tls_port:
        found.append(f"spice://{host}?tls-port={spice.tls_port}")
    if spice.unix:
        found.append(f"spice+unix://{spice.unix.absolute()}")
    return found


def page_urls(spice: SpiceConfig) -> list[str]:
    """Return the pages that a browser on this host can open; they connect at once."""
    if spice.html5 is None:
        return []
    host, found = _host(spice), []
    # A page connects the way it came, and some channels may want TLS.
    if spice.port and not spice.tls_channels:
        found.append(f"http://{host}:{spice.port}/{START_PAGE}")
    if spice.tls_port:
        found.append(f"https://{host}:{spice.tls_port}/{START_PAGE}")
    return found


def _host(spice: SpiceConfig) -> str:
    host = client_host(spice.addr)
    return f"[{host}]" if ":" in host else host


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
            for url in page_urls(self._spice):
                say(f"browser: {url}")
            say(f"monitor: {monitor}")
            yield
        finally:
            self.forget()
