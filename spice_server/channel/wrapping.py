"""What may go around the bytes of a connection: a WebSocket does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spice_server.channel.pipe import Buffer

__all__ = ["Wrapping"]


class Wrapping(Protocol):
    """A protocol between SPICE and the socket; no I/O.

    It is put around a connection's bytes by :meth:`Connection.wrap`, from then on.
    """

    @property
    def ended(self) -> bool:
        """Whether no byte of the peer can follow."""

    def wrap(self, buffers: Iterable[Buffer]) -> Iterable[Buffer]:
        """Return what is to be sent for *buffers*; not called any more once ended."""

    def unwrap(self, data: bytes) -> bytes:
        """Return the bytes that *data* of the peer brings, maybe none."""

    def take_answers(self) -> Iterable[Buffer]:
        """Return, once, what the peer is to be answered on this level."""

    def farewell(self) -> Iterable[Buffer]:
        """Return what comes last; nothing is wrapped any more."""
