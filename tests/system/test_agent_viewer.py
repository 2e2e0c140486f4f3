"""remote-viewer and the guest's agent: copy and paste, and windows that set the size."""

from __future__ import annotations

import subprocess

import pytest

from tests.peers.agent_guest import UTF8_TEXT
from tests.peers.programs import RemoteViewer, eventually, missing, x_server

pytestmark = [pytest.mark.system, pytest.mark.interop, pytest.mark.slow]


@pytest.fixture
def viewer(agent_guest):
    """remote-viewer, alone on a screen, showing the guest."""
    reason = missing("remote-viewer", "Xvfb", "xdotool", "xclip")
    if reason:
        pytest.skip(reason)
    agent_guest.clear()
    uri = f"spice://127.0.0.1:{agent_guest.port}"
    with x_server() as environment, RemoteViewer(environment, uri) as viewer:
        eventually("its window is there", viewer.windows)
        yield viewer
    agent_guest.clear()


def xclip(viewer, *arguments: str, text: str = "") -> str:
    done = subprocess.run(
        ["xclip", "-selection", "clipboard", *arguments],
        env=viewer.environment,
        input=text,
        # What owns the selection goes on in the background.
        stdout=subprocess.PIPE if "-o" in arguments else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stdout or ""


def focus(viewer) -> None:
    """Let the viewer have the keyboard: it shares the clipboard only then."""
    (window, *_) = viewer.windows()
    viewer.xdotool("windowfocus", "--sync", window)
    viewer.xdotool("mousemove", "300", "300", "click", "1")


def test_copy_and_paste_both_ways(agent_guest, viewer):
    def to_guest() -> bool:
        focus(viewer)
        xclip(viewer, "-i", text="größer, from the desktop")
        agent_guest.paste(0, UTF8_TEXT)
        told = agent_guest.shell.run("cat /tmp/pasted")
        return told.endswith("from the desktop")

    eventually("the guest can paste", to_guest)

    def from_guest() -> bool:
        focus(viewer)
        agent_guest.shell.run("printf 'größer, from the guest' >/tmp/copied")
        agent_guest.copy(0, UTF8_TEXT, "/tmp/copied")
        return xclip(viewer, "-o", "-t", "UTF8_STRING") == "größer, from the guest"

    eventually("the desktop can paste", from_guest)


def test_the_window_sets_the_guests_size(agent_guest, viewer):
    before = agent_guest.shell.run("screen-mode")
    (window, *_) = viewer.windows()
    for width, height in ((900, 700), (1100, 800)):
        viewer.xdotool("windowsize", "--sync", window, str(width), str(height))
        seen = []

        def fits(width: int = width, height: int = height, seen: list = seen) -> bool:
            mode = agent_guest.shell.run("screen-mode")
            seen.append(tuple(map(int, mode.split("x"))))
            # Menu and frame take some of it; X modes are multiples of 8 pixels wide.
            inside = seen[-1][0] <= width and seen[-1][1] <= height
            return inside and seen[-1][0] > width - 50 and seen[-1][1] > height - 150

        eventually(f"the guest fits {width} x {height}", fits)
    assert agent_guest.shell.run("screen-mode") != before
