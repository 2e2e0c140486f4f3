"""From the configuration to the settings of the parts."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from qxld.config import DeviceConfig, QxldConfig, SpiceConfig
from qxld.errors import UsageError
from qxld.settings import (
    attach_options,
    check_tablet,
    client_host,
    layout,
    password,
    read_password,
    server_config,
)
from spice_protocol.enums import ChannelType
from spice_server.config import ChannelSecurity

MIB = 1 << 20


def spice(**changes: object) -> QxldConfig:
    return QxldConfig(spice=dataclasses.replace(SpiceConfig(), **changes))


class TestLayout:
    def test_default(self):
        plan = layout(DeviceConfig())
        assert (len(plan.displays), plan.size) == (1, 128 * MIB)

    def test_wanted_size(self):
        device = DeviceConfig(displays=2, ram_mib=16, vram_mib=8, bar_mib=256)
        assert layout(device).size == 256 * MIB

    @pytest.mark.parametrize(
        ("device", "complaint"),
        [
            (DeviceConfig(displays=0), "0 displays: there can be 1 to 4"),
            (DeviceConfig(displays=5), "5 displays: there can be 1 to 4"),
            (DeviceConfig(bar_mib=100), "not a power of two .* ask for 128 MiB"),
            (DeviceConfig(bar_mib=64), "too small .* ask for 128 MiB"),
            (DeviceConfig(ram_mib=-1), "RAM of -1048576 bytes"),
            (DeviceConfig(vectors=1), "vectors"),
        ],
    )
    def test_impossible(self, device, complaint):
        with pytest.raises(UsageError, match=complaint):
            layout(device)

    @pytest.mark.parametrize("kind", ["virtio", "usb", "none"])
    def test_tablet(self, kind):
        check_tablet(DeviceConfig(tablet=kind))

    def test_no_such_tablet(self):
        with pytest.raises(UsageError, match="there are virtio, usb, none"):
            check_tablet(DeviceConfig(tablet="wacom"))


def test_attach_options():
    config = QxldConfig(device=DeviceConfig(vectors=9, bus="port1"))
    options = attach_options(config, Path("/run/x"))
    assert options.path == Path("/run/x/ivshmem.sock")
    assert (options.vectors, options.bus) == (9, "port1")


@pytest.mark.parametrize(
    ("addr", "host"),
    [("", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("a.b", "a.b")],
)
def test_client_host(addr, host):
    assert client_host(addr) == host


class TestPassword:
    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            (b"secret", "secret"),
            (b"secret\nmore", "secret"),
            (b"secret\r\n", "secret"),
            ("  gr\u00fcn \n".encode(), "  gr\u00fcn "),
            (b"x" * 60, "x" * 60),
        ],
    )
    def test_first_line(self, tmp_path, data, expected):
        path = tmp_path / "secret"
        path.write_bytes(data)
        assert read_password(path) == expected

    @pytest.mark.parametrize(
        ("data", "complaint"),
        [
            (b"", "its first line is empty"),
            (b"\nsecret", "its first line is empty"),
            (b"\xff", "it is not UTF-8 text"),
            (b"a\0b", "cannot hold a NUL"),
            (b"x" * 61, "at most 60 bytes"),
            ("\u00fc".encode() * 31, "at most 60 bytes"),
        ],
    )
    def test_none_in_it(self, tmp_path, data, complaint):
        path = tmp_path / "secret"
        path.write_bytes(data)
        with pytest.raises(UsageError, match=f"^{path}: .*{complaint}"):
            read_password(path)

    def test_no_file(self, tmp_path):
        with pytest.raises(UsageError, match="none: No such file"):
            read_password(tmp_path / "none")
        assert password(SpiceConfig()) == ""


class TestServer:
    def test_default(self):
        config = server_config(QxldConfig())
        assert (config.addr, config.port, config.tls_port) == ("127.0.0.1", 5930, None)
        assert (config.ticketing, config.password) == (True, "")
        assert (config.multi_client, config.name) == (False, "qxld")
        assert config.tls is None
        assert not config.security

    def test_everything(self, tmp_path):
        (tmp_path / "secret").write_text("ticket")
        config = server_config(
            spice(
                port=0,
                tls_port=5931,
                x509_dir=tmp_path,
                unix=tmp_path / "s",
                tls_channels=("main", "Inputs"),
                password_file=tmp_path / "secret",
                disable_ticketing=True,
                multi_client=True,
                html5=tmp_path,
                websocket_origins=("https://portal",),
            )
        )
        assert config.pages == tmp_path
        assert config.websocket_origins == ("https://portal",)
        assert (config.port, config.tls_port) == (None, 5931)
        assert config.unix_path == tmp_path / "s"
        assert config.tls is not None
        assert config.tls.key == tmp_path / "server-key.pem"
        assert config.security == {
            ChannelType.MAIN: ChannelSecurity.SECURE,
            ChannelType.INPUTS: ChannelSecurity.SECURE,
        }
        assert (config.ticketing, config.multi_client) == (False, True)
        assert config.password == "ticket"

    def test_channels_by_name_and_all_others(self):
        folder = {"tls_port": 1, "x509_dir": Path()}
        config = server_config(
            spice(
                **folder,
                tls_channels=("default", "main"),
                plaintext_channels=("cursor",),
            )
        )
        assert config.default_security is ChannelSecurity.SECURE
        assert config.security == {
            ChannelType.MAIN: ChannelSecurity.SECURE,
            ChannelType.CURSOR: ChannelSecurity.INSECURE,
        }
        assert server_config(spice()).default_security is ChannelSecurity.ANY

    def test_tls_and_passwords(self):
        config = server_config(
            spice(
                tls_port=1,
                x509_dir=Path("/pki"),
                tls_ciphers="ECDHE",
                tls_verify_peer=True,
                tls_peer_subjects=("CN=x",),
                one_time_password=True,
            )
        )
        assert config.tls is not None
        assert config.tls.ca == Path("/pki/ca-cert.pem")
        assert (config.tls.ciphers, config.tls.verify_peer) == ("ECDHE", True)
        assert config.tls.peer_subjects == ("CN=x",)
        assert config.one_time

    @pytest.mark.parametrize(
        ("changes", "complaint"),
        [
            ({"port": 0}, "nothing to listen on"),
            ({"port": 65536}, "port 65536: ports are 1 to 65535"),
            ({"port": -1}, "port -1"),
            ({"tls_port": 65536}, "tls-port 65536"),
            ({"tls_port": 5930, "x509_dir": Path()}, "port and TLS port are both 5930"),
            ({"tls_port": 5931}, "a TLS port needs certificates"),
            ({"tls_channels": ("main",)}, "need a TLS port"),
            (
                {"tls_port": 1, "x509_dir": Path(), "tls_channels": ("mian",)},
                "no channel 'mian'; there are main, display",
            ),
            (
                {
                    "port": 0,
                    "tls_port": 1,
                    "x509_dir": Path(),
                    "plaintext_channels": ("main",),
                },
                "insecure channels need a port",
            ),
            (
                {
                    "tls_port": 1,
                    "x509_dir": Path(),
                    "tls_channels": ("Main", "cursor"),
                    "plaintext_channels": ("main",),
                },
                "channel 'main' is to be secure and insecure",
            ),
            ({"tls_peer_subjects": ("CN=x",)}, "give tls-verify-peer"),
            ({"sasl": True, "password_file": Path("x")}, "with sasl there are no"),
            ({"sasl": True, "one_time_password": True}, "with sasl there are no"),
        ],
    )
    def test_contradictions(self, changes, complaint):
        with pytest.raises(UsageError, match=complaint):
            server_config(spice(**changes))
