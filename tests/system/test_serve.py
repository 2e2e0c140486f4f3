"""`qxld serve` with a QEMU that somebody else started: two displays, reset, loss."""

from __future__ import annotations

import shlex
import signal
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.peers import gtk_client, machine
from tests.peers.bare_guest import BareGuest
from tests.peers.gtk_client import GtkClient
from tests.peers.machine import Monitor
from tests.peers.programs import Picture, eventually, free_port
from tests.peers.qxld_process import Qxld, qxld
from tests.peers.screens import client_picture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.system, pytest.mark.interop]

LINE = "qxld has two displays."
STRIDE = 1920 * 4
"""Of the guest's consoles, which have room for larger modes."""


class Served:
    """A `qxld serve` with its guest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run_dir = folder / "run"
        self.port = free_port()
        self.options = ("--runtime-dir", self.run_dir, "--displays", 2)
        self.listen = ("--port", self.port, "--disable-ticketing")
        self.daemon = Qxld(folder, "serve", *self.options, *self.listen)
        self.daemon.wait_up()
        told = qxld("qemu-args", *self.options, "--tablet", "none")
        self.guest = BareGuest(folder, machine.image("tiny"), shlex.split(told.stdout))
        self.guest.wait_booted()
        self.shell = self.guest.shell()

    def close(self) -> None:
        self.shell.close()
        self.guest.__exit__()
        self.daemon.__exit__()

    def monitor(self) -> Monitor:
        return Monitor(self.run_dir / "monitor.sock")

    def client(self) -> GtkClient:
        client = GtkClient(host="127.0.0.1", port=str(self.port))
        client.wait_picture()
        return client

    def wait_same_screen(self, client: GtkClient, folder: Path) -> Picture:
        seen = {}

        def same() -> bool:
            seen["guest"] = self.guest.picture(self.shell)
            seen["client"] = client_picture(client, folder)
            return seen["guest"] == seen["client"]

        eventually("guest and client agree", same)
        return seen["client"]

    def paint_second(self) -> Picture:
        """Fill the second screen; what it shows then."""
        # In one piece: the kernel shows nothing of one that ends where a line does.
        size = f"bs={STRIDE * 768} count=1 iflag=fullblock"
        self.shell.run(f"yes '{LINE}' | dd of=/dev/fb1 {size} 2>/dev/null")
        line = f"{LINE}\n".encode()
        data = (line * (STRIDE * 768 // len(line) + 1))[: STRIDE * 768]
        rows = (data[y * STRIDE :][: 1024 * 4] for y in range(768))
        return Picture.from_bgrx(1024, 768, b"".join(rows))


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[Served]:
    for reason in (machine.missing(), gtk_client.missing()):
        if reason:
            pytest.skip(reason)
    started = Served(tmp_path_factory.mktemp("serve"))
    yield started
    started.close()


def wait_second(client, folder, expected) -> None:
    eventually(
        "the second display",
        lambda: Picture.from_bgrx(*client.picture(folder, 1)) == expected,
    )


def test_two_displays(served, tmp_path):
    with served.client() as client:
        client.wait_seen("mark", id=1)
        served.wait_same_screen(client, tmp_path)
        expected = served.paint_second()
        wait_second(client, tmp_path, expected)
    path = tmp_path / "second.png"
    uri = f"spice://127.0.0.1:{served.port}"
    done = qxld("screenshot", uri, "--display", 1, "-o", path)
    assert done.stdout == f"{path}: 1024 x 768\n"
    with Image.open(path) as image:
        assert image.convert("RGB").tobytes() == expected.rgb


def test_keys_go_through_the_monitor_of_qemu_args(served, tmp_path):
    with served.client() as client:
        client.wait_inputs()
        served.shell.run("rm -f /tmp/typed")
        client.send("type", "echo by keys >/tmp/typed\n")
        eventually(
            "the typed command ran",
            lambda: "by keys" in served.shell.run("cat /tmp/typed || true"),
        )


def test_reset_with_a_client(served, tmp_path):
    with served.client() as client:
        monitor = served.monitor()
        before = len(served.guest.serial_log.read_bytes())
        assert monitor.execute("system_reset") == {}
        monitor.close()
        eventually(
            "the guest is up again",
            lambda: b"GUEST-READY" in served.guest.serial_log.read_bytes()[before:],
        )
        served.wait_same_screen(client, tmp_path)
        wait_second(client, tmp_path, served.paint_second())


def test_attach_replaces_one_that_was_killed(served, tmp_path):
    served.daemon.signal(signal.SIGKILL)
    served.daemon.wait()
    assert served.guest.status() == "running"
    qmp = ("--qmp", served.run_dir / "qemu-monitor.sock")
    served.daemon = Qxld(served.folder, "attach", *qmp, *served.options, *served.listen)
    served.daemon.wait_up()
    eventually("a screen", lambda: "screen" in served.shell.run("ls /run"))
    served.shell.run("echo 0 >/sys/class/graphics/fbcon/cursor_blink")
    with served.client() as client:
        served.wait_same_screen(client, tmp_path)
        client.wait_inputs()
        eventually("both", lambda: "1 qxl" in served.shell.run("cat /proc/fb"))
        wait_second(client, tmp_path, served.paint_second())


def test_end(served):
    assert served.daemon.stop() == 0
    assert "Traceback" not in served.daemon.log
    assert "keeps a dead one" not in served.daemon.log
    assert served.guest.status() == "running"
    assert "qxl" not in served.shell.run("cat /proc/fb")
    assert "qxld0" not in served.guest.devices()
