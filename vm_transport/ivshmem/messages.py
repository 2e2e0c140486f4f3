"""The ivshmem client-server protocol (QEMU's docs/specs/ivshmem-spec.rst).

A message is a signed 64-bit little-endian number with at most one descriptor.  Only
the server speaks.  What a number means follows from its place and from whether a
descriptor is with it; see :func:`handshake` and :func:`take_over`.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "MESSAGE_SIZE",
    "OWN_ID",
    "PROTOCOL_VERSION",
    "Message",
    "decode",
    "handshake",
    "refusal",
    "take_over",
]

_NUMBER = struct.Struct("<q")
MESSAGE_SIZE: Final = _NUMBER.size
PROTOCOL_VERSION: Final = 0
SHARED_MEMORY: Final = -1
OWN_ID: Final = 0
"""QEMU's id.  0 is what lets a ``master=on`` device migrate."""
REFUSED_VERSION: Final = 1
"""Any version but 0 makes QEMU fail at once, with an error that is shown."""


class Message(NamedTuple):
    """One message of the server."""

    number: int
    fd: int | None = None

    def encode(self) -> bytes:
        """Return the bytes that go with the descriptor."""
        return _NUMBER.pack(self.number)


def decode(data: bytes) -> int:
    """Return the number in ``MESSAGE_SIZE`` bytes."""
    (number,) = _NUMBER.unpack(data)
    return int(number)


def _vectors(peer_id: int, fds: Sequence[int]) -> list[Message]:
    return [Message(peer_id, fd) for fd in fds]


def handshake(
    memory: int, peer_id: int, doorbells: Sequence[int], interrupts: Sequence[int]
) -> list[Message]:
    """Return what a fresh QEMU device wants to hear, from its first byte on.

    *doorbells* become vectors 0.. of peer *peer_id* (us), *interrupts* the device's
    MSI-X vectors from 0 on.
    """
    return [
        Message(PROTOCOL_VERSION),
        Message(OWN_ID),
        Message(SHARED_MEMORY, memory),
        *take_over(peer_id, doorbells, interrupts),
    ]


def take_over(
    peer_id: int, doorbells: Sequence[int], interrupts: Sequence[int]
) -> list[Message]:
    """Return what a device that already has its memory wants to hear.

    *peer_id* must be one it never saw: QEMU neither forgets nor replaces the vectors
    of a peer (and frees memory it goes on using when told that a peer left, so that
    message is never sent).  *interrupts* become its next unused MSI-X vectors.
    """
    return [*_vectors(peer_id, doorbells), *_vectors(OWN_ID, interrupts)]


def refusal() -> list[Message]:
    """Return what makes QEMU give up with an error instead of waiting for ever.

    A connection that is merely closed would leave QEMU in a loop that never ends, its
    monitor and VM with it.
    """
    return [Message(REFUSED_VERSION)]
