"""Connection files for remote-viewer, judged by GKeyFile's rules."""

from __future__ import annotations

import dataclasses
import stat
from pathlib import Path

import pytest

from qxld.config import SpiceConfig
from qxld.errors import QxldError
from qxld.vv_file import vv_text, write_vv
from tests.fakes.pki import write_pki


def parsed(text: str) -> dict[str, str]:
    first, *lines = text.splitlines()
    assert first == "[virt-viewer]"
    assert text.endswith("\n")
    values = dict(line.split("=", 1) for line in lines)
    escapes = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
    for key, value in values.items():
        out, letters = "", iter(value.lstrip(" "))
        for letter in letters:
            out += escapes[next(letters)] if letter == "\\" else letter
        values[key] = out
    return values


def test_plain():
    assert parsed(vv_text(SpiceConfig())) == {
        "type": "spice",
        "title": "qxld - %d",
        "host": "127.0.0.1",
        "port": "5930",
    }


@pytest.mark.parametrize(
    ("addr", "host"),
    [
        ("", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "::1"),
        ("vm.example", "vm.example"),
    ],
)
def test_host_can_be_connected_to(addr, host):
    assert parsed(vv_text(SpiceConfig(addr=addr)))["host"] == host


def test_unix_alone():
    values = parsed(vv_text(SpiceConfig(port=0, unix=Path("/run/s.sock"))))
    assert values["unix-path"] == "/run/s.sock"
    assert not {"host", "port"} & values.keys()


def test_tls_names_the_certificate(tmp_path):
    write_pki(tmp_path)
    spice = SpiceConfig(
        port=0, tls_port=5931, x509_dir=tmp_path, tls_channels=("main", "inputs")
    )
    values = parsed(vv_text(spice))
    assert values["tls-port"] == "5931"
    assert values["ca"] == (tmp_path / "ca-cert.pem").read_text()
    assert values["host-subject"] == "O=Test,CN=spice-test"
    assert values["secure-channels"] == "main;inputs"
    assert "port" not in values


def test_certificate_that_is_none(tmp_path):
    spice = SpiceConfig(tls_port=5931, x509_dir=tmp_path)
    with pytest.raises(QxldError, match=r"ca-cert\.pem: No such file"):
        vv_text(spice)
    write_pki(tmp_path)
    (tmp_path / "server-cert.pem").write_text("nothing")
    with pytest.raises(QxldError, match=r"server-cert.pem: "):
        vv_text(spice)


@pytest.mark.parametrize("odd", ["  a b", "a\\nb", "a\nb\tc\r", "ä; #=%", "\\", " "])
def test_values_survive(odd):
    spice = SpiceConfig(name=odd)
    values = parsed(vv_text(spice, password=odd))
    assert values["title"] == f"{odd} - %d"
    assert values["password"] == odd
    assert vv_text(spice, password=odd).count("\n") == 6


def test_password_only_where_one_is_asked_for():
    spice = SpiceConfig()
    assert "password" not in parsed(vv_text(spice))
    open_to_all = dataclasses.replace(spice, disable_ticketing=True)
    assert "password" not in parsed(vv_text(open_to_all, password="x"))


def test_file_is_its_owners(tmp_path):
    path = tmp_path / "vm.vv"
    write_vv(path, SpiceConfig(), "secret")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert parsed(path.read_text())["password"] == "secret"
