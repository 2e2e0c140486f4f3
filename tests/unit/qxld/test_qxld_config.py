"""The configuration file."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path

import pytest

from qxld.config import (
    DeviceConfig,
    LogConfig,
    MonitorConfig,
    QxldConfig,
    SpiceConfig,
    load,
    override,
)
from qxld.errors import UsageError

DOCS = Path(__file__).resolve().parents[3] / "docs" / "configuration.md"
SECTIONS = {
    "device": DeviceConfig,
    "spice": SpiceConfig,
    "monitor": MonitorConfig,
    "log": LogConfig,
}


@pytest.fixture
def written(tmp_path):
    def write(text: str | bytes) -> Path:
        path = tmp_path / "qxld.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_file_over_defaults(written):
    config = load(
        written("""
            runtime-dir = "/run/vm"
            [device]
            displays = 2
            ram_mib = 128
            [spice]
            unix = "spice.sock"
            tls-channels = ["main", "inputs"]
            multi-client = true
            [log]
            format = "json"
        """)
    )
    assert config == QxldConfig(
        runtime_dir=Path("/run/vm"),
        device=DeviceConfig(displays=2, ram_mib=128),
        spice=SpiceConfig(
            unix=Path("spice.sock"),
            tls_channels=("main", "inputs"),
            multi_client=True,
        ),
        log=LogConfig(format="json"),
    )


def test_empty_file_is_the_defaults(written):
    assert load(written("")) == QxldConfig()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[spice]\nport = = 3", r"Invalid value \(at line 2, column 8\)"),
        ("[spice", r"at end of document"),
        (b"name = '\xff'", "it is not UTF-8 text"),
        ("[spice]\nprot = 3", "unknown key 'spice.prot'; did you mean 'port'"),
        ("[spcie]\nport = 3", "unknown key 'spcie'; did you mean 'spice'"),
        ("zzz = 3", r"unknown key 'zzz' \(known: runtime-dir, device, "),
        ("spice = 3", "spice: expected a section"),
        ("[spice]\nport = '3'", "spice.port: expected an integer, got '3'"),
        ("[spice]\nport = true", "spice.port: expected an integer, got True"),
        ("[spice]\nmulti-client = 1", "spice.multi-client: expected true or false"),
        ("[spice]\nname = 1", "spice.name: expected text, got 1"),
        ("[spice]\nunix = 1", "spice.unix: expected a path, got 1"),
        ("[spice]\ntls-channels = 'main'", "expected a list of strings, got 'main'"),
        ("[spice]\ntls-channels = [1]", r"expected a list of strings, got \[1\]"),
        ("[device]\nbar-mib = 1.5", "device.bar-mib: expected an integer, got 1.5"),
    ],
)
def test_wrong_file_is_told_with_its_place(written, text, complaint):
    path = written(text)
    with pytest.raises(UsageError, match=complaint) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_file_that_cannot_be_read(tmp_path):
    with pytest.raises(UsageError, match=r"none\.toml: No such file or directory"):
        load(tmp_path / "none.toml")
    with pytest.raises(UsageError, match="Is a directory"):
        load(tmp_path)


def test_none_unsets_what_can_be_unset():
    assert override(QxldConfig(runtime_dir=Path("/x")), {"runtime_dir": None}) == (
        QxldConfig()
    )
    with pytest.raises(UsageError):
        override(QxldConfig(), {"spice": {"port": None}})


def documented() -> str:
    found = re.search(r"```toml\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert found
    return found[1]


def test_documentation_shows_the_defaults(written):
    assert load(written(documented())) == QxldConfig()


def test_documentation_has_every_key():
    # What has no default stands there as a comment.
    text = re.sub(r"^# (?=[a-z0-9-]+ = )", "", documented(), flags=re.MULTILINE)
    shown = tomllib.loads(text)
    override(QxldConfig(), shown)
    for section, kind in SECTIONS.items():
        fields = {f.name.replace("_", "-") for f in dataclasses.fields(kind)}
        assert fields == set(shown[section]), section
    top = {f.name.replace("_", "-") for f in dataclasses.fields(QxldConfig)}
    assert top == set(shown)
