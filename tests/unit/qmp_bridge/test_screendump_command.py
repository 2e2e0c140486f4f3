"""screendump: which display is meant, and what is said of a file that cannot be made."""

from __future__ import annotations

import pytest

from qmp_bridge.commands import Later, Relay
from qmp_bridge.errors import QmpError
from qmp_bridge.screendump import ScreendumpCommand
from tests.fakes.screens import FakeScreens

OLD, NEW = (7, 2, 22), (11, 1, 3)


@pytest.fixture
def screens():
    return FakeScreens()


def run(screens, version=OLD, **arguments):
    """Run the command; the list of what it came to."""
    outcome = ScreendumpCommand(screens, version).screendump(
        {"filename": "f"} | arguments
    )
    if isinstance(outcome, Relay):
        return [outcome]
    assert isinstance(outcome, Later)
    settled = []
    outcome.begin(settled.append)
    return settled


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ({}, (0, "f", "ppm")),
        ({"format": "png"}, (0, "f", "png")),
        ({"device": "qxld0"}, (0, "f", "ppm")),
        ({"device": "qxld0", "head": 1}, (1, "f", "ppm")),
    ],
)
def test_our_displays(screens, arguments, asked):
    settled = run(screens, **arguments)
    assert screens.asked == [asked]
    assert settled == []
    screens.waiting.pop()(None)
    assert settled == [{}]


def test_other_devices_are_qemus(screens):
    (relay,) = run(screens, device="video0", head=7)
    assert relay == Relay()
    assert not screens.asked


def test_qemu_is_asked_if_nothing_is_shown(screens):
    settled = run(screens)
    screens.waiting.pop()(OSError("no surface"))
    assert settled == [Relay()]


def test_our_device_shows_nothing(screens):
    settled = run(screens, device="qxld0")
    screens.waiting.pop()(OSError("no surface"))
    assert [error.desc for error in settled] == ["no surface"]


@pytest.mark.parametrize(
    ("version", "text"),
    [
        (OLD, "failed to open file 'f': No such file or directory"),
        (NEW, "Could not create 'f': No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_made(screens, version, text):
    settled = run(screens, version)
    screens.waiting.pop()(FileNotFoundError(2, "not this text"))
    assert [error.desc for error in settled] == [text]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"head": 1}, "'head' must be specified together with 'device'"),
        (
            {"device": "qxld0", "head": 2},
            r"Device qxld0 \(head 2\) is not bound to a QemuConsole",
        ),
        (
            {"device": "qxld0", "head": 2**32 - 1},
            r"Device qxld0 \(head -1\) is not bound to a QemuConsole",
        ),
        ({"format": "bmp"}, "Parameter 'format' does not accept value 'bmp'"),
        ({"filename": 5}, "Invalid parameter type for 'filename', expected: string"),
        ({"x": 1}, "Parameter 'x' is unexpected"),
    ],
)
def test_refusals(screens, arguments, text):
    with pytest.raises(QmpError, match=text):
        run(screens, **arguments)
