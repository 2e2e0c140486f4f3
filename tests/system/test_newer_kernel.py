"""The same driver source on Debian's newer kernel."""

from __future__ import annotations

import pytest

from tests.peers.programs import eventually
from tests.peers.screens import assert_same_screen

pytestmark = [pytest.mark.system, pytest.mark.interop]


def test_picture_resize_and_reload(newer_tiny, tmp_path):
    guest = newer_tiny
    assert guest.shell.run("uname -r").startswith("6.12.")
    with guest.client() as client:
        client.wait_picture()
        assert_same_screen(guest, client, tmp_path)
        for width, height in ((1280, 800), (1024, 768)):
            client.send("monitor", width, height)
            client.wait("primary", width=width, height=height)
            client.wait("mark")
            eventually(
                "the guest's console has the size",
                lambda size=f"{width}x{height}": size in guest.shell.run("screen-mode"),
            )
            shown = assert_same_screen(guest, client, tmp_path)
            assert (shown.width, shown.height) == (width, height)
        guest.shell.run("driver unload")
        guest.shell.run("driver load")
        client.wait("primary")
        client.wait("mark")
        assert_same_screen(guest, client, tmp_path)
