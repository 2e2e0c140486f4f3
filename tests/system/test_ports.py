"""Ports of a real QEMU and a guest, with spice-gtk: bytes and USB devices."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

import pytest

from tests.peers import gtk_client, machine
from tests.peers.gtk_client import GtkPortsClient
from tests.peers.machine import Machine
from tests.peers.programs import eventually, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.system, pytest.mark.interop]

NAME = "org.example.log.0"


class Vm(Machine):
    """A guest with every kind of port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        super().__init__(
            folder,
            machine.image("tiny"),
            *("--port", str(self.port), "--disable-ticketing", "--port-channel", NAME),
            *("--webdav", "--usbredir", "2", "--smartcard"),
        )

    def client(self, **options: str) -> GtkPortsClient:
        return GtkPortsClient(host="127.0.0.1", port=str(self.port), **options)


@pytest.fixture(scope="module")
def vm(tmp_path_factory) -> Iterator[Vm]:
    for reason in (machine.missing(), gtk_client.missing()):
        if reason:
            pytest.skip(reason)
    with Vm(tmp_path_factory.mktemp("ports")) as started:
        started.wait_ready()
        yield started
        assert started.stop() == 0
        assert started.errors() == []


@pytest.fixture(scope="module")
def shell(vm):
    opened = vm.shell()
    opened.run(
        f"for p in /sys/class/virtio-ports/*; do grep -qx {NAME} $p/name && "
        "ln -sf /dev/${p##*/} /tmp/port; done; ls -lL /tmp/port"
    )
    yield opened
    opened.close()


def wait_received(client, size: int) -> dict:
    """Wait until the client has so much of the port's."""
    told = {}

    def all_there() -> bool:
        client.send("received", NAME)
        told.update(next(e for e in reversed(client.events) if e["ev"] == "received"))
        return told["size"] >= size

    eventually(f"{size} bytes came", all_there)
    assert told["size"] == size
    return told


class TestPort:
    def test_opens_speaks_and_closes(self, vm, shell):
        with vm.client() as client:
            client.wait("channel", channel="port:0", event="opened")
            shell.run("exec 5<>/tmp/port")
            client.wait("port", port=NAME, opened=True)
            shell.run("echo hello client >&5")
            assert wait_received(client, 13)["end"] == "hello client\n"
            client.send("write", NAME, "hello guest\n")
            assert shell.run("read -r line <&5; echo $line") == "hello guest\n"
            client.send("break", NAME)  # a virtio port has none; nothing happens
            shell.run("exec 5>&-")
            client.wait("port", port=NAME, opened=False)

    def test_a_guest_that_opened_it_before(self, vm, shell):
        shell.run("exec 5<>/tmp/port")
        with vm.client() as client:
            client.wait("port", port=NAME, opened=True)
        shell.run("exec 5>&-")

    def test_megabytes_either_way(self, vm, shell):
        shell.run("exec 5<>/tmp/port; head -c 3000000 /dev/urandom >/tmp/sent")
        with vm.client() as client:
            client.wait("port", port=NAME, opened=True)
            shell.run("cat /tmp/sent >&5")
            told = wait_received(client, 3_000_000)
            assert told["sha256"] == shell.run("sha256sum </tmp/sent").split()[0]
            digest = hashlib.sha256(b"to the guest: " * 100_000).hexdigest()
            client.send("write", NAME, "to the guest: ", 100_000)
            got = shell.run("head -c 1400000 <&5 | sha256sum").split()[0]
            assert got == digest
        shell.run("exec 5>&-")

    def test_what_a_program_did_not_read_is_not_for_the_next(self, vm, shell):
        with vm.client() as client:
            shell.run("exec 5<>/tmp/port")
            client.wait("port", port=NAME, opened=True)
            client.send("write", NAME, "for the first\n", 30_000)
            shell.run("exec 5>&-")
            client.wait("port", port=NAME, opened=False)
            shell.run("exec 5<>/tmp/port")
            client.wait("port", port=NAME, opened=True)
            client.send("write", NAME, "for the second\n")
            assert "for the second" in shell.run("read -r line <&5; echo $line")
            shell.run("exec 5>&-")


class TestUsb:
    def test_an_emulated_cd_drive_is_the_guests(self, vm, shell, tmp_path):
        image = tmp_path / "cd.iso"
        image.write_bytes(random.Random(4).randbytes(1 << 20))
        # A device may go while it is looked at.
        products = "cat /sys/bus/usb/devices/*/product 2>/dev/null || true"

        def plugged() -> bool:
            return "Spice CD" in shell.run(products)

        for _ in range(2):  # the next client begins with a fresh hello
            with vm.client() as client:
                client.wait_inputs()
                client.send("cd", str(image))
                client.wait("usb", connected=True)
                eventually("the guest sees it", plugged)
            eventually("it is gone with its client", lambda: not plugged())
