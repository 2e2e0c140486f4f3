"""Guests that several tests look at; each boots once."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.peers import agent_guest as agent_guests, gtk_client, machine
from tests.peers.gtk_client import GtkClient
from tests.peers.machine import Machine, Monitor, SerialShell
from tests.peers.programs import free_port, make_certificates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.peers.agent_guest import AgentGuest

PASSWORD = "a ticket"


@dataclass
class Guest:
    """A guest that is up, and the ways to it."""

    machine: Machine
    folder: Path
    port: int
    tls_port: int
    unix: Path
    shell: SerialShell
    monitor: Monitor

    @property
    def ca(self) -> Path:
        return self.folder / "ca-cert.pem"

    def set_password(self, password: str = PASSWORD, expires: str = "never") -> None:
        told = self.monitor.execute("set_password", protocol="spice", password=password)
        assert told == {}
        told = self.monitor.execute("expire_password", protocol="spice", time=expires)
        assert told == {}

    def client(self, password: str = PASSWORD) -> GtkClient:
        return GtkClient(host="127.0.0.1", port=str(self.port), password=password)


@contextlib.contextmanager
def running(folder: Path, recipe: dict, *options: str) -> Iterator[Guest]:
    """Start a guest with every kind of listener, and wait for its screen."""
    port, tls_port = free_port(), free_port()
    make_certificates(folder)
    unix = folder / "spice.sock"
    with Machine(
        folder,
        recipe,
        *("--port", str(port), "--tls-port", str(tls_port), "--x509-dir", str(folder)),
        *("--unix", str(unix), "--multi-client", *options),
    ) as started:
        started.wait_ready()
        guest = Guest(
            started, folder, port, tls_port, unix, started.shell(), started.monitor()
        )
        guest.set_password()
        yield guest
        guest.shell.close()
        guest.monitor.close()
        assert started.stop() == 0
        assert started.errors() == []


def guest_of(tmp_path_factory, name: str, *options: str) -> Iterator[Guest]:
    for reason in (machine.missing(), gtk_client.missing()):
        if reason:
            pytest.skip(reason)
    recipe = machine.image(name, *options)
    with running(tmp_path_factory.mktemp(name), recipe) as guest:
        yield guest


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Iterator[Guest]:
    """The small guest; a test leaves it as it found it."""
    yield from guest_of(tmp_path_factory, "tiny")


@pytest.fixture(scope="module")
def desktop(tmp_path_factory) -> Iterator[Guest]:
    """The guest with Xorg; a test leaves it as it found it."""
    yield from guest_of(tmp_path_factory, "desktop")


@pytest.fixture(scope="module")
def newer_tiny(tmp_path_factory) -> Iterator[Guest]:
    """The small guest with the newer kernel."""
    yield from guest_of(tmp_path_factory, "tiny", "--kernel", "6.12")


@pytest.fixture(scope="module")
def two_displays(tmp_path_factory) -> Iterator[Guest]:
    """The small guest with two displays."""
    for reason in (machine.missing(), gtk_client.missing()):
        if reason:
            pytest.skip(reason)
    folder = tmp_path_factory.mktemp("two")
    with running(folder, machine.image("tiny"), "--displays", "2") as guest:
        yield guest


def carriers() -> list[str]:
    """What carries the agent of the guests that tests talk to.

    ``QXLD_AGENT_CARRIERS=stock`` lets QEMU's own SPICE server do qxld's part: it judges
    the tests themselves.
    """
    return os.environ.get("QXLD_AGENT_CARRIERS", "virtio ivshmem").split()


def agent_guest_of(request, tmp_path_factory, *, strict: bool) -> Iterator[AgentGuest]:
    for reason in (machine.missing(), gtk_client.missing()):
        if reason:
            pytest.skip(reason)
    folder = tmp_path_factory.mktemp(request.param)
    with agent_guests.running(request.param, folder, policies=strict) as guest:
        yield guest


@pytest.fixture(scope="session", params=carriers())
def agent_guest(request, tmp_path_factory) -> Iterator[AgentGuest]:
    """A guest with Xorg, an agent and no tablet; a test leaves it as it found it."""
    yield from agent_guest_of(request, tmp_path_factory, strict=False)


@pytest.fixture(scope="module", params=carriers()[:1])
def strict_guest(request, tmp_path_factory) -> Iterator[AgentGuest]:
    """The same, of an operator who forbids the agent what can be forbidden."""
    yield from agent_guest_of(request, tmp_path_factory, strict=True)
