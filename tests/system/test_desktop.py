"""Debian with Xorg on our driver: what clients show is what X holds."""

from __future__ import annotations

import pytest

from tests.peers.programs import eventually
from tests.peers.screens import assert_same_screen, client_picture

pytestmark = [pytest.mark.system, pytest.mark.interop, pytest.mark.slow]


@pytest.fixture
def x11(desktop):
    """Run a command in the guest's X session."""
    return lambda command: desktop.shell.run(f"DISPLAY=:0 {command}")


def test_the_desktop_is_shown_exactly(desktop, tmp_path):
    with desktop.client() as client:
        client.wait_picture()
        shown = assert_same_screen(desktop, client, tmp_path)
        assert shown.colors() > 16


def test_a_scrolling_xterm_stays_exact(desktop, x11, tmp_path):
    with desktop.client() as client:
        client.wait_picture()
        client.wait_inputs()
        before = client_picture(client, tmp_path)
        x11("xdotool search --class XTerm windowfocus --sync windowraise")
        # Two keys fit into the keyboard's buffer, however slow the guest is.
        path = "/usr/local/bin/s"
        script = "seq 1 400; ls /usr/bin | head -300; touch /tmp/scrolled; rm $0"
        desktop.shell.run(f"echo '{script}' >{path}; chmod +x {path}")
        client.send("type", "s\n")
        eventually(
            "the commands ran",
            lambda: "yes" in x11("test -e /tmp/scrolled && echo yes || true"),
        )
        assert assert_same_screen(desktop, client, tmp_path) != before


def test_windows_that_move_stay_exact(desktop, x11, tmp_path):
    with desktop.client() as client:
        client.wait_picture()
        window = x11("xdotool search --onlyvisible --class XTerm").split()[0]
        for x, y in ((200, 120), (10, 300), (333, 77), (60, 60)):
            x11(f"xdotool windowmove {window} {x} {y}")
        assert_same_screen(desktop, client, tmp_path)


def test_the_pointer_follows_the_client(desktop, x11):
    with desktop.client() as client:
        client.wait_picture()
        client.wait_inputs()
        client.wait_seen("mouse-mode", mode=2)
        for x, y in ((300, 200), (700, 500)):
            client.send("position", x, y)
            eventually(
                "X has the pointer there",
                lambda x=x, y=y: near(x11("xdotool getmouselocation"), x, y),
            )


def near(told: str, x: int, y: int) -> bool:
    """Whether xdotool's ``x:300 y:200 ...`` is that place; scaling rounds."""
    place = dict(word.split(":") for word in told.split())
    return abs(int(place["x"]) - x) <= 1 and abs(int(place["y"]) - y) <= 1


def test_resize_changes_the_mode(desktop, x11, tmp_path):
    with desktop.client() as client:
        client.wait_picture()
        for width, height in ((1280, 800), (1024, 768)):
            client.send("monitor", width, height)
            client.wait("primary", width=width, height=height)
            client.wait("mark")
            eventually(
                "X has the size",
                lambda size=f"{width} {height}": (
                    size in x11("xdotool getdisplaygeometry")
                ),
            )
            shown = assert_same_screen(desktop, client, tmp_path)
            assert (shown.width, shown.height) == (width, height)
