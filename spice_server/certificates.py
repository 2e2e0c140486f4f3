"""The certificate a server shows: read, checked, and read again when it changes.

New connections get the newest certificate that could be used; those that are up keep
theirs.  A new one that cannot be used changes nothing, and is told of once.
"""

from __future__ import annotations

import datetime as dt
import logging
import ssl
import time
from typing import TYPE_CHECKING, Final

from cryptography import x509

from spice_server.certificate_subject import subject_of, without_blanks
from spice_server.channel.tls import TlsTerms
from spice_server.errors import OperatorError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spice_server.config import TlsConfig

__all__ = ["Certificates", "tls_context"]

LOOK_INTERVAL: Final = 1.0
"""Seconds between looks whether files changed, however many clients connect."""

WARN_BEFORE: Final = dt.timedelta(days=14)
"""How long before a certificate ends this is warned of."""

_Stamp = tuple[tuple[int, int, int] | None, ...]
"""Of each file: inode, size and time of the last change; ``None``: not there."""

_log = logging.getLogger(__name__)


def tls_context(config: TlsConfig) -> ssl.SSLContext:
    """Return a context for TLS 1.2 and later.

    Raises:
        OperatorError: a file is missing or does not fit, or the ciphers are none.

    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Renegotiation costs the server far more than the client (CVE-2021-20201).
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    if config.verify_peer and config.ca is None:
        raise OperatorError("client certificates cannot be verified without a CA's")
    for path in _files(config):
        if not path.is_file():
            raise OperatorError(f"TLS needs {path}, which is not there")
    try:
        context.load_cert_chain(
            config.cert, config.key, lambda: config.key_password or ""
        )
        if config.ca is not None:
            context.load_verify_locations(config.ca)
        if config.ciphers is not None:
            context.set_ciphers(config.ciphers)
    except (ssl.SSLError, OSError) as error:
        raise OperatorError(f"TLS cannot use {config.cert}: {error}") from error
    if config.verify_peer:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _files(config: TlsConfig) -> list[Path]:
    return [p for p in (config.cert, config.key, config.ca) if p is not None]


class Certificates:
    """What connections over TLS are shown; main thread only."""

    def __init__(
        self, config: TlsConfig, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Read the files of *config*; *clock* tells monotonic seconds.

        Raises:
            OperatorError: they cannot be used.

        """
        self._config = config
        self._clock = clock
        self._subjects = frozenset(map(without_blanks, config.peer_subjects))
        self._looked_at = clock()
        self._stamp = self._look()
        self._load()

    @property
    def subject(self) -> str:
        """What clients must be told for this server's certificate to be taken.

        ``cert-subject`` of ``client_migrate_info``, ``host-subject`` of a ``.vv`` file.
        """
        return self._subject

    def terms(self) -> TlsTerms:
        """Return what holds for a new connection, after a look at the files."""
        now = self._clock()
        if now - self._looked_at >= LOOK_INTERVAL:
            self._looked_at = now
            stamp = self._look()
            if stamp != self._stamp:
                self._stamp = stamp
                self._reload_or_keep()
        return self._terms

    def reload(self) -> None:
        """Read the files again for connections to come.

        Raises:
            OperatorError: they cannot be used; what was read before still is.

        """
        self._stamp = self._look()
        try:
            self._load()
        except OperatorError as error:
            raise OperatorError(
                f"{error}; the certificate of {self._subject} is still used"
            ) from error

    def _reload_or_keep(self) -> None:
        try:
            self.reload()
        except OperatorError as error:
            _log.error("%s", error)

    def _load(self) -> None:
        context = tls_context(self._config)
        try:
            shown = x509.load_pem_x509_certificate(self._config.cert.read_bytes())
            subject = subject_of(shown)
        except (OSError, ValueError) as error:
            raise OperatorError(
                f"TLS cannot use {self._config.cert}: {error}"
            ) from error
        self._terms = TlsTerms(context, self._subjects)
        self._subject = subject
        ends = shown.not_valid_after_utc
        _log.info("TLS certificate of %s, valid until %s", subject, ends.date())
        if ends - dt.datetime.now(dt.UTC) < WARN_BEFORE:
            _log.warning("the TLS certificate of %s ends at %s", subject, ends)

    def _look(self) -> _Stamp:
        stamps: list[tuple[int, int, int] | None] = []
        for path in _files(self._config):
            try:
                found = path.stat()
            except OSError:
                stamps.append(None)
            else:
                stamps.append((found.st_ino, found.st_size, found.st_mtime_ns))
        return tuple(stamps)
