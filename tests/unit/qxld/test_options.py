"""Options and the keys they set."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from qxld.command_line import parse
from qxld.commands import COMMANDS
from qxld.config import HTML5_DIR, DeviceConfig, QxldConfig, SpiceConfig
from qxld.errors import UsageError
from qxld.options import OPTIONS, configuration

ALL = [option for options in OPTIONS.values() for option in options]
ONLY_IN_THE_FILE = {"device.vectors"}


def keys() -> set[str]:
    found = set()
    for field in dataclasses.fields(QxldConfig):
        section = getattr(QxldConfig(), field.name)
        if dataclasses.is_dataclass(section):
            found |= {f"{field.name}.{f.name}" for f in dataclasses.fields(section)}
        else:
            found.add(field.name)
    return found


def test_every_key_has_an_option():
    assert {option.key for option in ALL} == keys() - ONLY_IN_THE_FILE


def test_flags_are_unique_and_commands_known():
    assert len({option.flag for option in ALL}) == len(ALL)
    for option in ALL:
        assert option.commands <= set(COMMANDS)


def test_no_options_no_change():
    assert configuration(parse(["serve"])) == QxldConfig()


def test_options_override_the_file(tmp_path):
    path = tmp_path / "qxld.toml"
    path.write_text('[spice]\nport = 1\nname = "file"\ntls-channels = ["main"]\n')
    words = ["--config", str(path), "--port", "2", "--displays", "3"]
    words += ["--tls-channel", "inputs", "--tls-channel", "cursor"]
    words += ["--unix", "s", "--multi-client", "--runtime-dir", "r"]
    assert configuration(parse(["serve", *words])) == QxldConfig(
        runtime_dir=Path("r"),
        device=DeviceConfig(displays=3),
        spice=SpiceConfig(
            port=2,
            name="file",
            tls_channels=("inputs", "cursor"),
            unix=Path("s"),
            multi_client=True,
        ),
    )


def test_wrong_file_is_told(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        configuration(parse(["serve", "--config", str(tmp_path / "none")]))


@pytest.mark.parametrize(
    ("words", "folder"),
    [
        ([], None),
        (["--html5"], HTML5_DIR),
        (["--html5-dir", "d"], Path("d")),
        (["--html5", "--html5-dir", "d"], Path("d")),
    ],
)
def test_pages_for_browsers(words, folder):
    assert configuration(parse(["serve", *words])).spice.html5 == folder
