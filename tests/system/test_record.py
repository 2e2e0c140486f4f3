"""A real guest, recorded: its record shows its screen again, here and elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from tests.peers import machine, spice_server_replay
from tests.peers.headless_client import HeadlessClient
from tests.peers.machine import Machine
from tests.peers.programs import Picture, eventually, free_port
from tests.peers.qxld_replay import QxldReplay
from tests.peers.spice_server_replay import SpiceServerReplay

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.system, pytest.mark.interop]

END_OF_SCREEN = (b" 1 19 ", b" 1 21 ")
"""DESTROY_SURFACES and DESTROY_PRIMARY, in the line of an event."""


class Player(Protocol):
    """Somebody who serves a record."""

    port: int


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> tuple[Path, Picture]:
    """A record of the small guest, and its screen at the end."""
    if reason := machine.missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("recorded")
    path = folder / "guest.qxlrec"
    recipe = machine.image("tiny")
    port = ("--port", str(free_port()))
    with Machine(folder, recipe, *port, "--record", str(path)) as guest:
        guest.wait_ready()
        shell = guest.shell()
        shell.run("echo It is RECORDED >/dev/tty1")
        shell.run("ls -lR /sys/class >/dev/tty1")  # it scrolls
        pictures = [guest.guest_picture(shell)]

        def still() -> bool:
            pictures.append(guest.guest_picture(shell))
            return pictures[-1] == pictures[-2]

        eventually("the screen is still", still)
        shell.close()
        assert guest.stop() == 0
        assert guest.errors() == []
    return without_the_end(path), pictures[-1]


def without_the_end(path: Path) -> Path:
    """Cut off what a guest that is switched off does to its screen."""
    data = path.read_bytes()
    last = data.rindex(b"\ndrawable\n")
    end = len(data)
    for number in END_OF_SCREEN:
        found = data.find(number, last)
        if found >= 0:
            end = min(end, data.rindex(b"\nevent ", 0, found) + 1)
    shortened = path.with_name("screen.qxlrec")
    shortened.write_bytes(data[:end])
    return shortened


def assert_shows(player: Player, expected: Picture) -> None:
    """A client of *player* comes to show what the guest did."""
    with HeadlessClient(player.port) as client:
        client.wait_picture()
        eventually("the guest's screen", lambda: client.picture() == expected)


def test_in_qxld(recorded):
    path, picture = recorded
    with QxldReplay(path, "auto_glz", "--linger", 600, clients=0) as player:
        player.wait_up()
        assert_shows(player, picture)


def test_in_libspice_server(recorded):
    if reason := spice_server_replay.missing():
        pytest.skip(reason)
    path, picture = recorded
    with SpiceServerReplay(path, "off", clients=0) as player:
        player.wait_up()
        assert_shows(player, picture)
