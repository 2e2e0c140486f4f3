"""spice-gtk lends an emulated CD drive to a USB port of a real QEMU."""

from __future__ import annotations

import random

import pytest

from tests.peers import gtk_client, machine
from tests.peers.gtk_client import GtkPortsClient
from tests.peers.machine import Monitor
from tests.peers.programs import eventually, free_port
from tests.peers.qxld_process import Qxld

pytestmark = pytest.mark.interop

ATTACHED = "Speed 480 Mb/s, Product USB Redirection Device"


def test_a_drive_comes_and_goes_with_each_client(tmp_path):
    for reason in (machine.missing(), gtk_client.missing()):
        if reason:
            pytest.skip(reason)
    image = tmp_path / "cd.iso"
    image.write_bytes(random.Random(4).randbytes(1 << 20))
    port = free_port()
    options = ("--port", port, "--disable-ticketing", "--usbredir", "2")
    # Nothing to boot from: the port is QEMU's.
    qemu = ("qemu-system-x86_64", "-m", "32", "-nic", "none")
    with Qxld(tmp_path, "run", *options, "--", *qemu) as daemon:
        monitor = Monitor(daemon.wait_up()["monitor"])

        def attached() -> bool:
            line = {"command-line": "info usb"}
            return ATTACHED in monitor.execute("human-monitor-command", **line)

        for _ in range(2):
            assert not attached()
            with GtkPortsClient(host="127.0.0.1", port=str(port)) as client:
                client.wait_inputs()
                client.send("cd", str(image))
                client.wait("usb", connected=True)
                eventually("QEMU sees it", attached)
            eventually("it is gone with its client", lambda: not attached())
        monitor.close()
        assert daemon.stop() == 0
        assert "Traceback" not in daemon.log
