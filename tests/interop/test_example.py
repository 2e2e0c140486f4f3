"""The example draws, and spicy-screenshot sees exactly that."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers.programs import PATIENCE, missing, spicy_screenshot

ROOT = Path(__file__).parents[2]
BARS = ("ffffff", "ffff00", "00ffff", "00ff00", "ff00ff", "ff0000", "0000ff", "000000")

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(
        missing("spicy-screenshot") is not None, reason="no spicy-screenshot"
    ),
]


@pytest.fixture
def port():
    example = subprocess.Popen(
        [sys.executable, ROOT / "examples/draw_to_a_client.py"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    line = example.stdout.readline()
    assert line.startswith("spice://127.0.0.1:"), line + example.stderr.read()
    yield line.strip().rpartition(":")[2]
    example.send_signal(signal.SIGINT)
    _, complaints = example.communicate(timeout=PATIENCE)
    assert complaints == ""
    assert example.returncode == 0


def test_spicy_screenshot_of_the_example(port, tmp_path):
    shot = spicy_screenshot(tmp_path, "-h", "127.0.0.1", "-p", port)
    assert shot.code == 0, shot.stderr
    assert shot.picture is not None
    assert (shot.picture.width, shot.picture.height) == (640, 480)
    row = b"".join(bytes.fromhex(color) * 80 for color in BARS)
    assert shot.picture.rgb == row * 480
