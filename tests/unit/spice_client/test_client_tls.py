"""Whom a client trusts; handshakes themselves are in tests/interop."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from spice_client.errors import ConnectError
from spice_client.tls import TlsTrust, subject_matches

if TYPE_CHECKING:
    from pathlib import Path

SUBJECT = ((("organizationName", "A, B \\ C"),), (("commonName", "host"),))


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        (r"O=A\, B \\ C,CN=host", True),
        (r"O=A\, B \\ C, CN=host", True),
        (r"CN=host,O=A\, B \\ C", False),
        ("CN=host", False),
        (r"O=A\, B \\ C,CN=other", False),
        ("", False),
    ],
)
def test_subject(wanted: str, matches: bool) -> None:
    assert subject_matches(SUBJECT, wanted) is matches


def test_context() -> None:
    assert TlsTrust().context().check_hostname
    assert TlsTrust().context().verify_mode is ssl.CERT_REQUIRED
    by_subject = TlsTrust(host_subject="CN=x").context()
    assert not by_subject.check_hostname
    assert by_subject.verify_mode is ssl.CERT_REQUIRED
    assert TlsTrust(insecure=True).context().verify_mode is ssl.CERT_NONE


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_bad_ca_file(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConnectError, match="CA file"):
        TlsTrust(path).context()
