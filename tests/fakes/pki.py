"""Certificates made for one test run."""

from __future__ import annotations

import datetime as dt
import ipaddress
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def write_pki(directory: Path, name: str = "spice-test", days: int = 30) -> Path:
    """Write a CA and what it signed: the server's and a client's certificate and key.

    The server is *name* and 127.0.0.1, the client ``O=Test,CN=somebody``; the files are
    ca-cert.pem, server-cert.pem, server-key.pem, client-cert.pem and client-key.pem.
    """
    directory.mkdir(parents=True, exist_ok=True)
    now = dt.datetime.now(dt.UTC)
    ca_key, key, client_key = (
        ec.generate_private_key(ec.SECP256R1()) for _ in range(3)
    )
    base = (
        x509.CertificateBuilder()
        .issuer_name(_name("qxld test CA"))
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=days))
    )
    ca = (
        base.subject_name(_name("qxld test CA"))
        .public_key(ca_key.public_key())
        .serial_number(1)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    cert = (
        base.subject_name(_name(name))
        .public_key(key.public_key())
        .serial_number(2)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    client = (
        base.subject_name(_name("somebody"))
        .public_key(client_key.public_key())
        .serial_number(3)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (directory / "ca-cert.pem").write_bytes(ca.public_bytes(pem))
    (directory / "server-cert.pem").write_bytes(cert.public_bytes(pem))
    (directory / "client-cert.pem").write_bytes(client.public_bytes(pem))
    for owner, secret in (("server", key), ("client", client_key)):
        (directory / f"{owner}-key.pem").write_bytes(
            secret.private_bytes(
                pem,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    return directory
