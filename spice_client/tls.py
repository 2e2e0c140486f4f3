"""Whom a client trusts over TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spice_client.errors import ConnectError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["TlsTrust", "subject_matches"]

_SHORT_NAMES = {
    "countryName": "C",
    "stateOrProvinceName": "ST",
    "localityName": "L",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "commonName": "CN",
    "emailAddress": "emailAddress",
    "serialNumber": "serialNumber",
    "domainComponent": "DC",
}

Subject = tuple[tuple[tuple[str, str], ...], ...]
"""As ``ssl.SSLSocket.getpeercert`` returns it."""


def _split_subject(text: str) -> list[tuple[str, str]]:
    """Take ``O=Test,CN=x`` apart; a backslash keeps a comma from splitting."""
    parts = text.replace("\\\\", "\0").replace("\\,", "\1").split(",")
    pairs = []
    for part in parts:
        name, _, value = part.replace("\1", ",").replace("\0", "\\").partition("=")
        pairs.append((name.strip(), value.strip()))
    return pairs


def subject_matches(subject: Subject, wanted: str) -> bool:
    """Whether a certificate's subject is the ``host-subject`` of a .vv file."""
    pairs = [
        (_SHORT_NAMES.get(name, name), value) for rdn in subject for name, value in rdn
    ]
    return pairs == _split_subject(wanted)


@dataclass(slots=True)
class TlsTrust:
    """How to tell the right server from a wrong one."""

    ca_file: Path | None = None
    """PEM certificates to trust instead of the system's."""
    host_subject: str | None = None
    """The certificate's subject, looked at instead of the host's name."""
    insecure: bool = False
    """Trust anybody."""

    def context(self) -> ssl.SSLContext:
        """Return what the TLS handshake needs.

        Raises:
            ConnectError: the CA file cannot be read.

        """
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConnectError(f"CA file {self.ca_file}: {error}") from error
        if self.insecure or self.host_subject is not None:
            context.check_hostname = False
        if self.insecure:
            context.verify_mode = ssl.CERT_NONE
        return context

    def check(self, peer: ssl.SSLObject) -> None:
        """Look at the certificate the handshake accepted.

        Raises:
            ConnectError: its subject is another one.

        """
        if self.insecure or self.host_subject is None:
            return
        certificate = peer.getpeercert() or {}
        subject: Subject = certificate.get("subject", ())  # type: ignore[assignment] # typeshed: looser
        if not subject_matches(subject, self.host_subject):
            raise ConnectError(f"the certificate's subject is not {self.host_subject}")
