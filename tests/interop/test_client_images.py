"""Our client and spice-gtk at one libspice-server: they show the same, in every mode.

The server plays pieces of recorded desktops to both; between them the modes send every
type of image there is, COMPOSITE, surfaces off the screen, and cached images.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from spice_protocol.enums import SpiceImageType
from spice_protocol.messages.display import DisplayMsg
from tests.peers import gtk_client, recorded_streams, spice_server_replay
from tests.peers.gtk_client import GtkClient
from tests.peers.headless_client import HeadlessClient
from tests.peers.picture_difference import difference
from tests.peers.programs import Picture, eventually
from tests.peers.spice_server_replay import SpiceServerReplay

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spice_common.client_canvas import ClientCounts

ABSENT = (
    gtk_client.missing() or spice_server_replay.missing() or recorded_streams.missing()
)
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(ABSENT is not None, reason=str(ABSENT)),
]

EXPECTED = {
    "off": SpiceImageType.BITMAP,
    "quic": SpiceImageType.QUIC,
    "lz": SpiceImageType.LZ_RGB,
    "glz": SpiceImageType.GLZ_RGB,
    "lz4": SpiceImageType.LZ4,
    "auto_lz": SpiceImageType.LZ_RGB,
    "auto_glz": SpiceImageType.GLZ_RGB,
    "zlib_glz": SpiceImageType.ZLIB_GLZ_RGB,
    "jpeg": SpiceImageType.JPEG,
}
"""An image type that a mode must have sent, or it did not show much."""
KILLS_GTK = ("desk-umsrich", "lz4")
STREAMS = ("desk-ums", "desk-umsrich", "image-ums")
SECONDS = 60.0
"""After which a client that does not show what it should never will."""


@pytest.fixture(scope="module")
def piece(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return how to cut a piece off a stream, once."""
    folder = tmp_path_factory.mktemp("pieces")
    return cache(lambda name: recorded_streams.cut(name, folder))


def wait_same(ours: HeadlessClient, judge: Callable[[], Picture]) -> None:
    """Wait until our client shows what the judge has."""

    def same() -> bool:
        expected = judge()
        return not difference(ours.picture(), expected) and expected.colors() > 100

    eventually("both show the same", same, SECONDS)


def both(stream: Path, mode: str, folder: Path) -> ClientCounts:
    """Let both clients look at *stream*; what ours was sent."""
    with SpiceServerReplay(stream, mode, clients=2) as server:
        server.wait_up()
        with (
            GtkClient(host="127.0.0.1", port=str(server.port)) as gtk,
            HeadlessClient(server.port) as ours,
        ):
            gtk.wait("channel", channel="display:0", event="opened")
            server.wait_played()
            gtk.wait_picture()
            wait_same(ours, lambda: Picture.from_bgrx(*gtk.picture(folder)))
            return ours.counts()


@pytest.mark.parametrize("mode", EXPECTED)
@pytest.mark.parametrize("name", STREAMS)
def test_both_show_the_same(name, mode, piece, tmp_path) -> None:
    if (name, mode) == KILLS_GTK:
        pytest.skip("spice-gtk dies of LZ4 with 8 bits of alpha, see below")
    counts = both(piece(name), mode, tmp_path)
    assert counts.images[EXPECTED[mode]][0] > 0
    if name == "desk-umsrich":
        assert counts.messages[DisplayMsg.DRAW_COMPOSITE][0] > 0
        assert counts.messages[DisplayMsg.SURFACE_CREATE][0] > 1
        assert counts.images[SpiceImageType.FROM_CACHE][0] > 0
        assert counts.images[SpiceImageType.SURFACE][0] > 0


def test_alpha_in_lz4(piece, tmp_path) -> None:
    """Each client looks on its own: ours at what spice-gtk does not survive."""
    stream = piece(KILLS_GTK[0])
    with SpiceServerReplay(stream, "quic") as server:
        server.wait_up()
        with GtkClient(host="127.0.0.1", port=str(server.port)) as gtk:
            gtk.wait("channel", channel="display:0", event="opened")
            server.wait_played()
            with GtkClient(host="127.0.0.1", port=str(server.port)) as late:
                late.wait_picture()
                expected = Picture.from_bgrx(*late.picture(tmp_path))
    with SpiceServerReplay(stream, KILLS_GTK[1]) as server:
        server.wait_up()
        with HeadlessClient(server.port) as ours:
            server.wait_played()
            wait_same(ours, lambda: expected)
            assert ours.counts().images[SpiceImageType.LZ4][0] > 0
