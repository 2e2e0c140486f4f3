"""SASL's security layer around a connection's bytes, where there is no TLS."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from spice_server.link.cyrus_sasl import SaslError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spice_server.channel.pipe import Buffer
    from spice_server.link.cyrus_sasl import SaslConnection

__all__ = ["SaslLayer"]

_log = logging.getLogger(__name__)


class SaslLayer:
    """Encodes and decodes by what the login agreed on (a :class:`Wrapping`)."""

    def __init__(self, connection: SaslConnection) -> None:
        self._connection = connection
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether the peer sent what does not decode."""
        return self._ended

    def wrap(self, buffers: Iterable[Buffer]) -> Iterable[Buffer]:
        """Return packets for *buffers*."""
        try:
            return self._connection.encode(b"".join(buffers))
        except SaslError as error:
            self._end(error)
            return ()

    def unwrap(self, data: bytes) -> bytes:
        """Return the bytes that packets of the peer's bring."""
        try:
            return self._connection.decode(data)
        except SaslError as error:
            self._end(error)
            return b""

    def take_answers(self) -> Iterable[Buffer]:
        """Return nothing: there are no answers on this level."""
        return ()

    def farewell(self) -> Iterable[Buffer]:
        """Return nothing: it ends with the connection."""
        return ()

    def _end(self, error: SaslError) -> None:
        self._ended = True
        _log.info("the connection ends: %s", error)
