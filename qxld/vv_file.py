"""Write connection files for remote-viewer (man remote-viewer, CONNECTION FILE)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from qxld.config import SpiceConfig

__all__ = ["vv_text", "write_vv"]


def vv_text(spice: SpiceConfig, password: str | None = None) -> str:
    """Return the text of a ``.vv`` file that opens what *spice* serves."""
    host = "127.0.0.1" if spice.addr in {"", "0.0.0.0", "::"} else spice.addr  # noqa: S104
    lines = ["[virt-viewer]", "type=spice", f"title={spice.name} - %d"]
    if spice.unix and not spice.port and not spice.tls_port:
        lines.append(f"unix-path={spice.unix}")
    else:
        lines.append(f"host={host}")
    if spice.port:
        lines.append(f"port={spice.port}")
    if spice.tls_port:
        lines.append(f"tls-port={spice.tls_port}")
    if spice.tls_port and spice.x509_dir:
        ca = (spice.x509_dir / "ca-cert.pem").read_text(encoding="ascii")
        lines.append("ca=" + ca.replace("\n", "\\n"))
    if spice.tls_channels:
        lines.append("secure-channels=" + ";".join(spice.tls_channels))
    if password:
        lines.append(f"password={password}")
    return "\n".join(lines) + "\n"


def write_vv(path: Path, spice: SpiceConfig, password: str | None = None) -> None:
    """Write a ``.vv`` file that only its owner may read: it can hold the ticket."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)
        file.write(vv_text(spice, password))
