"""What the command line takes, and what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from qxld.command_line import parse
from qxld.options import OPTIONS

COMMANDS = (
    "run", "record", "serve", "attach", "qemu-args", "replay", "screenshot",
)  # fmt: skip


def refused(capsys, *words: str) -> str:
    with pytest.raises(SystemExit) as caught:
        parse(list(words))
    assert caught.value.code == 2
    told = capsys.readouterr()
    assert told.out == ""
    return told.err


def helped(capsys, monkeypatch, *words: str) -> str:
    monkeypatch.setenv("COLUMNS", "90")
    with pytest.raises(SystemExit) as caught:
        parse([*words, "--help"])
    assert caught.value.code == 0
    return capsys.readouterr().out


class TestWords:
    def test_all_behind_the_dashes_is_qemus(self):
        given = parse(
            ["run", "--port", "1", "--", "qemu", "-m", "2", "--", "--port", "x"]
        )
        assert given.qemu == ["qemu", "-m", "2", "--", "--port", "x"]
        assert vars(given)["spice.port"] == 1

    def test_help_behind_the_dashes_is_qemus(self):
        assert parse(["run", "--", "qemu", "--help"]).qemu == ["qemu", "--help"]

    def test_the_process_has_words_too(self, monkeypatch):
        monkeypatch.setattr("sys.argv", ["qxld", "serve", "--port", "7"])
        assert vars(parse())["spice.port"] == 7

    def test_qemu_args_takes_the_options_of_serve(self):
        given = parse(["qemu-args", "--runtime-dir", "d", "--port", "3"])
        assert given.command == "qemu-args"


class TestRecord:
    def test_file_and_qemu(self):
        parsed = parse(["record", "f.zst", "--port", "1", "--", "qemu", "-m", "64"])
        assert (parsed.command, parsed.file) == ("record", Path("f.zst"))
        assert parsed.qemu == ["qemu", "-m", "64"]

    def test_qemu_is_missing(self, capsys):
        with pytest.raises(SystemExit):
            parse(["record", "f.zst"])
        assert "qxld record FILE -- qemu-system-x86_64" in capsys.readouterr().err


class TestRefusal:
    def test_no_command(self, capsys):
        told = refused(capsys)
        assert "start QEMU together with its display" in told

    def test_unknown_command(self, capsys):
        assert "'rnu' (choose from" in refused(capsys, "rnu")

    @pytest.mark.parametrize("words", [[], ["--"], ["qemu-system-x86_64", "-m", "1"]])
    def test_no_qemu(self, capsys, words):
        told = refused(capsys, "run", "--port", "1", *words)
        assert "missing; it goes behind two dashes: qxld run -- qemu" in told

    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            (["run", "--prot", "1", "--", "x"], "--prot; did you mean --port?"),
            (["serve", "--multi"], "no option --multi; did you mean --multi-client?"),
            (["serve", "--xyzzy=3"], "there is no option --xyzzy\n"),
            (
                ["run", "--qmp", "x", "--", "x"],
                "--qmp is an option of attach and serve",
            ),
            (["attach", "--tablet", "usb"], "--tablet is an option of record and run"),
            (["serve", "more"], "'more' is not expected here"),
            (["serve", "--", "x"], "'x' is not expected here"),
            (["serve", "--port"], "argument --port: expected one argument"),
            (["serve", "--port", "x"], "argument --port: invalid int value: 'x'"),
            (["screenshot", "spice://h"], "required: -o/--output"),
        ],
    )
    def test_complaint_is_two_lines(self, capsys, words, complaint):
        told = refused(capsys, *words)
        assert complaint in told
        assert told.endswith(f"qxld {words[0]}: --help tells more\n")
        assert told.count("\n") == 2


class TestHelp:
    def test_names_every_command(self, capsys, monkeypatch):
        text = helped(capsys, monkeypatch)
        for command in COMMANDS:
            assert re.search(rf"^  {command} +\w", text, re.MULTILINE), command

    @pytest.mark.parametrize("command", COMMANDS)
    def test_fits_and_shows_what_there_is(self, capsys, monkeypatch, command):
        text = helped(capsys, monkeypatch, command)
        assert max(map(len, text.splitlines())) <= 90
        if command != "screenshot":
            for options in OPTIONS.values():
                for option in options:
                    shown = re.search(rf"\n  {option.flag}(?![\w-])", text)
                    assert bool(shown) == (command in option.commands), option.flag

    @pytest.mark.parametrize("command", ["", *COMMANDS])
    def test_examples_are_taken(self, capsys, monkeypatch, command):
        text = helped(capsys, monkeypatch, *filter(None, [command]))
        examples = text.partition("example")[2].partition("options:")[0]
        joined = examples.replace("\\\n", " ").replace("$(", "\n").replace(")", "\n")
        lines = [line.strip(" &") for line in joined.splitlines()]
        found = [shlex.split(line)[1:] for line in lines if line.startswith("qxld ")]
        assert found
        for words in found:
            parse(words)

    def test_version(self, capsys):
        with pytest.raises(SystemExit) as caught:
            parse(["--version"])
        assert caught.value.code == 0
        assert re.fullmatch(r"\d+\.\d+\.\d+\n", capsys.readouterr().out)
