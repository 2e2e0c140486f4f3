"""What clients show at the end of a recorded desktop: libspice-server is the judge.

Every stream is played to a server with clients that look on from its beginning and
others that come after its end.  Pieces of the streams by default; those in the folder
``$QXLD_STREAMS`` to their ends (``make streams``).
"""

from __future__ import annotations

import contextlib
import time
from functools import cache
from typing import TYPE_CHECKING, Protocol, Self

import pytest

from tests.peers import gtk_client, recorded_streams, spice_server_replay
from tests.peers.gtk_client import GtkClient
from tests.peers.headless_client import HeadlessClient
from tests.peers.picture_difference import difference
from tests.peers.programs import Picture
from tests.peers.qxld_replay import QxldReplay
from tests.peers.recorded_streams import PIECES, SAMPLES, cut, full_streams
from tests.peers.spice_server_replay import SpiceServerReplay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ABSENT = (
    gtk_client.missing() or spice_server_replay.missing() or recorded_streams.missing()
)
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(ABSENT is not None, reason=str(ABSENT)),
]

MODES = ("off", "quic", "lz", "glz", "lz4", "auto_lz", "auto_glz")
EVERYWHERE = "image-ums"
"""The piece that is played in every mode; the others in the default one."""
SECONDS = 10.0
"""A client whose picture is wrong and that long the same has no other one to come."""


class Looker(Protocol):
    """A client that can be asked what it shows."""

    def wait_picture(self) -> None:
        """Wait until it shows something."""

    def picture(self) -> Picture | None:
        """Return what it shows."""


class Gtk:
    """spice-gtk."""

    def __init__(self, port: int, folder: Path) -> None:
        self._client = GtkClient(host="127.0.0.1", port=str(port))
        self._folder = folder
        self.wait_picture = self._client.wait_picture
        # Not before its display channel can take in what is played.
        self._client.wait("channel", channel="display:0", event="opened")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def picture(self) -> Picture | None:
        width, height, pixels = self._client.picture(self._folder)
        return Picture.from_bgrx(width, height, pixels) if width else None


def settle(client: Looker, expected: Picture, faults: list[str], who: str) -> None:
    """Wait until *client* shows what is *expected*, or note what it shows instead."""
    fault, shown = "", None
    changed = time.monotonic()
    while time.monotonic() - changed < SECONDS:
        before, shown = shown, client.picture()
        fault = difference(shown, expected)
        if not fault:
            return
        if shown != before:
            changed = time.monotonic()
        time.sleep(0.1)
    faults.append(f"{who}: {fault}")


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, str], Picture]:
    """Return how to ask libspice-server for the last picture of a stream."""

    @cache
    def judge(stream: Path, mode: str) -> Picture:
        folder = tmp_path_factory.mktemp("judge")
        with SpiceServerReplay(stream, mode) as server:
            server.wait_up()
            with Gtk(server.port, folder) as early:
                server.wait_played()
                with Gtk(server.port, folder) as late:
                    late.wait_picture()
                    picture = late.picture()
                assert picture
                faults: list[str] = []
                settle(early, picture, faults, "libspice-server's own client")
        assert not faults
        return picture

    return judge


@contextlib.contextmanager
def lookers(port: int, folder: Path, when: str) -> Iterator[dict[str, Looker]]:
    """Connect one client of each kind."""
    with Gtk(port, folder) as gtk, HeadlessClient(port) as headless:
        yield {f"spice-gtk, {when}": gtk, f"our client, {when}": headless}


def compare(stream: Path, mode: str, expected: Picture, folder: Path) -> list[str]:
    """Play *stream* to qxld and its clients; say what they show that is wrong."""
    faults: list[str] = []
    with QxldReplay(stream, mode, "--linger", 3600, clients=2) as server:
        server.wait_up()
        with lookers(server.port, folder, "from the beginning") as early:
            for who, client in early.items():
                settle(client, expected, faults, who)
            with lookers(server.port, folder, "after the end") as late:
                for who, client in late.items():
                    client.wait_picture()
                    settle(client, expected, faults, who)
    return faults


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return how to cut a piece off a stream, once."""
    folder = tmp_path_factory.mktemp("pieces")
    return cache(lambda name: cut(name, folder))


CASES = [(EVERYWHERE, mode) for mode in MODES]
CASES += [(name, "auto_glz") for name in PIECES if name != EVERYWHERE]


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_piece(name, mode, pieces, judged, tmp_path) -> None:
    stream = pieces(name)
    assert not compare(stream, mode, judged(stream, "off"), tmp_path)


@pytest.mark.parametrize("mode", ["off", "auto_glz"])
@pytest.mark.parametrize(
    "stream", sorted(SAMPLES.glob("*.qxlrec*")), ids=lambda path: path.name
)
def test_sample(stream, mode, judged, tmp_path) -> None:
    assert not compare(stream, mode, judged(stream, "off"), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("stream", full_streams(), ids=lambda path: path.name)
def test_whole_stream(stream, mode, judged, tmp_path) -> None:
    assert not compare(stream, mode, judged(stream, mode), tmp_path)
