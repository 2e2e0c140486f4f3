"""Several monitors on the Debian guest: xrandr there prints what a client asked for."""

from __future__ import annotations

import pytest

from tests.peers.programs import RemoteViewer, eventually, missing, x_server
from tests.peers.screens import client_picture
from tests.peers.xrandr import Monitor, monitors

pytestmark = [pytest.mark.system, pytest.mark.interop, pytest.mark.slow]

ONE: Monitor = (1024, 768, 0, 0)


@pytest.fixture
def x11(desktop):
    """Run a command in the guest's X session."""
    return lambda command: desktop.shell.run(f"DISPLAY=:0 {command}")


@pytest.fixture
def client(desktop, x11):
    """A client; when it leaves the guest has one monitor again."""
    with desktop.client() as gtk:
        gtk.wait_picture()
        yield gtk
        ask(gtk, x11, ONE)


def ask(client, x11, *wanted: Monitor | None) -> None:
    """Ask for monitors; the guest must come to have exactly these."""
    expected = {n: monitor for n, monitor in enumerate(wanted) if monitor}
    client.send("layout", *wanted)
    eventually(
        "xrandr prints them", lambda: monitors(x11("xrandr")) == expected, patience=60
    )
    heads = [[n, *monitor] for n, monitor in sorted(expected.items())]
    if not any(e["ev"] == "monitors" and e["heads"] == heads for e in client.events):
        client.wait("monitors", heads=heads)


def assert_same_heads(desktop, client, folder, *heads: Monitor) -> None:
    """Each head must come to show what the guest's X holds there."""

    def same() -> bool:
        held = desktop.machine.guest_picture(desktop.shell)
        shown = client_picture(client, folder)
        return (shown.width, shown.height) == (held.width, held.height) and all(
            shown.crop(x, y, width, height) == held.crop(x, y, width, height)
            for width, height, x, y in heads
        )

    eventually("guest and client agree", same, patience=60)


def test_two_monitors_of_odd_sizes_and_places(desktop, client, x11, tmp_path):
    wanted = ((801, 603, 0, 7), (1023, 767, 801, 0))
    ask(client, x11, *wanted)
    window = x11("xdotool search --onlyvisible --class XTerm").split()[0]
    for x, y in ((850, 100), (700, 300), (40, 40)):
        x11(f"xdotool windowmove {window} {x} {y}")
        assert_same_heads(desktop, client, tmp_path, *wanted)


def test_four_monitors_around_each_other(desktop, client, x11, tmp_path):
    """A desktop that does not begin at 0, 0 is moved there."""
    sizes = ((640, 480), (801, 600), (333, 444), (64, 65))
    asked = ((100, 55), (740, 50), (740, 650), (1073, 650))
    got = ((0, 5), (640, 0), (640, 600), (973, 600))
    client.send("layout", *(s + p for s, p in zip(sizes, asked, strict=True)))
    wanted = tuple(s + p for s, p in zip(sizes, got, strict=True))
    expected = dict(enumerate(wanted))
    eventually(
        "xrandr prints them", lambda: monitors(x11("xrandr")) == expected, patience=60
    )
    assert_same_heads(desktop, client, tmp_path, *wanted)


def test_a_monitor_between_others_is_turned_off(desktop, client, x11, tmp_path):
    first, third = (800, 600, 0, 0), (700, 500, 1500, 0)
    ask(client, x11, first, (700, 500, 800, 0), third)
    ask(client, x11, first, None, third)
    assert_same_heads(desktop, client, tmp_path, first, third)
    # The first can go, too: the desktop begins where the others do.
    client.send("layout", None, None, third)
    eventually("it is alone", lambda: monitors(x11("xrandr")) == {2: (700, 500, 0, 0)})
    assert_same_heads(desktop, client, tmp_path, (700, 500, 0, 0))


def test_the_tablet_reaches_every_pixel_of_every_monitor(desktop, client, x11):
    """Without an agent, that is: vdagentd's own tablet is a pixel off at times."""
    ask(client, x11, (801, 603, 0, 0), (1023, 767, 801, 3))
    client.wait_inputs()
    client.wait_seen("mouse-mode", mode=2)
    desktop.shell.run("systemctl stop spice-vdagentd.socket spice-vdagentd")
    try:
        for x, y in ((5, 5), (800, 602), (801, 3), (1823, 769), (1300, 400), (0, 0)):

            def is_there(x=x, y=y) -> bool:
                client.send("position", x, y)
                return f"x:{x} y:{y} " in x11("xdotool getmouselocation")

            eventually("X has it there", is_there)
    finally:
        desktop.shell.run("systemctl start spice-vdagentd.socket")


def test_the_guests_pointer_moves_from_head_to_head(client, x11):
    ask(client, x11, (800, 600, 0, 0), (800, 600, 800, 0))
    client.send("mouse-mode", 1)
    for x, y in ((100, 100), (1200, 300), (799, 10), (801, 10), (300, 500)):
        x11(f"xdotool mousemove {x} {y}")
        client.wait("cursor-move", x=x, y=y)
    client.send("mouse-mode", 2)


def test_more_than_memory_holds_is_refused(desktop, client, x11):
    before = monitors(x11("xrandr"))
    client.send("layout", (4000, 2000, 0, 0), (4000, 2000, 4000, 0))
    log = desktop.machine.log
    eventually(
        "it is told", lambda: "8000 x 2000 pixels need 62 MiB" in log.read_text()
    )
    assert monitors(x11("xrandr")) == before
    ask(client, x11, (4000, 2000, 0, 0))


def test_a_driver_that_comes_again_is_asked_again(desktop, client, x11, tmp_path):
    wanted = ((800, 600, 0, 0), (640, 480, 800, 0))
    ask(client, x11, *wanted)
    seen = len(client.events)
    desktop.shell.run("driver reload")
    desktop.shell.run("while ! DISPLAY=:0 xdotool search --class XTerm; do :; done")
    expected = dict(enumerate(wanted))
    eventually(
        "xrandr prints them", lambda: monitors(x11("xrandr")) == expected, patience=60
    )
    assert_same_heads(desktop, client, tmp_path, *wanted)
    assert [e for e in client.events[seen:] if e["ev"] == "primary"]


def test_a_window_of_remote_viewer_is_the_guests_monitor(desktop, x11, tmp_path):
    reason = missing("remote-viewer", "Xvfb", "xdotool", "import")
    if reason:
        pytest.skip(reason)
    vv = tmp_path / "guest.vv"
    vv.write_text(
        "[virt-viewer]\ntype=spice\nhost=127.0.0.1\n"
        f"port={desktop.port}\npassword=a ticket\n"
    )
    with x_server() as environment, RemoteViewer(environment, str(vv)) as viewer:
        eventually("its window is there", lambda: viewer.windows("qxld"))
        (window, *_) = viewer.windows("qxld")
        viewer.xdotool("windowsize", window, "901", "703")
        eventually(
            "the guest's monitor has nearly the window's size",
            lambda: (size := viewed(x11)) and size <= (901, 703) and size >= (880, 600),
            patience=60,
        )
        width, height = viewed(x11)
        viewer.xdotool("windowsize", window, "1004", "600")
        eventually(
            "it follows",
            lambda: viewed(x11) == (width + 103, height - 103),
            patience=60,
        )


def viewed(x11) -> tuple[int, ...]:
    """Width and height of the only monitor; nothing while it is off."""
    (monitor,) = monitors(x11("xrandr")).values()
    return monitor[:2] if monitor else ()
