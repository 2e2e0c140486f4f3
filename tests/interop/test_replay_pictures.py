"""What clients show at the end of a recorded desktop: libspice-server is the judge.

Every stream is played to a server with clients that look on from its beginning and
others that come after its end.  Pieces of the streams by default; those in the folder
``$QXLD_STREAMS`` to their ends (``make streams``).
"""

from __future__ import annotations

import contextlib
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.peers import recorded_streams
from tests.peers.headless_client import HeadlessClient
from tests.peers.qxld_replay import QxldReplay
from tests.peers.recorded_streams import PIECES, SAMPLES, cut, full_streams
from tests.peers.replay_clients import Gtk, judged, missing, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.peers.programs import Picture
    from tests.peers.replay_clients import Looker

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
]

MODES = ("off", "quic", "lz", "glz", "lz4", "auto_lz", "auto_glz")
EVERYWHERE = "image-ums"
"""The piece that is played in every mode; the others in the default one."""
CASES = [(EVERYWHERE, mode) for mode in MODES]
CASES += [(name, "auto_glz") for name in PIECES if name != EVERYWHERE]


@contextlib.contextmanager
def lookers(port: int, folder: Path, when: str) -> Iterator[dict[str, Looker]]:
    """Connect one client of each kind."""
    with Gtk(port, folder) as gtk, HeadlessClient(port) as headless:
        yield {f"spice-gtk, {when}": gtk, f"our client, {when}": headless}


def compare(
    stream: Path, mode: str, expected: Picture, folder: Path, *options: str
) -> list[str]:
    """Play *stream* to qxld and its clients; say what they show that is wrong."""
    faults: list[str] = []
    with QxldReplay(stream, mode, "--linger", 3600, *options, clients=2) as server:
        server.wait_up()
        with lookers(server.port, folder, "from the beginning") as early:
            for who, client in early.items():
                faults += settle(client, expected, who)
            with lookers(server.port, folder, "after the end") as late:
                for who, client in late.items():
                    client.wait_picture()
                    faults += settle(client, expected, who)
    return faults


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return how to cut a piece off a stream, once."""
    folder = tmp_path_factory.mktemp("pieces")
    if reason := recorded_streams.missing():
        pytest.skip(reason)
    return cache(lambda name: cut(name, folder))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("judge")


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_piece(name, mode, pieces, folder, tmp_path) -> None:
    stream = pieces(name)
    assert not compare(stream, mode, judged(stream, "off", folder), tmp_path)


# What JPEG left out comes later: in the end the picture is exact.
@pytest.mark.parametrize("packing", ["jpeg", "zlib-glz"])
def test_packing_for_slow_links(packing, pieces, folder, tmp_path) -> None:
    stream = pieces(EVERYWHERE)
    option = (f"--{packing}-wan-compression", "always")
    expected = judged(stream, "off", folder)
    assert not compare(stream, "auto_glz", expected, tmp_path, *option)


@pytest.mark.parametrize("mode", ["off", "auto_glz"])
@pytest.mark.parametrize(
    "stream", sorted(SAMPLES.glob("*.qxlrec*")), ids=lambda path: path.name
)
def test_sample(stream, mode, folder, tmp_path) -> None:
    assert not compare(stream, mode, judged(stream, "off", folder), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("stream", full_streams(), ids=lambda path: path.name)
def test_whole_stream(stream, mode, folder, tmp_path) -> None:
    # libspice-server packs A8 images by LZ4, too, at which spice-gtk aborts.
    judge = "off" if mode == "lz4" else mode
    assert not compare(stream, mode, judged(stream, judge, folder), tmp_path)
