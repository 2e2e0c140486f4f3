"""Log lines for people and for machines."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys

import pytest

from qxld import logs
from spice_server.channel.channel_client import ClientLog


@pytest.fixture(autouse=True)
def restored():
    """Leave logging as pytest has it."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.raiseExceptions
    yield
    root.handlers[:], root.level, logging.raiseExceptions = before


def test_human_line(capsys):
    logs.setup("info", "human")
    logging.getLogger("a.b").warning("it is %d", 7)
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d\.\d{3} warning a\.b: it is 7\n", capsys.readouterr().err
    )


def test_level(capsys):
    logs.setup("warning", "human")
    logging.getLogger("a").info("not told")
    logging.getLogger("a").error("told")
    assert capsys.readouterr().err.count("\n") == 1


def test_human_traceback_follows(capsys):
    logs.setup("error", "human")
    try:
        int("why")
    except ValueError:
        logging.getLogger("a").exception("it failed")
    first, *rest = capsys.readouterr().err.splitlines()
    assert first.endswith("error a: it failed")
    assert rest[0].startswith("Traceback")
    assert rest[-1] == "ValueError: invalid literal for int() with base 10: 'why'"


def test_json_object_a_line(capsys):
    logs.setup("debug", "json")
    logger = logging.getLogger("spice_server.x")
    logger.info("two\nlines \u2028 %s", "\udc80")
    ClientLog(logger, {"client": "0x12", "channel": "MAIN:0"}).info("hello")
    logger.info("odd", extra={"path": os.fspath("x"), "thing": {1}})
    first, second, third = map(json.loads, capsys.readouterr().err.splitlines())
    assert first.keys() == {"time", "level", "logger", "message"}
    assert first["message"].startswith("two\nlines")
    assert isinstance(first["time"], float)
    assert (second["level"], second["logger"]) == ("info", "spice_server.x")
    assert (second["client"], second["channel"]) == ("0x12", "MAIN:0")
    assert third["thing"] == "{1}"


def test_json_exception(capsys):
    logs.setup("error", "json")
    try:
        int("why")
    except ValueError:
        logging.getLogger("a").exception("it failed")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["exception"].endswith("base 10: 'why'")


@pytest.mark.parametrize("style", ["human", "json"])
def test_full_standard_error_ends_nothing(style):
    script = (
        "import logging; from qxld import logs; "
        f"logs.setup('info', {style!r}); logging.info('x'); print('on')"
    )
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [sys.executable, "-c", script],
            stdout=subprocess.PIPE,
            stderr=full,
            check=False,
        )
    assert done.stdout == b"on\n"


@pytest.mark.parametrize(("level", "style"), [("loud", "human"), ("info", "xml")])
def test_unknown(level, style):
    with pytest.raises(ValueError, match=r"is not (one of debug|human or json)"):
        logs.setup(level, style)
