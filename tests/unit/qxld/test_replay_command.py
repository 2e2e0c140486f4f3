"""`qxld replay` from its command line to its figures."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from qxld.program import execute
from spice_protocol.qxl_dev import QxlDrawType
from tests.fakes.replay_text import (
    create_primary,
    cursor_set,
    fill,
    message,
    replay_file,
    surface,
)

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = ROOT / "tests" / "vectors" / "replay"
DRAWING = (
    message(22),
    create_primary(64, 48),
    surface(5, 16, 16),
    fill(0, 0, 16, 16, 0xFF, surface_id=5),
    *(fill(x, 0, x + 1, 48, x) for x in range(60)),
    cursor_set(3, 4),
    message(30),
    create_primary(32, 32),
    fill(0, 0, 32, 32, 0xFF00),
    message(9, after=1.0),
)


@pytest.fixture
def play(tmp_path, capsys):
    """Play a file's content; exit code, figures, and what was said besides."""

    def run(content: bytes, *words: object) -> tuple[int, dict, str]:
        path = tmp_path / "file.qxlrec"
        path.write_bytes(content)
        unix = ["--port", 0, "--unix", tmp_path / "socket", "--json"]
        code = execute([str(w) for w in ["replay", path, *unix, *words]])
        told = capsys.readouterr()
        return code, json.loads(told.out.splitlines()[-1]), told.err

    return run


def test_all_is_played(play):
    content = replay_file(*DRAWING)
    code, figures, said = play(content)
    assert code == 0
    assert said == ""
    assert figures["commands"] == figures["released"] == 64
    assert figures["events"] == len(DRAWING)
    assert figures["file_bytes"] == len(content)
    assert figures["recorded_seconds"] == 1.0
    assert figures["drawn"] == {str(int(QxlDrawType.DRAW_FILL)): 62}
    assert figures["problem"] is None
    assert set(figures["channels"]) == {"main:0", "inputs:0", "display:0", "cursor:0"}
    assert figures["channels"]["display:0"] == {"bytes": 0, "messages": 0}
    assert 0 < figures["wall_seconds"] <= figures["sent_seconds"]
    for key in ("cpu", "worker_cpu", "reader_cpu", "feed"):
        assert figures[f"{key}_seconds"] >= 0
    assert figures["peak_rss_bytes"] >= figures["rss_bytes"] // 2 > 0


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.zst")), ids=lambda p: p.stem)
def test_samples(sample, tmp_path, capsys):
    words = ["replay", sample, "--port", 0, "--unix", tmp_path / "socket", "--json"]
    assert execute(list(map(str, words))) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["problem"] is None
    assert figures["commands"] == figures["released"] > 50
    assert not figures["unsupported"]


def test_a_file_that_is_cut_off(play):
    content = replay_file(*DRAWING)
    end = content.rindex(b"event") - 10
    code, figures, said = play(content[:end])
    assert code == 1
    assert figures["commands"] == figures["released"] == 63
    assert figures["problem"] == (
        f"byte {end}: event {len(DRAWING) - 2}: the file ends inside it; "
        "the 63 commands before it were played"
    )
    assert figures["problem"] in said
    assert "file.qxlrec: byte" in said


def test_a_file_that_is_damaged(play):
    code, figures, said = play(replay_file(*DRAWING[:-2], b"event x\n"))
    assert code == 1
    assert figures["commands"] == 63
    assert "expected event" in said


def test_a_file_of_something_else(play):
    code, figures, said = play(b"no record at all")
    assert code == 1
    assert figures["commands"] == 0
    assert 'byte 0: event 0: this is no "SPICE_REPLAY 1" file' in said


def test_a_device_that_refuses(play):
    wrong = create_primary(64, 48).replace(b"256 32\n", b"256 33\n")
    code, figures, said = play(replay_file(wrong, fill(0, 0, 1, 1, 0)))
    assert code == 1
    assert figures["commands"] == 0
    assert "the device refused QXL_IO_CREATE_PRIMARY" in said


def test_pace(play):
    events = [fill(0, 0, 1, 1, 0, after=seconds) for seconds in (0, 1, 1000)]
    code, figures, _said = play(
        replay_file(create_primary(8, 8), *events), "--pace", 20, "--max-gap", 2
    )
    assert code == 0
    assert figures["recorded_seconds"] == 3.0
    assert figures["wall_seconds"] >= 3 / 20


@pytest.mark.parametrize("pace", ["0", "-1", "fast", "nan"])
def test_a_pace_that_is_none(play, pace, tmp_path, capsys):
    path = tmp_path / "file"
    path.write_bytes(replay_file())
    assert execute(["replay", str(path), "--pace", pace]) == 2
    assert "a number above 0, or max" in capsys.readouterr().err


def test_what_is_recorded_plays_to_the_same_record(play, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    assert play(replay_file(*DRAWING), "--record", first)[0] == 0
    assert play(first.read_bytes(), "--record", second)[0] == 0
    assert commands_of(first.read_bytes()) == commands_of(second.read_bytes())
    assert first.read_bytes().count(b"drawable") == 62


def commands_of(record: bytes) -> list[bytes]:
    """The ring's commands and surfaces of a record, without numbers and times."""
    events = record.split(b"\nevent ")[1:]
    parts = [event.split(b"\n", 1) for event in events]
    kept = [(head.split(), body[0] if body else b"") for head, *body in parts]
    # Cursors have a ring of their own: where they stand among the others is chance.
    return [body for head, body in kept if body and head[1:3] != [b"0", b"3"]]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ended_by_a_signal(tmp_path, number):
    path = tmp_path / "file"
    path.write_bytes(replay_file(*DRAWING))
    words = ["--port", "0", "--unix", tmp_path / "socket", "--json", "--linger", "999"]
    process = subprocess.Popen(
        [sys.executable, "-m", "qxld", "replay", path, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("SPICE: spice+unix:///")
    process.send_signal(number)
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert json.loads(out)["problem"] is None
