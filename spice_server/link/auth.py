"""Keys that protect a ticket on its way (RSA-1024, OAEP with SHA-1, by protocol.h).

A key serves one link only: were it used again, whoever recorded a ticket could send it
again.  Making one takes milliseconds, so a thread keeps some ready.
"""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from spice_protocol.protocol import SPICE_TICKET_KEY_PAIR_LENGTH

__all__ = ["TicketKey", "TicketKeys"]

POOL_SIZE = 12
"""Keys kept ready: a client opens that many channels at once."""

# SHA-1 is the protocol's choice; OAEP does not rest on its collision resistance.
_OAEP = padding.OAEP(
    mgf=padding.MGF1(hashes.SHA1()),  # noqa: S303 - as said
    algorithm=hashes.SHA1(),  # noqa: S303 - as said
    label=None,
)


class TicketKey:
    """One key pair."""

    def __init__(self, private: rsa.RSAPrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo,
        )
        """DER SubjectPublicKeyInfo, as the link reply carries it."""

    @classmethod
    def generate(cls) -> Self:
        """Make a new key; takes milliseconds, the interpreter lock is released."""
        return cls(rsa.generate_private_key(65537, SPICE_TICKET_KEY_PAIR_LENGTH))

    def decrypt(self, ticket: bytes) -> bytes | None:
        """Return the password; ``None``: it was not made with this key."""
        try:
            return self._private.decrypt(ticket, _OAEP)
        except ValueError:
            return None


class TicketKeys:
    """A few keys in advance, made in a thread of their own."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, "ticket-keys")
        self._keys: deque[asyncio.Future[TicketKey]] = deque()

    def start(self) -> None:
        """Begin to make keys; the running loop is the one to take them on."""
        for _ in range(POOL_SIZE):
            self._order()

    def _order(self) -> None:
        loop = asyncio.get_running_loop()
        self._keys.append(loop.run_in_executor(self._executor, TicketKey.generate))

    async def take(self) -> TicketKey:
        """Return a key nobody else gets; waits if they are asked for faster than made."""
        self._order()
        return await self._keys.popleft()

    async def filled(self) -> None:
        """Wait until no key is being made."""
        if self._keys:
            await asyncio.wait(self._keys)

    def stop(self) -> None:
        """End the thread."""
        for key in self._keys:
            key.cancel()
        self._keys.clear()
        self._executor.shutdown(wait=False, cancel_futures=True)
