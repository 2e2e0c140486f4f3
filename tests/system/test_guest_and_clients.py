"""A real guest with our driver, shown by real clients."""

from __future__ import annotations

import pytest

from tests.peers.picture_difference import contains
from tests.peers.programs import (
    Picture,
    RemoteViewer,
    eventually,
    missing,
    spicy_screenshot,
    x_server,
)
from tests.peers.screens import assert_same_screen, client_picture

pytestmark = [pytest.mark.system, pytest.mark.interop]

ERROR_AUTH = "main channel event: 23"


@pytest.fixture
def spicy(tmp_path):
    reason = missing("spicy-screenshot")
    if reason:
        pytest.skip(reason)
    return lambda *arguments, **env: spicy_screenshot(tmp_path, *arguments, **env)


def assert_shows_the_guest(guest, take) -> None:
    """Screenshots must work, and come to be what the guest holds: its shell may be
    printing its first prompt still."""

    def same() -> bool:
        shot = take()
        assert shot.code == 0, shot.stderr
        return shot.picture == guest.machine.guest_picture(guest.shell)

    eventually("the screenshot is the guest's screen", same, patience=60)


class TestSpicyScreenshot:
    def test_ticket(self, tiny, spicy):
        where = ("-h", "127.0.0.1", "-p", str(tiny.port), "-w", "a ticket")
        assert_shows_the_guest(tiny, lambda: spicy(*where))
        assert spicy(*where).picture.colors() > 1

    def test_wrong_ticket(self, tiny, spicy):
        shot = spicy("-h", "127.0.0.1", "-p", str(tiny.port), "-w", "another")
        assert shot.code == 1
        assert ERROR_AUTH in shot.stderr

    def test_expired_ticket(self, tiny, spicy):
        tiny.set_password(expires="now")
        try:
            shot = spicy("-h", "127.0.0.1", "-p", str(tiny.port), "-w", "a ticket")
            assert shot.code == 1
            assert ERROR_AUTH in shot.stderr
        finally:
            tiny.set_password()
        shot = spicy("-h", "127.0.0.1", "-p", str(tiny.port), "-w", "a ticket")
        assert shot.code == 0, shot.stderr

    def test_tls(self, tiny, spicy):
        where = ("-h", "127.0.0.1", "-s", str(tiny.tls_port), "-w", "a ticket")
        trust = {"SSL_CERT_FILE": str(tiny.ca)}
        assert_shows_the_guest(tiny, lambda: spicy(*where, **trust))
        assert spicy(*where, SSL_CERT_FILE="/dev/null").code == 1

    def test_unix(self, tiny, spicy):
        where = ("--uri", f"spice+unix://{tiny.unix}", "-w", "a ticket")
        assert_shows_the_guest(tiny, lambda: spicy(*where))


class TestSpiceGtk:
    def test_typed_text_appears(self, tiny, tmp_path):
        with tiny.client() as client:
            client.wait_picture()
            client.wait_inputs()
            tiny.shell.run("rm -f /tmp/typed")
            client.send("type", "clear; echo It is TYPED | tee /tmp/typed\n")
            eventually(
                "the typed command ran",
                lambda: "It is TYPED" in tiny.shell.run("cat /tmp/typed || true"),
            )
            shown = assert_same_screen(tiny, client, tmp_path)
            # The console's first rows hold the line, the rest is empty.
            assert shown.crop(0, 0, 200, 16).colors() > 1
            assert shown.crop(0, 200, shown.width, 100).colors() == 1

    def test_scrolling_text_stays_exact(self, tiny, tmp_path):
        with tiny.client() as client:
            client.wait_picture()
            client.wait_inputs()
            client.send("type", "seq 1 300\n")
            eventually(
                "it scrolled",
                lambda: (
                    client_picture(client, tmp_path).crop(0, 300, 64, 100).colors() > 1
                ),
            )
            assert_same_screen(tiny, client, tmp_path)
            client.send("type", "clear\n")

    def test_pointer_moves(self, tiny):
        with tiny.client() as client:
            client.wait_picture()
            client.wait_inputs()
            client.wait_seen("cursor-set")
            client.send("mouse-mode", 1)
            client.wait("mouse-mode", mode=1)
            client.send("motion", 40, 30)
            first = client.wait("cursor-move")
            client.send("motion", 25, -10)
            second = client.wait("cursor-move")
            assert (second["x"] > first["x"], second["y"] < first["y"]) == (True, True)
            client.send("mouse-mode", 2)
            client.wait("mouse-mode", mode=2)

    def test_a_pointer_that_moves_redraws_nothing(self, tiny, tmp_path):
        with tiny.client() as client:
            client.wait_picture()
            client.wait_inputs()
            assert_same_screen(tiny, client, tmp_path)
            seen = len(client.events)
            for x in range(100, 200, 20):
                client.send("position", x, 100)
            assert_same_screen(tiny, client, tmp_path)
            names = [event["ev"] for event in client.events[seen:]]
            assert "invalidate" not in names

    def test_resize_changes_the_guests_mode(self, tiny, tmp_path):
        with tiny.client() as client:
            client.wait_picture()
            for width, height in ((1280, 800), (801, 603), (1024, 768)):
                client.send("monitor", width, height)
                client.wait("primary", width=width, height=height)
                client.wait("mark")
                eventually(
                    "the guest's console has the size",
                    lambda size=f"{width}x{height}": (
                        size in tiny.shell.run("screen-mode")
                    ),
                )
                shown = assert_same_screen(tiny, client, tmp_path)
                assert (shown.width, shown.height) == (width, height)

    def test_driver_unloads_and_loads_again(self, tiny, tmp_path):
        with tiny.client() as client:
            client.wait_picture()
            for _ in range(3):
                tiny.shell.run("driver unload")
                tiny.shell.run("driver load")
                client.wait("primary")
                client.wait("mark")
                assert_same_screen(tiny, client, tmp_path)

    def test_client_that_leaves_at_any_moment(self, tiny, tmp_path):
        for moment in ("connect", "primary", "mark", "invalidate"):
            client = tiny.client()
            if moment != "connect":
                client.wait(moment)
            client.process.kill()
            client.close()
        with tiny.client() as client:
            client.wait_picture()
            assert_same_screen(tiny, client, tmp_path)


class TestRemoteViewer:
    @pytest.fixture
    def screen(self):
        reason = missing("remote-viewer", "Xvfb", "xdotool", "import")
        if reason:
            pytest.skip(reason)
        with x_server() as environment:
            yield environment

    def connect(self, guest, environment, tmp_path, password):
        vv = tmp_path / "guest.vv"
        vv.write_text(
            "[virt-viewer]\ntype=spice\nhost=127.0.0.1\n"
            f"port={guest.port}\npassword={password}\n"
        )
        return RemoteViewer(environment, str(vv))

    def test_shows_the_guests_pixels(self, tiny, screen, tmp_path):
        with self.connect(tiny, screen, tmp_path, "a ticket") as viewer:
            text = console_text(tiny)
            eventually("the window shows it", lambda: contains(viewer.screen(), text))

    def test_refuses_a_wrong_password(self, tiny, screen, tmp_path):
        with self.connect(tiny, screen, tmp_path, "wrong") as viewer:
            eventually("it asks", lambda: viewer.windows("Authentication required"))

    def test_keys_and_window_size_reach_the_guest(self, tiny, screen, tmp_path):
        with self.connect(tiny, screen, tmp_path, "a ticket") as viewer:
            eventually("its window is there", lambda: viewer.windows("qxld"))
            tiny.shell.run("rm -f /tmp/viewed")
            (window, *_) = viewer.windows("qxld")
            text = console_text(tiny)
            eventually("it shows", lambda: contains(viewer.screen(), text))
            viewer.xdotool("mousemove", "300", "300", "click", "1")
            viewer.xdotool("type", "--delay", "100", "echo seen >/tmp/viewed")
            viewer.xdotool("key", "Return")
            eventually(
                "keys arrive",
                lambda: "seen" in tiny.shell.run("cat /tmp/viewed || true"),
            )
            before = tiny.shell.run("screen-mode")
            viewer.xdotool("windowsize", window, "900", "700")
            eventually(
                "the mode follows", lambda: tiny.shell.run("screen-mode") != before
            )
        with tiny.client() as client:
            client.wait_picture()
            client.send("monitor", 1024, 768)
            client.wait("primary", width=1024, height=768)


def console_text(guest) -> Picture:
    """Print something on the guest's console; its pixels."""
    guest.shell.run("printf '\\033[2J\\033[HFor remote-viewer\\n# ' >/dev/tty1")
    return guest.machine.guest_picture(guest.shell).crop(0, 0, 136, 16)
