"""A certificate's subject in the words of spice-gtk, QEMU and .vv files.

``O=Test,CN=host``: in the certificate's order, a backslash before commas and
backslashes that belong to a value.  Clients compare it with the certificate they are
shown in place of the host's name: ``host-subject`` of a ``.vv`` file, ``cert-subject``
of ``client_migrate_info``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cryptography import x509

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["subject_of", "subject_of_file", "without_blanks"]

_PARTS = re.compile(r"(?:\\.|[^,\\])+")


def subject_of(certificate: x509.Certificate) -> str:
    """Return the subject of *certificate*.

    Raises:
        ValueError: it cannot be parsed.

    """
    parts = []
    for attribute in certificate.subject:
        value = str(attribute.value).replace("\\", r"\\").replace(",", r"\,")
        parts.append(f"{attribute.rfc4514_attribute_name}={value}")
    return ",".join(parts)


def subject_of_file(path: Path) -> str:
    """Return the subject of the first certificate of a PEM file.

    Raises:
        OSError: it cannot be read.
        ValueError: it holds no certificate.

    """
    return subject_of(x509.load_pem_x509_certificate(path.read_bytes()))


def without_blanks(subject: str) -> str:
    """Return *subject*, as a person wrote it, without blanks around its parts."""
    return ",".join(part.strip() for part in _PARTS.findall(subject))
