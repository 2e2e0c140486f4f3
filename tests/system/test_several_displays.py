"""Two displays with one monitor each: what a client asks for goes to the right one."""

from __future__ import annotations

import pytest

from tests.peers.programs import Picture, eventually
from tests.peers.screens import assert_same_screen

pytestmark = [pytest.mark.system, pytest.mark.interop, pytest.mark.slow]

STRIDE = 1920 * 4
"""Bytes of a row of the guest's consoles: see fbdev_size in its recipe."""


@pytest.fixture
def guest(two_displays):
    return two_displays


def connectors(guest) -> list[str]:
    return guest.shell.run("cat /sys/class/drm/card*-Virtual-*/status").split()


def second_screen(guest, width: int, height: int) -> Picture:
    """What the second card's console holds; fbdump is of the first."""
    command = f"dd if=/dev/fb1 of=$(scratch-disk) bs={STRIDE} count={height} conv=fsync"
    guest.shell.run(f"{command} 2>/dev/null")
    data = guest.machine.scratch.read_bytes()
    rows = (data[y * STRIDE :][: width * 4] for y in range(height))
    return Picture.from_bgrx(width, height, b"".join(rows))


def test_each_display_gets_its_monitor(guest, tmp_path):
    with guest.client() as client:
        for number in (0, 1):
            client.wait_seen("primary", id=number)
        client.send("layout", (800, 600, 0, 0), (641, 481, 800, 0))
        for number, width, height in ((0, 800, 600), (1, 641, 481)):
            heads = [[0, width, height, 0, 0]]
            client.wait_seen("monitors", id=number, heads=heads)
        assert connectors(guest) == ["connected"] * 2
        assert_same_screen(guest, client, tmp_path)

        # The card has no console: its screen is what is written there.
        guest.shell.run(f"head -c {STRIDE * 481} /dev/urandom >/dev/fb1")
        drawn = second_screen(guest, 641, 481)
        assert drawn.colors() > 100_000

        def shown() -> bool:
            return Picture.from_bgrx(*client.picture(tmp_path, 1)) == drawn

        eventually("the second display shows it", shown, patience=60)


def test_a_display_is_turned_off_and_on(guest):
    with guest.client() as client:
        client.wait_picture()
        client.send("layout", (800, 600, 0, 0), (640, 480, 800, 0))
        eventually("both are on", lambda: connectors(guest) == ["connected"] * 2)
        client.send("layout", (1024, 768, 0, 0))
        off = ["connected", "disconnected"]
        eventually("the second is off", lambda: connectors(guest) == off)
        client.send("layout", (800, 600, 0, 0), (640, 480, 800, 0))
        eventually("both are on", lambda: connectors(guest) == ["connected"] * 2)
        client.wait("primary", id=1, width=640, height=480)
