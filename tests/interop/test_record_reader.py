"""What we record, read by a reader of the format that others wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.peers.qxld_process import qxld
from tests.peers.recorded_streams import SAMPLES

ROOT = Path(__file__).resolve().parents[2]
READER = ROOT.parent / "shared" / "tools" / "peer" / "qxlrec.py"

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not READER.exists(), reason="the other reader is not here"),
]

OF_ITS_TIME = {"file", "events", "seconds", "device_msgs"}
"""What differs: when it was recorded, and doorbells, which we leave out."""


def statistics(record: Path) -> dict[str, Any]:
    """What the other reader makes of a record."""
    told = subprocess.run(
        [sys.executable, READER, "stat", record], capture_output=True, check=True
    )
    found: dict[str, Any] = json.loads(told.stdout)
    return {name: value for name, value in found.items() if name not in OF_ITS_TIME}


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.zst")), ids=lambda p: p.stem)
def test_a_record_of_a_replay_is_the_record_again(sample, tmp_path):
    again = tmp_path / "again.qxlrec.zst"
    listen = ("--port", 0, "--unix", tmp_path / "socket")
    done = qxld("replay", sample, *listen, "--record", again)
    assert done.returncode == 0, done.stdout
    assert statistics(again) == statistics(sample)
