"""Addresses, good and bad."""

from __future__ import annotations

import pytest

from spice_client.errors import UriError
from spice_client.uri import ServerAddress, parse_uri


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("spice://host:5930", ServerAddress("host", 5930)),
        ("spice://[::1]:5930", ServerAddress("::1", 5930)),
        ("spice://host?port=1&tls-port=2", ServerAddress("host", 1, 2)),
        ("spice://host:1?tls-port=2", ServerAddress("host", 1, 2)),
        ("spice://host?tls-port=2", ServerAddress("host", None, 2)),
        ("spice://host:1/", ServerAddress("host", 1)),
        ("spice+tls://host:5931", ServerAddress("host", None, 5931)),
        ("spice+tls://host?tls-port=5931", ServerAddress("host", None, 5931)),
        ("spice+unix:///run/a%20b.sock", ServerAddress(path="/run/a b.sock")),
        (
            "spice+unix:///run/s?password=x",
            ServerAddress(path="/run/s", password="x"),
        ),
        ("spice://h:1?password=a%26b", ServerAddress("h", 1, password="a&b")),
    ],
)
def test_good(uri: str, address: ServerAddress) -> None:
    assert parse_uri(uri) == address


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("", "scheme"),
        ("host:5930", "scheme"),
        ("http://host:80", "scheme"),
        ("spice://host", "no port"),
        ("spice+tls://host", "no port"),
        ("spice://:5930", "no host"),
        ("spice://host:0", "no port"),
        ("spice://host:65536", "65535"),
        ("spice://host:abc", "abc"),
        ("spice://host?port=-1", "'-1' is no port"),
        ("spice://host?tls-port=70000", "no port"),
        ("spice+unix://host/path", "unix socket"),
        ("spice+unix://", "unix socket"),
        ("spice://[::1:5930", "Invalid IPv6 URL"),
    ],
)
def test_bad(uri: str, why: str) -> None:
    with pytest.raises(UriError, match=why):
        parse_uri(uri)
