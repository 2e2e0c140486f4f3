"""A client's socket under TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from spice_server.certificate_subject import subject_of
from spice_server.channel.connection import READ_SIZE, Connection

if TYPE_CHECKING:
    import socket

    from spice_server.channel.pipe import Buffer
    from vd_interfaces.control import SpiceEndpoint

__all__ = ["TlsConnection", "TlsTerms"]

TRANSMIT_SIZE = 1024 * 1024
"""Bytes encrypted per turn of the loop, so that one client does not hold it."""


@dataclass(frozen=True, slots=True)
class TlsTerms:
    """What holds for a connection from its beginning."""

    context: ssl.SSLContext
    subjects: frozenset[str] = frozenset()
    """Subjects of client certificates that are let in; none: all that verify."""

    def check(self, sock: ssl.SSLSocket) -> None:
        """Let a client in by its certificate, after the handshake.

        Raises:
            OSError: it is not let in.

        """
        if not self.subjects:
            return
        shown = sock.getpeercert(binary_form=True)
        try:
            subject = subject_of(x509.load_der_x509_certificate(shown or b""))
        except ValueError as error:
            raise OSError(f"the client's certificate: {error}") from error
        if subject not in self.subjects:
            raise PermissionError(f"no client is let in as {subject!r}")


class TlsConnection(Connection):
    """A connection that shakes hands first, then carries the same bytes encrypted."""

    tls = True

    def __init__(
        self,
        sock: socket.socket,
        local: SpiceEndpoint,
        peer: SpiceEndpoint,
        terms: TlsTerms,
    ) -> None:
        sock.settimeout(0)
        self._terms = terms
        self._tls = terms.context.wrap_socket(
            sock, server_side=True, do_handshake_on_connect=False
        )
        super().__init__(self._tls, local, peer)
        self._established = False
        self._blocked_on_write = False
        self._record: Buffer = b""
        """What OpenSSL was given and must be given again until it took it."""

    def _receive(self) -> bytes | None:
        try:
            if not self._established:
                self._tls.do_handshake()
                self._terms.check(self._tls)
                self._established = True
                self._blocked_on_write = False
                self._flush()
            return self._tls.recv(READ_SIZE)
        except ssl.SSLZeroReturnError:
            return b""
        except ssl.SSLWantReadError:
            self._blocked_on_write = False
        except ssl.SSLWantWriteError:
            self._blocked_on_write = True
        self._watch_writable()
        return None

    def _on_writable(self) -> None:
        if self._blocked_on_write:
            self._on_readable()
        else:
            super()._on_writable()

    def _transmit(self) -> None:
        if not self._established:
            return
        room = TRANSMIT_SIZE
        while self._out and room > 0:
            if not self._record:
                # Buffers are not joined: see MessageWriter.apart.
                self._record = self._out[0]
            try:
                sent = self._tls.send(self._record)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            self._record = memoryview(self._record)[sent:]
            self._consume(sent)
            room -= sent

    def _shutdown(self) -> None:
        if self._established:
            try:
                self._tls.unwrap()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return  # close_notify is out, the peer's is still to come
            except ValueError as error:
                raise OSError(str(error)) from error
        super()._shutdown()

    def _buffered(self) -> bool:
        return self._established and self.is_open and self._tls.pending() > 0

    def _wants_writable(self) -> bool:
        if not self._established:
            return self._blocked_on_write
        return bool(self._out) or self._blocked_on_write
