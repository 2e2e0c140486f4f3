"""Write connection files for remote-viewer (man remote-viewer, CONNECTION FILE)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qxld.errors import QxldError
from qxld.private_file import write_private
from qxld.settings import DEFAULT_CHANNEL, client_host
from spice_server.certificate_subject import subject_of_file

if TYPE_CHECKING:
    from pathlib import Path

    from qxld.config import SpiceConfig

__all__ = ["vv_text", "write_vv"]

_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"})


def write_vv(path: Path, spice: SpiceConfig, password: str = "") -> None:
    """Write a ``.vv`` file that only its owner may read: it can hold the password.

    Raises:
        QxldError: it cannot be written, or a certificate cannot be read.

    """
    write_private(path, vv_text(spice, password))


def vv_text(spice: SpiceConfig, password: str = "") -> str:
    """Return the text of a ``.vv`` file that opens what *spice* serves.

    Raises:
        QxldError: a certificate cannot be read.

    """
    values: dict[str, str | int] = {"type": "spice", "title": f"{spice.name} - %d"}
    if spice.unix and not spice.port and not spice.tls_port:
        values["unix-path"] = str(spice.unix.absolute())
    else:
        values["host"] = client_host(spice.addr)
    if spice.port:
        values["port"] = spice.port
    if spice.tls_port and spice.x509_dir:
        values["tls-port"] = spice.tls_port
        values["ca"] = _read(spice.x509_dir / "ca-cert.pem").decode("ascii", "replace")
        # The certificate's names need not be the address that we listen on.
        values["host-subject"] = _subject(spice.x509_dir / "server-cert.pem")
    if DEFAULT_CHANNEL in spice.tls_channels:
        values["secure-channels"] = "all"
    elif spice.tls_channels:
        values["secure-channels"] = ";".join(spice.tls_channels)
    if password and not spice.disable_ticketing:
        values["password"] = password
    lines = [f"{key}={_escaped(str(value))}" for key, value in values.items()]
    return "\n".join(["[virt-viewer]", *lines]) + "\n"


def _escaped(value: str) -> str:
    """Return *value* as GKeyFile wants it: blanks at the start would be lost."""
    text = value.translate(_ESCAPES)
    bare = text.lstrip(" ")
    return r"\s" * (len(text) - len(bare)) + bare


def _subject(certificate: Path) -> str:
    """Return a certificate's subject in spice-gtk's words: ``O=Test,CN=host``."""
    try:
        return subject_of_file(certificate)
    except OSError as error:
        raise QxldError(f"{certificate}: {error.strerror}") from error
    except ValueError as error:
        raise QxldError(f"{certificate}: {error}") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise QxldError(f"{path}: {error.strerror}") from error
