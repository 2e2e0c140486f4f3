"""Clients that look on while a recorded desktop is played, and what they should show."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING, Protocol, Self

from tests.peers import gtk_client, spice_server_replay
from tests.peers.gtk_client import GtkClient
from tests.peers.picture_difference import difference
from tests.peers.programs import Picture
from tests.peers.spice_server_replay import SpiceServerReplay

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Gtk", "Looker", "judged", "missing", "settle"]

SECONDS = 10.0
"""A client whose picture is wrong and that long the same has no other one to come."""


def missing() -> str | None:
    """Why nobody can be asked here, if so."""
    return gtk_client.missing() or spice_server_replay.missing()


class Looker(Protocol):
    """A client that can be asked what it shows."""

    def wait_picture(self) -> None:
        """Wait until it shows something."""

    def picture(self) -> Picture | None:
        """Return what it shows."""


class Gtk:
    """spice-gtk; a context manager."""

    def __init__(self, port: int, folder: Path) -> None:
        """Connect, and wait until its display channel can take in what is played."""
        self._client = GtkClient(host="127.0.0.1", port=str(port))
        self._folder = folder
        self._client.wait("channel", channel="display:0", event="opened")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def wait_picture(self) -> None:
        """Wait until it shows something."""
        self._client.wait_picture()

    def picture(self) -> Picture | None:
        """Return what it shows; ``None``: it has no surface."""
        width, height, pixels = self._client.picture(self._folder)
        return Picture.from_bgrx(width, height, pixels) if width else None


def settle(client: Looker, expected: Picture, who: str) -> list[str]:
    """Wait until *client* shows what is *expected*; else say what it shows instead."""
    fault, shown = "", None
    changed = time.monotonic()
    while time.monotonic() - changed < SECONDS:
        before, shown = shown, client.picture()
        fault = difference(shown, expected)
        if not fault:
            return []
        if shown != before:
            changed = time.monotonic()
        time.sleep(0.1)
    return [f"{who}: {fault}"]


@cache
def judged(stream: Path, mode: str, folder: Path) -> Picture:
    """Ask spice-gtk and libspice-server for the last picture of a stream."""
    with SpiceServerReplay(stream, mode) as server:
        server.wait_up()
        with Gtk(server.port, folder) as early:
            server.wait_played()
            with Gtk(server.port, folder) as late:
                late.wait_picture()
                picture = late.picture()
            assert picture
            faults = settle(early, picture, "libspice-server's own client")
    assert not faults
    return picture
