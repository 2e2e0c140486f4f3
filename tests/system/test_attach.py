"""`qxld attach`: a display for a guest that runs already, and its end."""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING

import pytest

from tests.peers import gtk_client, machine
from tests.peers.bare_guest import BareGuest
from tests.peers.gtk_client import GtkClient
from tests.peers.machine import Monitor
from tests.peers.programs import eventually, free_port
from tests.peers.qxld_process import Qxld, qxld
from tests.peers.screens import client_picture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.peers.programs import Picture

pytestmark = [pytest.mark.system, pytest.mark.interop]

PLUGGED = {"qxld0", "qxld-ivshmem", "qxld-agent", "qxld-agent-chardev"}


class Vm(BareGuest):
    """A guest, its shell, and qxlds that come to it."""

    def __init__(self, folder: Path, recipe: dict) -> None:
        super().__init__(folder, recipe)
        self.folder = folder
        self.port = free_port()

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        assert "Traceback" not in self.output.read_text()

    def attach(self, *options: object) -> Qxld:
        started = Qxld(
            self.folder,
            "attach",
            *("--qmp", self.qmp, "--port", self.port, "--disable-ticketing", *options),
        )
        started.wait_up()
        return started

    def client(self) -> GtkClient:
        return GtkClient(host="127.0.0.1", port=str(self.port))


# A VM for each test: QEMU 7.2 crashes after some rounds of killed servers, dead displays
# and hot-plugs, which is not what is tested here.
@pytest.fixture
def vm(tmp_path_factory) -> Iterator[Vm]:
    for reason in (machine.missing(), gtk_client.missing()):
        if reason:
            pytest.skip(reason)
    folder = tmp_path_factory.mktemp("attach")
    with Vm(folder, machine.image("tiny")) as started:
        started.wait_booted()
        yield started


@pytest.fixture
def shell(vm):
    opened = vm.shell()
    yield opened
    opened.close()


def wait_same_screen(vm, shell, client, folder) -> Picture:
    """The client must come to show exactly what the guest holds."""
    seen = {}

    def same() -> bool:
        seen["guest"] = vm.picture(shell)
        seen["client"] = client_picture(client, folder)
        return seen["guest"] == seen["client"]

    eventually("guest and client agree", same)
    return seen["client"]


def wait_screen(shell) -> None:
    """The driver has to bind to what was plugged in, which takes a moment."""
    eventually("a screen", lambda: "screen" in shell.run("ls /run"))
    shell.run("echo 0 >/sys/class/graphics/fbcon/cursor_blink")  # a still picture


class TestAttach:
    def test_shows_a_running_guest_and_takes_its_keys(self, vm, shell, tmp_path):
        assert not PLUGGED & vm.devices()
        with vm.attach() as daemon:
            wait_screen(shell)
            with vm.client() as client:
                client.wait_picture()
                client.wait_inputs()
                shell.run("rm -f /tmp/typed")
                client.send("type", "clear; echo It is TYPED | tee /tmp/typed\n")
                eventually(
                    "the typed command ran",
                    lambda: "It is TYPED" in shell.run("cat /tmp/typed || true"),
                )
                shown = wait_same_screen(vm, shell, client, tmp_path)
                assert shown.crop(0, 0, 200, 16).colors() > 1
                assert daemon.stop() == 0
                client.wait("channel", channel="main:0", event="closed")
            assert "Traceback" not in daemon.log
            assert " warning " not in daemon.log.replace("warning asyncio", "")
        assert vm.status() == "running"
        assert not PLUGGED & vm.devices()
        assert "qxl_ivshmem" not in shell.run("cat /proc/fb")

    def test_monitor_is_one_for_others_too(self, vm, tmp_path):
        path = tmp_path / "monitor"
        with vm.attach("--monitor", path) as daemon:
            monitor = Monitor(path)
            assert monitor.execute("query-status")["status"] == "running"
            assert monitor.execute("query-spice")["port"] == vm.port
            monitor.close()
            assert daemon.stop() == 0
        assert not path.exists()

    def test_killed_qxld_leaves_the_guest_alone_and_another_replaces_it(
        self, vm, shell, tmp_path
    ):
        with vm.attach("--runtime-dir", tmp_path / "run") as daemon:
            wait_screen(shell)
            daemon.signal(signal.SIGKILL)
            daemon.wait()
            daemon.state_path.unlink()
        assert vm.status() == "running"
        assert vm.devices() >= PLUGGED
        assert "up" in shell.run("uptime")
        with vm.attach("--runtime-dir", tmp_path / "run") as daemon:
            assert "unplugging the display that an earlier qxld left" in daemon.log
            wait_screen(shell)
            with vm.client() as client:
                client.wait_picture()
                wait_same_screen(vm, shell, client, tmp_path)
            assert daemon.stop() == 0
        assert not PLUGGED & vm.devices()

    def test_leaves_nothing_in_qemus_main_loop(self, vm):
        with vm.attach() as daemon:
            assert daemon.stop() == 0
        # They get the numbers of the device's files, and would wake its handlers.
        monitor = Monitor(vm.second_qmp)
        rung = os.eventfd(1)
        names = [f"rung-{number}" for number in range(16)]
        for name in names:
            socket.send_fds(monitor.socket, [b" "], [rung])
            assert monitor.execute("getfd", fdname=name) == {}
        for name in names:
            assert monitor.execute("closefd", fdname=name) == {}
        assert monitor.execute("query-status")["status"] == "running"
        monitor.close()
        # A handler would have read it.
        assert os.eventfd_read(rung) == 1
        os.close(rung)

    def test_guest_without_its_driver_lets_go_too(self, vm, shell):
        shell.run("driver unload")
        try:
            with vm.attach() as daemon:
                assert vm.devices() >= PLUGGED
                assert daemon.stop() == 0
            assert not PLUGGED & vm.devices()
        finally:
            shell.run("driver load")

    def test_driver_loaded_later_finds_it(self, vm, shell, tmp_path):
        shell.run("driver unload")
        with vm.attach() as daemon, vm.client() as client:
            shell.run("driver load")
            client.wait_picture()
            wait_same_screen(vm, shell, client, tmp_path)
            assert daemon.stop() == 0

    def test_two_at_once_are_refused(self, vm, tmp_path):
        with vm.attach():
            options = ("--qmp", vm.second_qmp, "--port", free_port())
            second = qxld("attach", *options)
            assert second.returncode == 1
            assert "has a display of another qxld" in second.stdout
            # QEMU does not even greet a second client of the same socket.
            with Qxld(tmp_path, "attach", "--qmp", vm.qmp) as third:
                third.wait_said("another QMP client seems to be connected")
                third.signal(signal.SIGINT)
                assert third.wait() == 0

    def test_reset_through_our_monitor(self, vm, shell, tmp_path):
        path = tmp_path / "monitor"
        with vm.attach("--monitor", path) as daemon:
            wait_screen(shell)
            with vm.client() as client:
                client.wait_picture()
                before = len(vm.serial_log.read_bytes())
                monitor = Monitor(path)
                assert monitor.execute("system_reset") == {}
                eventually(
                    "the guest is up again",
                    lambda: b"GUEST-READY" in vm.serial_log.read_bytes()[before:],
                )
                wait_same_screen(vm, shell, client, tmp_path)
                client.send("type", "clear; echo again\n")
                shown = wait_same_screen(vm, shell, client, tmp_path)
                assert shown.colors() > 1
                monitor.close()
            assert daemon.stop() == 0
        assert not PLUGGED & vm.devices()

    def test_end_of_qemu_ends_it(self, vm):
        with vm.attach() as daemon:
            vm.process.kill()
            assert daemon.wait() == 0
            assert "QEMU ended" in daemon.log
            assert "Traceback" not in daemon.log


class TestRefusal:
    def test_no_socket(self, tmp_path):
        done = qxld("attach", "--qmp", tmp_path / "none")
        assert done.returncode == 1
        assert done.stdout == f"qxld: {tmp_path}/none: there is no such socket\n"
