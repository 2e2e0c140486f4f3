"""Viewers of others show the end of a recorded desktop, pixel by pixel."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from tests.peers.picture_difference import contains, difference
from tests.peers.programs import (
    RemoteViewer,
    eventually,
    missing as missing_program,
    spicy_screenshot,
    x_server,
)
from tests.peers.qxld_replay import QxldReplay
from tests.peers.recorded_streams import SAMPLES
from tests.peers.replay_clients import Gtk, judged, missing, settle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.peers.programs import Picture

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
]


@contextlib.contextmanager
def played(name: str, folder: Path) -> Iterator[tuple[int, Picture]]:
    """Play a sample to its end; where it is served, and what there is to see."""
    stream = SAMPLES / f"{name}.qxlrec.zst"
    expected = judged(stream, "off", folder)
    with QxldReplay(stream, "auto_glz", "--linger", 3600) as server:
        server.wait_up()
        with Gtk(server.port, folder) as client:
            assert not settle(client, expected, "spice-gtk")
            yield server.port, expected


def test_spicy_screenshot(tmp_path) -> None:
    if reason := missing_program("spicy-screenshot"):
        pytest.skip(reason)
    with played("desk-umsrich", tmp_path) as (port, expected):
        shot = spicy_screenshot(tmp_path, "-h", "127.0.0.1", "-p", str(port))
    assert not difference(shot.picture, expected), shot.stderr


def test_remote_viewer(tmp_path) -> None:
    if reason := missing_program("remote-viewer", "Xvfb", "xdotool", "import"):
        pytest.skip(reason)
    with played("desk-ums", tmp_path) as (port, expected), x_server() as screen:
        uri = f"spice://127.0.0.1:{port}"
        with RemoteViewer(screen, uri) as viewer:
            eventually(
                "the window shows it", lambda: contains(viewer.screen(), expected)
            )
