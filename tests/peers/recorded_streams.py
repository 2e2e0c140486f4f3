"""Recorded desktops: where they are, and short pieces of them for every day."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

__all__ = ["CORPUS", "PIECES", "SAMPLES", "cut", "full_streams", "missing"]

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT.parent / "shared" / "corpus" / "qxl"
SAMPLES = ROOT / "tests" / "vectors" / "replay"
"""Small streams that are part of this tree."""
PIECES = {
    "image-ums": 40,
    "desk-ums": 60,
    "desk-umsrich": 60,
    "desk-mset": 100,
    "console-kms": 40,
    "video-ums": 60,
    "x11perf-kms": 300,
}
"""MB (of the text) after which something worth seeing is on the screen: a photo, an
editor, an editor over off-screen surfaces, a terminal, a boot log, a clip, tests."""
MB = 1_000_000


def missing() -> str | None:
    """Why there are no recorded desktops here, if so."""
    return None if CORPUS.is_dir() else "the recorded streams are not on this machine"


def full_streams() -> list[Path]:
    """Return the streams to be played to their end: those in $QXLD_STREAMS."""
    folder = os.environ.get("QXLD_STREAMS")
    return sorted(Path(folder).glob("*.qxlrec*")) if folder else []


def cut(name: str, folder: Path) -> Path:
    """Write the first events of stream *name* to *folder*."""
    piece = folder / f"{name}.qxlrec"
    command = ["zstd", "-dcq", "--long=31", CORPUS / f"{name}.qxlrec.zst"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as reader:
        assert reader.stdout
        data = reader.stdout.read(PIECES[name] * MB)
        reader.kill()
    piece.write_bytes(data[: data.rindex(b"\nevent ") + 1])
    return piece
