"""``python -m qxld``."""

from __future__ import annotations

import subprocess
import sys

from qxld import __main__ as main_module
from qxld.__main__ import main


def test_interrupt_before_anything_began(monkeypatch):
    def interrupted(_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("qxld.program.execute", interrupted)
    assert main(["serve"]) == 130


def test_exit_code_is_the_programs(monkeypatch):
    monkeypatch.setattr("qxld.program.execute", len)
    assert main_module.main(["a", "b"]) == 2


def test_as_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "qxld", "serve", "--displays", "x"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("qxld serve: argument --displays: invalid int")
